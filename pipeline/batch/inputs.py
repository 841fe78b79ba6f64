"""The words of a command line → jobs: files, folders, patterns, addresses, a list on stdin.

A folder's tree is mirrored: `clips/a/x.mp4` of `clips` goes to `OUTPUT/a/x/`; so is a pattern's,
below its part without wildcards. A file given by name goes to `OUTPUT/x/`. Where two would share a
folder, each gets its extension too (`x_mp4`, `x_mov`); files of one name that are given one by one
keep their tree below the folder that holds them all.
"""

import glob
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from core.errors import UsageError
from core.files import number_in, result_name
from pipeline.batch.addresses import files_at, is_address, parse_location
from pipeline.batch.jobs import Job
from pipeline.media.images import is_image
from pipeline.results.staging import REPORT
from pipeline.runtime.logs import LOG

VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts",
    ".vob", ".wmv", ".asf", ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".mxf", ".dv", ".y4m", ".h264",
    ".264", ".h265", ".hevc", ".gif", ".apng",
)  # fmt: skip
"""Endings of the files in a folder that count as videos, unless `--pattern` says which do.

Pictures count only where there is no video: beside videos they are thumbnails and covers.
"""

Kind = Literal["list", "address", "folder", "pattern", "file"]

_VIDEO = (b"\0", b"\x1a", b"RIFF")  # how MP4, Matroska and AVI begin, and no list does


@dataclass(frozen=True)
class InputFile:
    """A file that a word of the command line names."""

    source: Path
    below: Path
    """Its path below the folder, or the fixed part of the pattern, that the word names."""
    is_alone: bool = False
    """Whether the word names this file and no other."""


def input_kind(word: str) -> Kind:
    """Say what a word of the command line names; what does not exist is a `file`."""
    if word == "-":
        return "list"
    if is_address(word):
        return "address"
    # pathlib's raises on names that no file can have
    if os.path.isdir(word):  # noqa: PTH112
        return "folder"
    if glob.has_magic(word) and not os.path.lexists(word):
        return "pattern"
    return "file"


def find_jobs(
    words: Sequence[str], output: Path, pattern: str | None = None, sequences: bool = False
) -> tuple[list[Job], list[str]]:
    """Find the files that words name, and give each a folder of results.

    Args:
        words: The command line's words.
        output: The folder above all results.
        pattern: Which files of a folder count, as in `--pattern`; None for videos, else pictures.
        sequences: Whether a folder is itself a clip, of the pictures in it.

    Returns:
        The jobs, in an order that depends on words and files alone, and the words that name no
        file; `-` where the list on stdin is empty.

    Raises:
        UsageError: Two clips would share a folder of results, a word is no folder although
            `sequences` asks for one, or stdin is no list.
    """
    found: dict[Path, InputFile] = {}
    empty = []
    for word in words:
        named = _listed() if input_kind(word) == "list" else [word]
        if not named:
            empty.append(word)
        for name in named:
            files = [_sequence(name)] if sequences else list(_named_by(name, output, pattern))
            for file in files:
                found.setdefault(file.source.absolute(), file)
            if not files:
                empty.append(name)
    return _jobs(_apart(list(found.values())), output), empty


def _sequence(word: str) -> InputFile:
    if input_kind(word) != "folder":
        raise UsageError(f"--fps is for folders of numbered pictures, and {word} is none")
    return InputFile(Path(word), Path(Path(word).absolute().name))


def _listed() -> list[str]:
    """The lines of stdin, or what its zero bytes separate (`find -print0`)."""
    head = sys.stdin.buffer.read(4)
    if head.startswith(_VIDEO):
        raise UsageError(
            "- stands for a list of names on stdin; what comes there is a video itself"
        )
    data = head + sys.stdin.buffer.read()
    if b"\0" in data:
        lines = data.split(b"\0")
    else:  # a list that was made on Windows has a carriage return, too
        lines = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    return [os.fsdecode(line) for line in lines if line.strip()]


def _named_by(word: str, output: Path, pattern: str | None) -> Iterator[InputFile]:
    """List the files that count among those that a word names."""
    match input_kind(word):
        case "address":
            found = files_at(word)
            is_alone = [str(path) for path, _ in found] == [word]
            results = {path.parent for path, _ in found if path.name == REPORT}
            for path, below in found:
                if is_alone or (path.parent not in results and _counts(path, below, pattern)):
                    yield InputFile(path, _without_dots(below))
        case "folder":
            files = list(_walk(Path(word), output.absolute(), pattern))
            if pattern is None:
                files = [path for path in files if not is_image(path)] or files
                _hint_at_fps(word, files)
            yield from (InputFile(path, path.relative_to(word)) for path in files)
        case "pattern":
            root = _fixed_part(word)
            # pathlib's takes relative patterns only
            for name in sorted(glob.glob(word, recursive=True)):  # noqa: PTH207
                if not os.path.isdir(name):  # noqa: PTH112
                    yield InputFile(Path(name), _without_dots(Path(os.path.relpath(name, root))))
        case _ if (path := parse_location(word)).name not in ("", ".."):
            yield InputFile(path, Path(path.name), is_alone=True)


