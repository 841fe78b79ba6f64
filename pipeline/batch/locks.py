"""One run at a time on a clip, whatever happens to the others: a lock that dies with who held it."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import OutputError
from pipeline.results.staging import sweep

_NO_LOCKS = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK})
"""What disks answer that know no locks, as some on the network: then nobody is kept out."""


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder of results; False if another process has it.

    The lock is the kernel's, on a file beside the folder: a killed holder loses it, and the file alone locks nothing.
    """
    path = folder.with_name(f".{folder.name}.lock")
    try:
        descriptor = _acquire(path)
    except OSError as error:
        raise OutputError(f"{folder}: cannot write there ({error.strerror or error})") from error
    if descriptor is None:
        yield False
        return
    try:
        yield True
    finally:
        path.unlink(
            missing_ok=True
        )  # while it is held, so that nobody locks a file that is about to go
        os.close(descriptor)


def tidy(folder: Path, output: Path) -> None:
    """Clear away what a run that was broken off left of a clip's results, unless another run is at them.

    So go the folders up to `output` that were made for a clip that came to nothing.
    """
    with suppress(OutputError), locked(folder) as mine:
        if mine:
            sweep(folder)
    with suppress(OSError):  # the first that is not empty
        for parent in folder.parents:
            if parent == output or output not in parent.parents:
                break
            parent.rmdir()


def _acquire(path: Path) -> int | None:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        except FileNotFoundError:  # another run has just cleared away the empty parent
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(path, descriptor):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return descriptor
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder deleted it between our opening and our locking


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
