"""Results appear under their names whole or not at all.

They are written into a hidden folder inside the folder of results, and moved up when all are there.
"""

import json
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.errors import OutputError

REPORT = "report.json"
"""The mark of a whole folder of results: deleted first, moved to its name last."""

MAX_REPORT_BYTES = 64 << 20

_PREFIX = ".partial-"


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Collect results in a new folder inside `folder`, and move them up when the block ends well.

    After an exception they are deleted. What lies in `folder` stays as it was until the move, with
    which the files go that the old report lists and the new one does not.

    Args:
        folder: The folder of results; made where it is missing, and deleted where it stays empty.

    Yields:
        The new folder.

    Raises:
        OutputError: The system refuses to write or to move.
    """
    partial = folder / f"{_PREFIX}{secrets.token_hex(4)}"
    try:
        try:  # before anything is made: a signal may end the program anywhere
            partial.mkdir(parents=True)
            yield partial
            outdated = listed_files(folder) - listed_files(partial)
            (folder / REPORT).unlink(missing_ok=True)
            for name in outdated:
                (folder / name).unlink(missing_ok=True)
            for file in sorted(partial.iterdir(), key=lambda file: file.name == REPORT):
                file.replace(folder / file.name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            with suppress(OSError):
                folder.rmdir()
    except OSError as error:
        raise OutputError(f"{folder}: cannot write there ({error.strerror or error})") from error


def listed_files(folder: Path) -> set[str]:
    """The names of the files that a folder's report lists; none where it cannot be read."""
    try:
        names = read_json(folder / REPORT)["files"]
        return {name for name in names if Path(name).name == name}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return set()


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object that this program wrote.

    Raises:
        OSError, ValueError, RecursionError: It cannot be read, is none, or is too large.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
        raise ValueError("no file")
    if status.st_size > MAX_REPORT_BYTES:
        raise ValueError("it is too large for a report")
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict):
        raise ValueError("it holds no report")
    return content


def sweep(folder: Path) -> None:
    """Delete what killed runs left inside a folder of results, and the folder where it is empty.

    Args:
        folder: The folder of results; no other process may be writing there.
    """
    for left in folder.glob(f"{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
    with suppress(OSError):
        folder.rmdir()
