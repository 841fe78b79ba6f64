"""What a server sends, passed on by a pipe, so that it need not be asked twice."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_BLOCK_BYTES = 1 << 18


@contextmanager
def relayed(read: Callable[[int], bytes]) -> Iterator[int]:
    """Pass on what a function reads.

    Args:
        read: Gives at most so many bytes as soon as there are some, and none at the end; after a
            `TimeoutError` nothing more comes.

    Yields:
        A descriptor to read from.
    """
    reader, writer = os.pipe()
    is_closed = threading.Event()
    arguments = (read, writer, is_closed)
    threading.Thread(target=_pass_on, args=arguments, name="relay", daemon=True).start()
    try:
        yield reader
    finally:
        is_closed.set()
        os.close(reader)  # ends a write that waits; a read that waits has its own limit


def _pass_on(read: Callable[[int], bytes], writer: int, is_closed: threading.Event) -> None:
    """What the thread does, until the source ends or nothing reads any more."""
    try:
        while not is_closed.is_set() and (block := read(_BLOCK_BYTES)):
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(writer, rest) :]
    except TimeoutError:  # no end: whoever reads decides how long to wait
        is_closed.wait()
    except OSError:  # the connection broke, or nothing reads any more
        return
    finally:
        os.close(writer)
