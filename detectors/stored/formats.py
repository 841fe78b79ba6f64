"""Reads a file or folder of stored keypoints in whichever format its content shows it to be."""

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from core.archives import read_archive
from core.errors import InputError, one_line
from detectors.stored.base import Container, StoredFormat
from detectors.stored.table import StoredKeypoints

MODULES = (
    "detectors.stored.poses",
    "detectors.stored.videopose3d",
    "detectors.stored.coco",
    "detectors.stored.alphapose",
    "detectors.stored.openpose",
    "detectors.stored.mmpose",
    "detectors.stored.sports2d",
)
"""The modules of the formats, each with its `FORMATS`."""

MAX_BYTES = 1 << 30
"""The limit of a file, what it unpacks to, or a folder's files together: hours of several people
take less."""

MAX_MEMORY = 768 << 20
"""The limit of what parsing JSON may take, nine times the file for keypoints: over an hour of one
person."""

_TEXT_START = 64  # bytes that show a text's format

_MALFORMED = (
    AttributeError, IndexError, KeyError, MemoryError, OverflowError, RecursionError, TypeError,
    ValueError,
)  # fmt: skip
"""What readers raise where content is not as its format has it."""


def formats(container: Container | None = None) -> list[StoredFormat]:
    """All formats, or those of a container."""
    known: list[StoredFormat] = []
    for module in MODULES:
        known += import_module(module).FORMATS
    return [one for one in known if container in (None, one.container)]


def read_stored(path: Path, video: str) -> StoredKeypoints:
    """Read the people in a file or folder.

    Args:
        path: The file or folder.
        video: The video's name without its ending, which chooses where a file holds several.

    Raises:
        InputError: It cannot be used; the message says why. Names inside it are never opened.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder of keypoints")
    try:
        if path.is_dir():
            return _read_folder(path, video)
        if not path.is_file():
            raise InputError(
                f"{path}: neither a file nor a folder; keypoints cannot come through a pipe"
            )
        with path.open("rb") as file:
            start = file.read(4)
        _check_size(path, path.stat().st_size)
        if start.startswith(b"PK"):
            return _read_archive(path, video)
        stored = _read_texts([path], path, video)
        return _read_json(path, video) if stored is None else stored
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read_archive(path: Path, video: str) -> StoredKeypoints:
    arrays = read_archive(path, encoding="latin1", max_bytes=MAX_BYTES)
    for stored_format in formats("archive"):
        if stored_format.recognises(arrays):
            return _read(path, stored_format, arrays, video)
    held = ", ".join(arrays)[:200] or "nothing"
    raise InputError(f"{path}: holds {held}, which is not {_programs(formats())}")


def _read_json(path: Path, video: str) -> StoredKeypoints:
    content = _parse([path], path)[path.name]
    for stored_format in formats("pictures"):
        if stored_format.recognises(content):
            return _read(path, stored_format, {path.name: content}, video)
    for stored_format in formats("json"):
        if stored_format.recognises(content):
            return _read(path, stored_format, content, video)
    raise InputError(f"{path}: is JSON, but not that of {_programs(formats())}")


def _read_folder(folder: Path, video: str) -> StoredKeypoints:
    """Read a file for each frame, all of one format, or else a text for each person."""
    files = sorted(file for file in folder.glob("*.json") if file.is_file())
    if not files:
        texts = sorted(file for file in folder.glob("*.trc") if file.is_file())
        if (stored := _read_texts(texts, folder, video)) is not None:
            return stored
        raise InputError(
            f"{folder}: holds no *.json or *.trc; give the folder that OpenPose or Sports2D wrote"
            " a video's frames or people to"
        )
    _check_size(folder, sum(file.stat().st_size for file in files))
    frames = _parse(files, folder)
    for stored_format in formats("pictures"):
        matching = [name for name, content in frames.items() if stored_format.recognises(content)]
        if len(matching) == len(frames):
            return _read(folder, stored_format, frames, video)
        if matching:
            odd = next(name for name in frames if name not in matching)
            raise InputError(
                f"{folder}: {odd} is not a frame of {stored_format.programs[0]}"
                f" as {matching[0]} is; take it out"
            )
    raise InputError(f"{folder}: its *.json are not frames of {_programs(formats('pictures'))}")


def _read_texts(files: Sequence[Path], path: Path, video: str) -> StoredKeypoints | None:
    """Read files that are of one format of texts, which `path` names; None if they are of none."""
    _check_size(path, sum(file.stat().st_size for file in files))
    for stored_format in formats("texts"):
        texts = {}
        for file in files:
            with file.open("rb") as opened:
                start = opened.read(_TEXT_START).decode("utf-8", "replace")
                if stored_format.recognises(start):
                    texts[file.name] = start + opened.read().decode("utf-8", "replace")
        if texts:
            return _read(path, stored_format, texts, video)
    return None


def _check_size(path: Path, size: int) -> None:
    if size > MAX_BYTES:
        raise InputError(
            f"{path}: {size >> 20} MiB is more than the {MAX_BYTES >> 20} MiB that keypoints are"
            " read up to"
        )


def _parse(files: Sequence[Path], path: Path) -> dict[str, Any]:
    """The contents of JSON files, which `path` names, by name."""
    contents, memory = {}, 0
    for file in files:
        text = file.read_bytes()
        memory += values_memory(text)
        # The text, the same as a string, its letters in values: these take up to 4 bytes each.
        is_narrow = text.isascii() and b"\\u" not in text
        if memory + len(text) * (3 if is_narrow else 9) > MAX_MEMORY:
            raise InputError(
                f"{path}: its JSON would take more than {MAX_MEMORY >> 20} MiB of memory;"
                " cut the video, or keep the keypoints as .npz"
            )
        try:
            contents[file.name] = json.loads(text)
        except (ValueError, RecursionError, MemoryError) as error:
            raise InputError(
                f"{file}: neither JSON nor an .npz archive ({one_line(error)})"
            ) from error
    return contents


def values_memory(text: bytes) -> int:
    """An upper bound of the bytes that Python's objects take for a JSON text's values.

    Lists, dictionaries, entries (a number and its reference) and strings have their most; the
    letters of strings, which the text's length bounds, are not counted.
    """
    lists, dictionaries, commas, quotes = (text.count(mark) for mark in b'[{,"')
    return 112 * lists + 208 * dictionaries + 48 * commas + 32 * quotes


def _read(path: Path, stored_format: StoredFormat, content: Any, video: str) -> StoredKeypoints:
    try:
        # Numbers beyond float32 count as missing keypoints: no warning is due.
        with np.errstate(all="ignore"):
            return stored_format.read(content, video)
    except _MALFORMED as error:
        what = f"{one_line(error)} is missing" if isinstance(error, KeyError) else one_line(error)
        program = stored_format.programs[0]
        raise InputError(f"{path}: not as {program} writes it: {what}") from error


def _programs(known: list[StoredFormat]) -> str:
    """The programs that write formats: "a, b or c"."""
    *others, last = dict.fromkeys(program for one in known for program in one.programs)
    return f"{', '.join(others)} or {last}"
