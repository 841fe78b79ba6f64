"""What the preparation commands share: finding files, optional readers, 2D detections of several programs."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from core.archives import read_archive
from core.errors import InputError, UsageError
from core.types import Array, Floats
from train.archives import write_archive
from train.motion_data import bridge_gaps


def find(folder: Path, pattern: str) -> list[Path]:
    """The files of a pattern, sorted; `InputError` says what was expected where there are none."""
    found = sorted(folder.glob(pattern))
    if not found:
        raise InputError(f"{folder}: holds no {pattern}")
    return found


def reader(module: str) -> Any:
    """An optional library, or the way to get it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(f"this needs {module}: pip install 'video3d[prepare]'") from error


def write_new(path: Path, overwrite: bool, **members: Any) -> None:
    """Write an archive unless there is one already."""
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: is there already, add --overwrite to replace it")
    write_archive(path, **members)
    print(f"wrote {path}")


def read_detections(path: Path, kind: str) -> Floats:
    """(T, K, 2) px of one video: `cpn` archives, `detectron` archives or `sh` (stacked hourglass) HDF5 files."""
    if kind == "sh":
        with reader("h5py").File(path) as file:
            return np.asarray(file["poses"], np.float32)
    if kind == "cpn":
        archive = read_archive(path, "keypoints", encoding="latin1")
        return np.asarray(archive["keypoints"][:, :, :2], np.float32)
    archive = read_archive(path, "boxes", "keypoints", encoding="latin1")
    return fill_gaps(best_people(archive["boxes"], archive["keypoints"]), path)


def best_people(boxes: Array, keypoints: Array) -> Floats:
    """The surest person of each frame of a Detectron archive, (T, K, 2) px, NaN where nobody was found.

    A frame's entries are lists by class, of which the second is people: boxes (N, 5) with the score last and keypoints
    (N, rows, K). Rows 4 and 5 are the refined place where there are six, else 0 and 1 the place.
    """
    frames: list[Floats | None] = []
    for box, points in zip(boxes, keypoints, strict=True):
        if len(box[1]) == 0 or len(points[1]) == 0:
            frames.append(None)
            continue
        best = np.asarray(points[1])[np.argmax(np.asarray(box[1])[:, 4])]
        frames.append((best[4:6] if len(best) >= 6 else best[:2]).T)
    joints = next((len(frame) for frame in frames if frame is not None), 0)
    missing = np.full((joints, 2), np.nan)
    return np.asarray([missing if frame is None else frame for frame in frames], np.float32)


def fill_gaps(keypoints: Floats, path: Path) -> Floats:
    """(T, K, 2) with NaN → without, as `bridge_gaps`; `InputError` where a keypoint was never found."""
    filled = bridge_gaps(keypoints)
    if np.isnan(filled).any():
        raise InputError(f"{path}: a keypoint was never found")
    return filled


def kind_of(name: str) -> str:
    """Which program made the detections of that name."""
    for kind in ("detectron", "cpn", "sh"):
        if kind in name.split("_"):
            return kind
    raise UsageError(
        f"--name {name}: must contain detectron, cpn or sh, the program that made them"
    )


def all_views(views: Sequence[Floats | None], what: str) -> list[Floats]:
    """The views of a performance, none missing."""
    found = [view for view in views if view is not None]
    if len(found) < len(views):
        raise InputError(
            f"{what}: {len(views) - len(found)} of its {len(views)} cameras are missing"
        )
    return found
