"""One run at a time on a clip: a lock that ends with the process that holds it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import OutputError
from pipeline.results.staging import sweep

_NO_LOCKS = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK})
"""What disks without locks answer, as some on a network do: then no run is kept out."""


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder of results inside the block; never wait for it.

    The lock is the kernel's, on a hidden file beside the folder: a killed holder loses it, and the
    file alone locks nothing.

    Args:
        folder: What to lock; it need not exist, and may be a file.

    Yields:
        Whether this block holds the lock. False where another process has it, another block of
        this process, or one that is giving it up at this moment.

    Raises:
        OutputError: The lock file cannot be written, or is a link, which is not followed.
    """
    path = folder.with_name(f".{folder.name}.lock")
    if path.is_symlink():
        raise OutputError(f"{path}: is a link, not a lock of this program; delete it")
    lock = FileLock(path, blocking=False, fallback_to_soft=False)
    try:
        is_ours = _acquire(lock, path)
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputError(f"{folder}: cannot write there (a file has that name)") from error
    except OSError as error:
        raise OutputError(f"{folder}: cannot write there ({error.strerror or error})") from error
    if not is_ours:
        yield False
        return
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)  # before the release, else it may be another holder's by now
        lock.release()


def clear_unfinished(folder: Path, output: Path) -> None:
    """Delete what an interrupted run left of a clip's results, unless another run is at work on it.

    Empty folders go too, from `folder` up to `output`, which stays.

    Args:
        folder: The clip's folder of results.
        output: The batch's output folder.
    """
    with suppress(OutputError), locked(folder) as is_ours:
        if is_ours:
            sweep(folder)
    with suppress(OSError):  # raised by the first that is not empty
        for parent in folder.parents:
            if parent == output or output not in parent.parents:
                break
            parent.rmdir()


def _acquire(lock: FileLock, path: Path) -> bool:
    """Try once to take the lock; True also where the disk has no locks."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            return False
        except FileNotFoundError:  # another run has just deleted the empty folder
            continue
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        return True
