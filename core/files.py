"""Files that are read without waiting, and appear under their names whole or not at all."""

import glob
import hashlib
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path, PurePath

from core.errors import InputError

_TOKEN_BYTES = 4
_MAX_STEM_BYTES = 200  # a name has 255, and results add endings and marks of unfinished files
_HASH_LETTERS = 8
_NO_TEXT = frozenset({"Cc", "Cs"})  # control characters; bytes of a name that are no UTF-8


def result_stem(path: Path) -> str:
    """The name that a file's results begin with: its own without the ending, as `result_name`."""
    return result_name(path.stem)


def result_name(name: str) -> str:
    """The name under which results lie: a file's or folder's own, where every program can use it.

    Args:
        name: Of what the results are of, without an ending.

    Returns:
        Too long a name is cut, and control characters and bytes that are no UTF-8 become `_`: such
        a name ends in a hash of the whole one, so that no two files share it.
    """
    plain = "".join("_" if unicodedata.category(one) in _NO_TEXT else one for one in name)
    if plain == name and len(name.encode()) <= _MAX_STEM_BYTES:
        return name
    mark = hashlib.sha256(os.fsencode(name)).hexdigest()[:_HASH_LETTERS]
    start = plain.encode()[: _MAX_STEM_BYTES - _HASH_LETTERS - 1].decode(errors="ignore")
    return f"{start}~{mark}"


def views_stem(paths: Sequence[Path]) -> str:
    """The name that the results of several files together begin with: all of their names."""
    return result_stem(Path("+".join(path.stem for path in paths) + ".views"))


def number_in(name: str) -> int | None:
    """The last number in a file's name, without its extension; None if there is none.

    It is 12 in `take2_000012_keypoints.json`.
    """
    digits = re.findall("[0-9]+", PurePath(name).stem)
    return int(digits[-1]) if digits else None


def open_input(path: Path) -> BufferedReader:
    """Open a file to read it; a pipe is not waited for.

    Raises:
        InputError: The path is none of a regular file.
        OSError: The file cannot be opened.
    """
    # without O_NONBLOCK the system waits for a program that writes into the pipe
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise InputError(f"{path}: is a pipe or a device, not a file")
    return file


def read_input(path: Path) -> bytes:
    """The bytes of a file; raises what `open_input` does."""
    with open_input(path) as file:
        return file.read()


def make_way(path: Path) -> None:
    """Delete a link, a pipe or a device at the name of a file that is written to in place.

    Raises:
        OSError: The system refuses to delete it.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        path.unlink()


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Write a file beside its name, and rename it when the block ends well.

    Args:
        path: The file's final path; its folder must exist.

    Yields:
        The path of a new, empty file in the same folder, hidden, with the same ending, that nothing
        else writes to. What lies at `path`, a link too, stays as it was until the rename; after an
        exception the new file is gone.

    Raises:
        OSError: The system refuses to write or to rename.
    """
    partial = _partial_path(path, secrets.token_hex(_TOKEN_BYTES))
    try:
        partial.touch(exist_ok=False)  # fails where something is there: a link is not followed
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def remove_partial(path: Path) -> None:
    """Delete what killed processes left of a file beside its name.

    Args:
        path: The file's final path; no process may be writing it at the moment.

    Raises:
        OSError: The system refuses to delete.
    """
    escaped = path.with_name(glob.escape(path.name))
    for left in path.parent.glob(_partial_path(escaped, "?" * 2 * _TOKEN_BYTES).name):
        left.unlink(missing_ok=True)


def missing_folders(folder: Path) -> list[Path]:
    """A folder and those above it that do not exist yet, the innermost first."""
    return [path for path in (folder, *folder.parents) if not os.path.lexists(path)]


def remove_empty(folders: Sequence[Path]) -> None:
    """Remove those of some folders, the innermost first, that are there and empty."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _partial_path(path: Path, token: str) -> Path:
    return path.with_name(f".{path.stem}.{token}.part{path.suffix}")
