"""Keypoints made elsewhere and stored in a file, as a detector: it looks up what a network would
find."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import InputError, one_line
from core.skeletons import COCO_21
from core.types import Detections, Floats, Frame, VideoInfo
from detectors.stored.formats import read_stored
from detectors.stored.layouts import LAYOUTS, disproportion, likelier_layout, to_coco
from detectors.stored.table import StoredKeypoints

_MISSHAPEN = 0.5  # `disproportion` that no person has, however they stand to the camera
_LOW_SCORE = 0.4  # of people; tracking begins none below
_OUTSIDE_SHARE = 0.1  # of people; some leave the picture
_SAME_LENGTH = 2  # frames by which programs count the same video differently


class Replay:
    """The people of one video, as COCO-21, from a file or folder of stored keypoints.

    Args:
        path: A file or folder in a format of `detectors.stored`.
        layout: The order of the keypoints, a key of `LAYOUTS`, where the file does not name it.
    """

    skeleton = COCO_21

    def __init__(self, path: Path, layout: str | None = None) -> None:
        self._path, self._layout = path, layout

    def begin(self, video: VideoInfo, picture_numbers: Sequence[int] | None = None) -> None:
        """Read the people of a video.

        Args:
            video: Its name chooses where a file holds several videos.
            picture_numbers: The numbers in pictures' names, frame by frame, if the clip is a folder
                of pictures; files that count pictures are looked up by them.

        Raises:
            InputError: The file cannot be used.
        """
        self._stored = read_stored(self._path, video.path.stem)
        _check_pixels(self._path, self._stored)
        self._keypoints = _select_coco(self._path, self._stored, self._layout)
        self._picture_numbers = picture_numbers if self._stored.counts == "pictures" else None

    def detect(self, frame: Frame) -> Detections:
        """Look up the people of a frame.

        Raises:
            InputError: The file was made for frames of another size.
        """
        height, width = frame.rgb.shape[:2]
        if self._stored.size not in (None, (width, height)):
            made_for = " × ".join(map(str, self._stored.size or ()))
            raise InputError(
                f"{self._path}: made for frames of {made_for} px, these are {width} × {height}"
            )
        numbers = self._picture_numbers
        number = frame.index if numbers is None else numbers[frame.index]
        rows = slice(*np.searchsorted(self._stored.numbers, (number, number + 1)))
        keypoints, boxes = self._keypoints[rows], self._stored.boxes[rows]
        return Detections(
            frame.index,
            boxes[:, :4],
            boxes[:, 4],
            keypoints[..., :2],
            keypoints[..., 2],
            np.full_like(keypoints, np.nan),
            COCO_21,
        )

    @property
    def is_smoothed(self) -> bool:
        """Whether the file's keypoints were smoothed in time."""
        return self._stored.is_smoothed

    def warnings(self, video: VideoInfo) -> tuple[str, ...]:
        """Say where the keypoints do not seem to be this video's, or those of a person."""
        stored = self._stored
        found = [_scores_warning(stored), self._layout_warning(), _place_warning(stored, video)]
        if self._picture_numbers is None:
            found.append(_length_warning(stored, video))
        elif len(stored.numbers) and not np.isin(stored.numbers, self._picture_numbers).any():
            found.append("none of the numbers in its pictures' names is one of the clip's")
        return tuple(f"{self._path}: {warning}" for warning in found if warning)

    def _layout_warning(self) -> str:
        """What is odd about the people's proportions, "" for nothing."""
        if not len(self._stored.numbers):
            return ""
        if self._layout is not None and self._stored.joints is None:
            likelier = likelier_layout(self._stored.keypoints, self._layout)
            if likelier is not None:
                return (
                    f"people are misshapen as {self._layout} and not as {likelier}: try"
                    f" --keypoints-skeleton {likelier}"
                )
        if disproportion(self._keypoints) > _MISSHAPEN:
            return "people's limbs have no human proportions: their joints seem to be mixed up"
        return ""

    def close(self) -> None:
        """Do nothing: no file is open."""