def _hint_at_fps(word: str, files: Sequence[Path]) -> None:
    """Say that numbered pictures in a folder may be meant as a clip."""
    numbers = {number_in(path.name) for path in files if is_image(path)}
    if len(numbers - {None}) == len(files) > 1 and len({path.parent for path in files}) == 1:
        LOG.warning(
            "%s: each of its %d numbered pictures is a clip of its own; --fps 25 makes them one",
            word, len(files),
        )  # fmt: skip


def _apart(files: Sequence[InputFile]) -> list[InputFile]:
    """Let files of one name that were given one by one keep the tree that they lie in."""
    folders: dict[Path, set[str]] = {}
    for file in files:
        if file.is_alone:
            folders.setdefault(file.below, set()).add(_parent(file))
    clashing = {name: parents for name, parents in folders.items() if len(parents) > 1}
    if not clashing:
        return list(files)
    root = os.path.commonpath(set().union(*clashing.values()))
    return [
        replace(file, below=Path(os.path.relpath(_parent(file), root), file.below))
        if file.is_alone and file.below in clashing
        else file
        for file in files
    ]


def _parent(file: InputFile) -> str:
    """The folder of a file, absolute and without `..`."""
    return os.path.dirname(os.path.abspath(file.source))  # noqa: PTH100, PTH120 - no links followed


def _without_dots(below: Path) -> Path:
    """Reduce a path that leads upwards to its last name."""
    return below if ".." not in below.parts else Path(below.name)


def _fixed_part(word: str) -> str:
    """Return the folder of a pattern above its first wildcard."""
    parts = Path(word).parts
    fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return str(Path(*parts[:fixed])) if fixed else "."


def _walk(root: Path, output: Path, pattern: str | None) -> Iterator[Path]:
    """List the clips below `root` by name; results are no inputs, and links may lead in circles."""
    visited: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(root, onerror=_warn_left_out, followlinks=True):
        try:
            status = os.stat(folder)  # noqa: PTH116 - a str from os.walk
        except OSError as error:  # it was deleted meanwhile
            _warn_left_out(error)
            continue
        is_result = REPORT in files or (Path(folder).absolute() == output and Path(folder) != root)
        if is_result or (status.st_dev, status.st_ino) in visited:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith(".") and _counts(path, path.relative_to(root), pattern):
                yield path


def _warn_left_out(error: OSError) -> None:
    LOG.warning("%s: cannot be read (%s), and is left out", error.filename, error.strerror)


def _counts(path: Path, below: Path, pattern: str | None) -> bool:
    """Say whether a file of a folder is an input, by its name or by the user's pattern."""
    if pattern is None:
        return path.suffix.lower() in VIDEO_SUFFIXES or is_image(path)
    return fnmatchcase(str(below) if "/" in pattern else path.name, pattern)


def _jobs(files: Sequence[InputFile], output: Path) -> list[Job]:
    """Give each file a folder of results, which no other has."""
    short = Counter(_folder(file.below) for file in files)
    folders: dict[Path, Path] = {}
    jobs = []
    for file in files:
        folder = _folder(file.below)
        if short[folder] > 1 and file.below.suffix:
            folder = folder.with_name(f"{folder.name}_{file.below.suffix[1:]}")
        other = folders.setdefault(folder, file.source)
        if other is not file.source:
            raise UsageError(
                f"{other} and {file.source} would share one --output folder, {output / folder}; "
                "give them in separate runs, or give the folder above both"
            )
        jobs.append(Job(file.source, output / folder))
    return jobs


def _folder(below: Path) -> Path:
    """Return a file's folder below OUTPUT: its name without the ending, never `.` or `..`."""
    *above, name = below.parts
    return Path(
        *map(result_name, above), result_name(below.stem if below.stem.strip(".") else name)
    )


def shard(jobs: Sequence[Job], number: int, count: int) -> Iterable[Job]:
    """Select every `count`-th job, from the `number`-th (1…count) on."""
    return jobs[number - 1 :: count]
