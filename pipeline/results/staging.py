"""Results appear under their names whole or not at all: written in a folder beside them, moved when all are there."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import OutputError

REPORT = "report.json"
"""The file that says that a folder of results is whole: it goes first and comes last."""

_PREFIX = ".partial-"


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A new folder inside `folder`; its files move up when the block ends well, and are deleted when it does not.

    What lay in `folder` before stays as it was until then. `OutputError` where the system refuses.
    """
    partial = folder / f"{_PREFIX}{secrets.token_hex(4)}"
    try:
        try:  # before anything is made: a signal may end the program anywhere
            partial.mkdir(parents=True)
            yield partial
            (folder / REPORT).unlink(missing_ok=True)
            for file in sorted(partial.iterdir(), key=lambda file: file.name == REPORT):
                file.replace(folder / file.name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            with suppress(OSError):
                folder.rmdir()
    except OSError as error:
        raise OutputError(f"{folder}: cannot write there ({error.strerror or error})") from error


def sweep(folder: Path) -> None:
    """Delete what killed runs left inside `folder`, and it where nothing remains. Nobody else may be writing there."""
    for left in folder.glob(f"{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
    with suppress(OSError):
        folder.rmdir()
