"""A file or folder of stored keypoints, of whichever format its content shows it to be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.archives import read_archive
from core.errors import InputError, one_line
from detectors.stored import alphapose, coco, mmpose, openpose, poses, videopose3d
from detectors.stored.table import StoredKeypoints

MAX_BYTES = 1 << 30
"""Of a file, what it unpacks to, or a folder's files together: hours of several people take less."""

KNOWN = "poses.npz, VideoPose3D, COCO, AlphaPose, OpenPose, MMPose or Sports2D"

_UNLIKE = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""What readers run into where content is not as its format has it."""


def read_stored(path: Path, video: str) -> StoredKeypoints:
    """The people in a file or folder; `video` is the video's name, which chooses where a file holds several videos.

    `InputError` says what is wrong with it. Names inside it are never opened.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder of keypoints")
    try:
        if path.is_dir():
            return _read_folder(path)
        if not path.is_file():
            raise InputError(
                f"{path}: neither a file nor a folder; keypoints cannot come through a pipe"
            )
        with path.open("rb") as file:
            start = file.read(4)
        if start.startswith(b"PK"):
            return _read_archive(path, video)
        return _read_json(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read_archive(path: Path, video: str) -> StoredKeypoints:
    _bound(path, path.stat().st_size)
    archive = read_archive(path, encoding="latin1", max_bytes=MAX_BYTES)
    if poses.is_poses(archive):
        return _reading(path, "poses.npz", poses.read_poses, archive)
    if videopose3d.is_custom(archive):
        return _reading(
            path, "VideoPose3D", lambda found: videopose3d.read_custom(found, video), archive
        )
    if videopose3d.is_dump(archive):
        return _reading(path, "VideoPose3D", videopose3d.read_dump, archive)
    raise InputError(f"{path}: holds {', '.join(archive)[:200] or 'nothing'}, which is not {KNOWN}")


def _read_json(path: Path) -> StoredKeypoints:
    _bound(path, path.stat().st_size)
    data = _parsed(path)
    if openpose.is_openpose(data):
        return _reading(path, "OpenPose", openpose.read_openpose, {path.name: data})
    if mmpose.is_people(data):
        return _reading(path, "MMPose", mmpose.read_pictures, {path.name: data})
    if mmpose.is_mmpose(data):
        return _reading(path, "MMPose", mmpose.read_mmpose, data)
    if alphapose.is_alphapose(data):
        return _reading(path, "AlphaPose", alphapose.read_alphapose, data)
    if coco.is_coco(data):
        return _reading(path, "COCO", coco.read_coco, data)
    raise InputError(f"{path}: is JSON, but not that of {KNOWN}")


def _read_folder(folder: Path) -> StoredKeypoints:
    """A file a frame."""
    files = sorted(file for file in folder.glob("*.json") if file.is_file())
    if not files:
        raise InputError(
            f"{folder}: holds no *.json; give the folder that OpenPose or Sports2D wrote a video's frames to"
        )
    _bound(folder, sum(file.stat().st_size for file in files))
    frames = {file.name: _parsed(file) for file in files}
    for is_frame, made_by, read in (
        (openpose.is_openpose, "OpenPose", openpose.read_openpose),
        (mmpose.is_people, "MMPose", mmpose.read_pictures),
    ):
        fits = [name for name, data in frames.items() if is_frame(data)]
        if len(fits) == len(frames):
            return _reading(folder, made_by, read, frames)
        if fits:
            odd = next(name for name in frames if name not in fits)
            raise InputError(
                f"{folder}: {odd} is not a frame of {made_by} as {fits[0]} is; take it out"
            )
    raise InputError(f"{folder}: its *.json are not frames of OpenPose, Sports2D or MMPose")


def _bound(path: Path, size: int) -> None:
    if size > MAX_BYTES:
        raise InputError(
            f"{path}: {size >> 20} MiB is more than the {MAX_BYTES >> 20} MiB that keypoints are read up to"
        )


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{path}: neither JSON nor an .npz archive ({one_line(error)})") from error


def _reading(
    path: Path, made_by: str, read: Callable[[Any], StoredKeypoints], data: Any
) -> StoredKeypoints:
    try:
        with np.errstate(all="ignore"):  # what is no number of a sensible size is taken for missing
            return read(data)
    except _UNLIKE as error:
        what = f"{one_line(error)} is missing" if isinstance(error, KeyError) else one_line(error)
        raise InputError(f"{path}: not as {made_by} writes it: {what}") from error