def _scores_warning(stored: StoredKeypoints) -> str:
    """What is odd about the scores, "" for nothing."""
    if stored.people_without_score and not len(stored.numbers):
        return (
            f"all keypoints of its {stored.people_without_score} people have the score 0,"
            " which means not seen"
        )
    if len(stored.numbers) and stored.boxes[:, 4].max() < _LOW_SCORE:
        return (
            f"its people have scores of at most {stored.boxes[:, 4].max():.2f}, and those below"
            f" {_LOW_SCORE:g} are not taken for people"
        )
    return ""


def _place_warning(stored: StoredKeypoints, video: VideoInfo) -> str:
    """Where people are that no picture of the video can show, "" for nowhere."""
    if not len(stored.numbers):
        return ""
    middle = np.nanmedian(stored.keypoints[..., :2], axis=1)
    size = np.array([video.width, video.height])
    outside = ((middle < 0) | (middle > size)).any(1).mean()
    if outside < _OUTSIDE_SHARE:
        return ""
    return (
        f"{outside:.0%} of its people lie outside the picture of {video.width} × {video.height}:"
        " it seems to be made for another size or another video"
    )


def _length_warning(stored: StoredKeypoints, video: VideoInfo) -> str:
    """How the file's frames and the video's differ, "" where they agree or either is unknown."""
    frames = video.frame_count
    last = int(stored.numbers[-1]) + 1 if len(stored.numbers) else 0
    count = max(stored.frames or 0, last)
    if frames is None:
        return ""
    if count > frames + _SAME_LENGTH:
        return (
            f"has keypoints for {count} frames, and the video has {frames}: the rest is left out;"
            " it seems to be made for another video or frame rate"
        )
    if stored.frames is not None and count < frames - _SAME_LENGTH:
        return (
            f"ends after {count} of the video's {frames} frames: it seems to be made for another"
            " video or frame rate"
        )
    return ""


def _check_pixels(path: Path, stored: StoredKeypoints) -> None:
    """Refuse coordinates in 0…1."""
    if len(stored.numbers) and np.nanmax(np.abs(stored.keypoints[..., :2])) <= 1:
        raise InputError(
            f"{path}: its positions are parts of the picture, not pixels;"
            " OpenPose: --keypoint_scale 0"
        )


def _select_coco(path: Path, stored: StoredKeypoints, layout: str | None) -> Floats:
    """The stored keypoints as COCO-21 (R, 21, 3)."""
    if not len(stored.numbers):
        return np.zeros((0, len(COCO_21), 3), np.float32)
    try:
        return to_coco(stored.keypoints, _joint_names(path, stored, layout))
    except ValueError as error:
        raise InputError(f"{path}: {one_line(error)}") from error


def _joint_names(path: Path, stored: StoredKeypoints, layout_name: str | None) -> tuple[str, ...]:
    """The names of the stored keypoints, from the file or the layout; never from their count."""
    count = stored.keypoints.shape[1]
    if layout_name is None and stored.joints is None:
        fitting = " or ".join(name for name, layout in LAYOUTS.items() if layout.count == count)
        if not fitting:
            raise InputError(
                f"{path}: people of {count} keypoints, which is none of {', '.join(LAYOUTS)}"
            )
        raise InputError(
            f"{path}: {stored.made_by} does not say which its {count} keypoints are:"
            f" add --keypoints-skeleton {fitting}"
        )
    if layout_name is None:
        return stored.joints or ()
    layout = LAYOUTS[layout_name]
    if stored.joints not in (None, layout.joints):
        raise InputError(
            f"{path}: names its own joints, which are not those of"
            f" --keypoints-skeleton {layout_name}"
        )
    if layout.count != count:
        raise InputError(
            f"{path}: people of {count} keypoints, but --keypoints-skeleton {layout_name}"
            f" has {layout.count}"
        )
    return layout.joints
