"""The files of preparation commands: optional readers, the detections of several programs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from core.archives import read_archive
from core.errors import InputError, UsageError, Video3DError, how_to_install, one_line
from core.types import Array, Floats, is_missing
from train.archives import write_archive
from train.motion_data import bridge_gaps


def find_files(folder: Path, pattern: str) -> list[Path]:
    """The files of a pattern, sorted.

    Raises:
        InputError: There are none; the message says what was expected.
    """
    found = sorted(folder.glob(pattern))
    if not found:
        raise InputError(f"{folder}: holds no {pattern}")
    return found


def optional_module(module: str) -> Any:
    """Import a library of the extra `prepare`.

    Raises:
        UsageError: It isn't installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(f"this needs {module}: {how_to_install('prepare')}") from error


@contextmanager
def reading(path: Path) -> Iterator[Path]:
    """Say of which file it is that a library cannot read it inside the block.

    Yields:
        The path.

    Raises:
        InputError: The path is no file, or the library raised anything.
    """
    if not path.is_file():  # a pipe would be waited for
        raise InputError(f"{path}: is no file")
    try:
        yield path
    except Video3DError:
        raise
    except Exception as error:  # each library has its own
        raise InputError(f"{path}: cannot be read ({one_line(error)})") from error


def write_new(path: Path, overwrite: bool, **members: Any) -> None:
    """Write an archive, and print its path.

    Args:
        path: The archive's path.
        overwrite: Whether a file at `path` may be replaced.
        members: As for `train.archives.write_archive`.

    Raises:
        UsageError: The file exists and may not be replaced.
        OutputError: The system refuses to write.
    """
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: is there already, add --overwrite to replace it")
    write_archive(path, **members)
    print(f"wrote {path}")


def detector_kind(name: str) -> str:
    """The program that made the detections of that name: `detectron`, `cpn` or `sh`.

    Raises:
        UsageError: The name contains none of them.
    """
    for kind in ("detectron", "cpn", "sh"):
        if kind in name.split("_"):
            return kind
    raise UsageError(
        f"--name {name}: must contain detectron, cpn or sh, the program that made them"
    )


def read_detections(path: Path, kind: str) -> Floats:
    """The 2D keypoints of one person in one video.

    Args:
        path: The file.
        kind: Its format: `cpn` or `detectron` archives, `sh` (stacked hourglass) HDF5 files.

    Returns:
        (T, K, 2) px, without NaN.

    Raises:
        InputError: The file cannot be read, or a keypoint is missing in all frames.
    """
    if kind == "sh":
        h5py = optional_module("h5py")
        with reading(path), h5py.File(path) as file:
            return np.asarray(file["poses"], np.float32)
    if kind == "cpn":
        archive = read_archive(path, "keypoints", encoding="latin1")
        with reading(path):
            return np.asarray(archive["keypoints"][:, :, :2], np.float32)
    archive = read_archive(path, "boxes", "keypoints", encoding="latin1")
    with reading(path):
        return fill_gaps(best_detections(archive["boxes"], archive["keypoints"]), path)


def best_detections(boxes: Array, keypoints: Array) -> Floats:
    """The detection with the highest score in each frame of a Detectron archive.

    A frame's entries are lists by class, of which the second is people.

    Args:
        boxes: T entries; a class has (N, 5) with the score last.
        keypoints: T entries; a class has (N, rows, K). Of six rows, 4 and 5 are the refined x and
            y; of fewer, 0 and 1 are x and y.

    Returns:
        (T, K, 2) px, NaN in frames without people.
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
    """Interpolate missing keypoints, as `train.motion_data.bridge_gaps` does.

    Args:
        keypoints: (T, K, 2) px, NaN or as `core.types.is_missing` has it where missing.
        path: Their file, for the error message.

    Raises:
        InputError: A keypoint is missing in all frames.
    """
    found = keypoints.copy()
    found[is_missing(found)] = np.nan
    filled = bridge_gaps(found)
    if np.isnan(filled).any():
        raise InputError(f"{path}: a keypoint was never found")
    return filled


class Views:
    """The 2D keypoints of a data set's performances, put together view by view."""

    def __init__(self, cameras: int) -> None:
        self._cameras = cameras
        self._views: dict[str, dict[str, list[Floats | None]]] = {}

    def add(self, subject: str, action: str, camera: int, keypoints: Floats) -> None:
        """Add (T, K, 2) px of one camera."""
        actions = self._views.setdefault(subject, {})
        actions.setdefault(action, [None] * self._cameras)[camera] = keypoints

    def complete(self) -> dict[str, dict[str, list[Floats]]]:
        """Subject → action → the keypoints of each camera.

        Raises:
            InputError: A performance lacks a camera.
        """
        return {
            subject: {
                action: _all_views(views, f"{subject} {action}")
                for action, views in actions.items()
            }
            for subject, actions in self._views.items()
        }


def _all_views(views: Sequence[Floats | None], performance: str) -> list[Floats]:
    found = [view for view in views if view is not None]
    if len(found) < len(views):
        raise InputError(
            f"{performance}: {len(views) - len(found)} of its {len(views)} cameras are missing"
        )
    return found
