"""What can go wrong, as one tree.

    Video3DError        any error raised on purpose; its text is one line for a person
    ├── UsageError      the command line or a configuration contradicts itself (exit status 2)
    ├── InputError      a video, image or keypoint file cannot be used
    ├── OutputError     a result cannot be written
    ├── WeightsError    a model file is missing, cannot be fetched or is another file
    └── DetectorError   a detector cannot be built or run

Everything but `UsageError` concerns one input: the others go on, the exit status is 1.
"""

import errno
import re

_SHORT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})
_SHORT_WORDS = re.compile(
    "can't start new thread|failed to map segment|(?:cannot|can't|failed to) allocate|bad_alloc|"
    "insufficient memory|out of memory|error return without exception set|"
    "delegate failed to reshape",  # LiteRT, of networks whose shapes never change
    re.I,
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_OPTION = re.compile(r"`([a-z][a-z0-9_]*)`")


class Video3DError(Exception):
    """Base of every error raised on purpose.

    `str(error)` says in one line what is wrong and what to do. Control characters, which file
    names and what is read from files may have, are escaped: they would reach the terminal.
    """

    def __str__(self) -> str:
        return escaped(super().__str__())


class UsageError(Video3DError):
    """The command line or a configuration is wrong; the text names the option.

    Options are named as Python callers know them, in backticks (`height_m`).
    """

    def as_flags(self) -> str:
        """The text with options named as on the command line (--height-m)."""
        return _OPTION.sub(lambda name: "--" + name[1].replace("_", "-"), str(self))


class InputError(Video3DError):
    """A file that was to be read cannot be used."""


class OutputError(Video3DError):
    """A result cannot be written."""


class WeightsError(Video3DError):
    """A model file is missing, cannot be fetched, or is not what it claims to be."""


class DetectorError(Video3DError):
    """A detector cannot be built or run."""


def how_to_install(extra: str) -> str:
    """The command that installs the libraries of an extra of `pyproject.toml`, for messages."""
    return f"pip install -c constraints.txt -e '.[{extra}]' in the folder of this program"


def escaped(text: str) -> str:
    """Replace control characters, and those that change the direction of text, by their escapes."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def shortage(error: BaseException) -> str | None:
    """What to say of an error that comes of this machine's limits; None for other errors.

    Libraries report a lack of memory as whatever they have: by a code, by a type or in words alone.
    """
    is_short = isinstance(error, MemoryError) or getattr(error, "errno", None) in _SHORT
    if not is_short and not _SHORT_WORDS.search(str(error)):
        return None
    return f"this machine is short of memory, open files or threads ({one_line(error)})"


def one_line(error: BaseException, longest: int = 200) -> str:
    """A library's error as part of one line: its text, or its type where it has none.

    Args:
        error: The error.
        longest: Characters to keep.
    """
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= longest else words[:longest] + " …"
