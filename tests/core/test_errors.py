import errno

import cv2
import pytest

from core.errors import InputError, UsageError, one_line, shortage


def test_control_characters_are_escaped() -> None:
    error = InputError("a\x1b[31mb\nc\u202ed\x9b.mp4: is damaged")
    assert str(error) == r"a\x1b[31mb\nc\u202ed\x9b.mp4: is damaged"


def test_other_characters_are_left_alone() -> None:
    text = "Müllers Küche 👩‍👩‍👧 3.04.05\u202fPM\u00a0é.mp4"
    assert str(InputError(text)) == text


def test_flags_are_named_as_on_the_command_line() -> None:
    assert UsageError("`height_m` is 3\x07").as_flags() == r"--height-m is 3\x07"


def test_an_error_without_text_is_named_by_its_type() -> None:
    assert one_line(EOFError()) == "EOFError"
    assert one_line(ValueError("two\nlines")) == "two lines"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.EMFILE, "Too many open files"),
        RuntimeError("can't start new thread"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        cv2.error("(-4:Insufficient memory) Failed to allocate 2700000000 bytes"),
        RuntimeError("XNNPack delegate failed to reshape runtimeNode number 241"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    ],
)
def test_a_machine_s_limits_are_no_fault_of_this_program(error: Exception) -> None:
    text = shortage(error)
    assert text is not None
    assert text.startswith("this machine is short of memory")


@pytest.mark.parametrize("error", [ValueError("x"), OSError(errno.ENOENT, "No such file")])
def test_other_errors_are_not_the_machine_s(error: Exception) -> None:
    assert shortage(error) is None
