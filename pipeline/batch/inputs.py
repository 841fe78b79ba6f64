"""What the words of a command line name: files, folders, patterns, a list on stdin → jobs, a folder of results each.

A folder's tree is mirrored: `clips/a/x.mp4` of `clips` goes to `OUTPUT/a/x/`; so is a pattern's, below its part without
wildcards. A file given by name goes to `OUTPUT/x/`. Where two would share a folder, each gets its extension too
(`x_mp4`, `x_mov`).
"""

import glob
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from core.errors import UsageError
from pipeline.batch.addresses import files_at, is_address, place
from pipeline.batch.jobs import Job
from pipeline.media.images import is_image
from pipeline.results.staging import REPORT
from pipeline.runtime.logs import LOG

VIDEO_SUFFIXES = (
    *(
        ".mp4",
        ".m4v",
        ".mov",
        ".qt",
        ".mkv",
        ".webm",
        ".avi",
        ".mpg",
        ".mpeg",
        ".ts",
        ".mts",
        ".m2ts",
        ".vob",
        ".wmv",
    ),
    *(
        ".asf",
        ".flv",
        ".f4v",
        ".3gp",
        ".3g2",
        ".ogv",
        ".mxf",
        ".dv",
        ".y4m",
        ".h264",
        ".264",
        ".h265",
        ".hevc",
        ".gif",
    ),
)
"""Endings of the files in a folder that are taken for videos, unless `--pattern` says which.

Pictures count only where there is no video: beside videos they are thumbnails and covers.
"""

Kind = Literal["list", "address", "folder", "pattern", "file"]


@dataclass(frozen=True)
class Found:
    """A file, and its path below what the word named."""

    source: Path
    below: Path


def kind_of(word: str) -> Kind:
    """What one word of the command line names. What does not exist is a `file`: opening it says so."""
    if word == "-":
        return "list"
    if is_address(word):
        return "address"
    if os.path.isdir(word):  # noqa: PTH112 - pathlib's raises on names too long, and others no file can have
        return "folder"
    if glob.has_magic(word) and not os.path.lexists(word):
        return "pattern"
    return "file"


def find_jobs(
    words: Sequence[str], output: Path, pattern: str | None = None, sequences: bool = False
) -> tuple[list[Job], list[str]]:
    """All jobs, in an order that only the files decide, and the words that name nothing.

    `pattern` says which files of a folder count; with `sequences` a folder is itself a clip, of the pictures in it.
    `UsageError` where two results would share a folder.
    """
    found: dict[Path, Found] = {}
    empty = []
    for word in _with_lists(words):
        files = [_sequence(word)] if sequences else list(_named_by(word, output, pattern))
        for file in files:
            found.setdefault(file.source.absolute(), file)
        if not files:
            empty.append(word)
    return _jobs(list(found.values()), output), empty


def _sequence(word: str) -> Found:
    if kind_of(word) != "folder":
        raise UsageError(f"--fps is for folders of numbered pictures, and {word} is none")
    return Found(Path(word), Path(Path(word).absolute().name))


def _with_lists(words: Sequence[str]) -> Iterator[str]:
    """The words, `-` replaced by the lines of stdin, or what lies between its zero bytes (`find -print0`)."""
    for word in words:
        if kind_of(word) != "list":
            yield word
            continue
        data = sys.stdin.buffer.read()
        yield from (
            os.fsdecode(line)
            for line in data.split(b"\0" if b"\0" in data else b"\n")
            if line.strip()
        )


def _named_by(word: str, output: Path, pattern: str | None) -> Iterator[Found]:
    match kind_of(word):
        case "address":
            found = files_at(word)
            is_alone = [str(path) for path, _ in found] == [word]
            results = {path.parent for path, _ in found if path.name == REPORT}
            for path, below in found:
                if is_alone or (path.parent not in results and _wanted(path, below, pattern)):
                    yield Found(path, below if ".." not in below.parts else Path(below.name))
        case "folder":
            files = list(_walk(Path(word), output.absolute(), pattern))
            if pattern is None:
                files = [path for path in files if not is_image(path)] or files
            yield from (Found(path, path.relative_to(word)) for path in files)
        case "pattern":
            root = _fixed_part(word)
            for name in sorted(glob.glob(word, recursive=True)):  # noqa: PTH207 - Path.glob wants them relative
                below = Path(os.path.relpath(name, root))
                if not os.path.isdir(name):  # noqa: PTH112
                    yield Found(Path(name), below if ".." not in below.parts else Path(below.name))
        case _ if place(word).name not in ("", ".."):
            yield Found(place(word), Path(place(word).name))


def _fixed_part(word: str) -> str:
    """The folder of a pattern above its first wildcard."""
    parts = Path(word).parts
    fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return str(Path(*parts[:fixed])) if fixed else "."


def _walk(root: Path, output: Path, pattern: str | None) -> Iterator[Path]:
    """The clips below `root` by name, each real folder once: links may lead in circles. Results are no inputs."""
    visited: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(root, onerror=_passed_over, followlinks=True):
        here = os.stat(folder)  # noqa: PTH116 - a str from os.walk
        is_result = REPORT in files or (Path(folder).absolute() == output and Path(folder) != root)
        if is_result or (here.st_dev, here.st_ino) in visited:
            folders.clear()
            continue
        visited.add((here.st_dev, here.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith(".") and _wanted(path, path.relative_to(root), pattern):
                yield path


def _passed_over(error: OSError) -> None:
    LOG.warning("%s: cannot be read (%s), and is left out", error.filename, error.strerror)


def _wanted(path: Path, below: Path, pattern: str | None) -> bool:
    if pattern is None:
        return path.suffix.lower() in VIDEO_SUFFIXES or is_image(path)
    return fnmatchcase(str(below) if "/" in pattern else path.name, pattern)


def _jobs(files: Sequence[Found], output: Path) -> list[Job]:
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
    """A file's folder of results below OUTPUT: its name without the ending, and never `.` or `..`."""
    return below.parent / (below.stem if below.stem.strip(".") else below.name)


def shard(jobs: Sequence[Job], number: int, count: int) -> Iterable[Job]:
    """Every `count`-th job, from the `number`-th (1…count) on."""
    return jobs[number - 1 :: count]
