"""The beginning of a FIFO, which can be read once: it decides who decodes, and is passed on."""

import os
import select
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import InputError
from pipeline.media.video_reader import VideoReader

_BLOCK_BYTES = 1 << 18
_MAX_BYTES = 16 << 20  # without a picture in so many, OpenCV may say what is wrong
_QUIET_S = 0.1
_LASTING = ("interlaced", "pixels", "turned", "mirrored", "high", "OpenCV")
"""How those reasons begin that hold for a stream: times and sizes of its beginning say nothing."""


def read_beginning(fifo: int, stop: threading.Event) -> tuple[bytes, str | None]:
    """Read a FIFO until a picture can be decoded, or its end.

    Args:
        fifo: A descriptor, open for reading, that does not block.
        stop: Ends the reading.

    Returns:
        What was read, and why the ffmpeg program must decode; None where OpenCV may.
    """
    data, next_try = b"", _BLOCK_BYTES
    while not stop.is_set() and len(data) < _MAX_BYTES:
        block = None
        if select.select([fifo], [], [], _QUIET_S)[0]:
            block = os.read(fifo, _BLOCK_BYTES)
            data += block
        is_due = not block or len(data) >= next_try
        if data and is_due and (decoder := _decoder_of(data)) is not None:
            return data, _lasting(decoder)
        if block == b"":
            break
        next_try = max(next_try, 2 * len(data)) if is_due else next_try
    return data, None


def _decoder_of(data: bytes) -> str | None:
    """What would decode a file of these bytes; None where nothing does."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with suppress(InputError), VideoReader(Path(file.name)) as reader:
            return reader.info.decoder
    return None


def _lasting(decoder: str) -> str | None:
    reason = decoder.partition("ffmpeg: ")[2]
    return decoder if reason.startswith(_LASTING) else None


@contextmanager
def relayed(fifo: int, beginning: bytes) -> Iterator[int]:
    """Pass a FIFO on, what was read of it first.

    Args:
        fifo: A descriptor, open for reading.
        beginning: What was read of it.

    Yields:
        A descriptor to read from.
    """
    reader, writer = os.pipe()
    is_closed = threading.Event()
    arguments = (fifo, beginning, writer, is_closed)
    thread = threading.Thread(target=_pass_on, args=arguments, name="relay", daemon=True)
    thread.start()
    try:
        yield reader
    finally:
        is_closed.set()
        os.close(reader)  # ends a write that waits
        thread.join()


def _pass_on(fifo: int, block: bytes, writer: int, is_closed: threading.Event) -> None:
    """What the thread does, until the FIFO ends or nothing reads any more."""
    try:
        while True:
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(writer, rest) :]
            while not select.select([fifo], [], [], 0.1)[0]:
                if is_closed.is_set():
                    return
            block = os.read(fifo, _BLOCK_BYTES)
            if not block:
                return
    except BrokenPipeError:
        return
    finally:
        os.close(writer)
