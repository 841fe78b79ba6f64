"""Keypoints made elsewhere and stored in a file, as a detector: it looks up what a network would find."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import InputError, one_line
from core.skeletons import COCO_17
from core.types import Detections, Floats, Frame
from detectors.stored.formats import read_stored
from detectors.stored.layouts import LAYOUTS, to_coco
from detectors.stored.table import StoredKeypoints


class Replay:
    """The people of one video, as COCO-17, from a file or folder of one of the formats of `detectors.stored`.

    `skeleton` names the order of the keypoints (a key of `LAYOUTS`) where the file does not; `video` is the video's
    name, for files that hold several; `numbers` are those in the pictures' names, frame by frame, if the video is made
    of pictures. `InputError` where the file cannot be used.
    """

    skeleton = COCO_17

    def __init__(
        self,
        path: Path,
        skeleton: str | None = None,
        video: str = "",
        numbers: Sequence[int] | None = None,
    ) -> None:
        stored = read_stored(path, video)
        _check_pixels(path, stored)
        self._keypoints = _as_coco(path, stored, skeleton)
        self._path, self._stored = path, stored
        self._pictures = numbers if stored.counts == "pictures" else None

    def detect(self, frame: Frame) -> Detections:
        """The people that the file has in `frame`."""
        height, width = frame.rgb.shape[:2]
        if self._stored.size not in (None, (width, height)):
            made_for = " × ".join(map(str, self._stored.size or ()))
            raise InputError(
                f"{self._path}: made for frames of {made_for} px, these are {width} × {height}"
            )
        number = frame.index if self._pictures is None else self._pictures[frame.index]
        rows = slice(*np.searchsorted(self._stored.numbers, (number, number + 1)))
        keypoints, boxes = self._keypoints[rows], self._stored.boxes[rows]
        return Detections(
            frame.index, boxes[:, :4], boxes[:, 4], keypoints[..., :2], keypoints[..., 2],
            np.full_like(keypoints, np.nan), COCO_17,
        )  # fmt: skip

    def reset(self) -> None:
        """Nothing is remembered from frame to frame."""

    def close(self) -> None:
        """Nothing is held open."""


def _as_coco(path: Path, stored: StoredKeypoints, skeleton: str | None) -> Floats:
    if not len(stored.numbers):
        return np.zeros((0, len(COCO_17), 3), np.float32)
    try:
        return to_coco(stored.keypoints, _joints(path, stored, skeleton))
    except ValueError as error:
        raise InputError(f"{path}: {one_line(error)}") from error


def _joints(path: Path, stored: StoredKeypoints, skeleton: str | None) -> tuple[str, ...]:
    """The names of the stored keypoints, from the file or else by `skeleton`; `InputError` where that is not sure."""
    count = stored.keypoints.shape[1]
    if skeleton is None and stored.joints is None:
        fitting = " or ".join(name for name, layout in LAYOUTS.items() if layout.count == count)
        if not fitting:
            raise InputError(
                f"{path}: people of {count} keypoints, which is none of {', '.join(LAYOUTS)}"
            )
        raise InputError(
            f"{path}: {stored.made_by} does not say which its {count} keypoints are: add --keypoints-skeleton {fitting}"
        )
    if skeleton is None:
        return stored.joints or ()
    layout = LAYOUTS[skeleton]
    if stored.joints not in (None, layout.joints):
        raise InputError(
            f"{path}: names its own joints, which are not those of --keypoints-skeleton {skeleton}"
        )
    if layout.count != count:
        raise InputError(
            f"{path}: people of {count} keypoints, but --keypoints-skeleton {skeleton} has {layout.count}"
        )
    return layout.joints


def _check_pixels(path: Path, stored: StoredKeypoints) -> None:
    if len(stored.numbers) and np.nanmax(np.abs(stored.keypoints[..., :2])) <= 1:
        raise InputError(
            f"{path}: its places are parts of the picture, not pixels; OpenPose: --keypoint_scale 0"
        )
