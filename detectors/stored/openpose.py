"""OpenPose's JSON, one file for each frame, in which Sports2D and Pose2Sim write too.

https://github.com/CMU-Perceptual-Computing-Lab/openpose/blob/master/doc/02_output.md. Nothing in
it says which model wrote it, and so which joints it has.
"""

from collections.abc import Mapping
from typing import Any

from detectors.stored.base import StoredFormat
from detectors.stored.table import Row, StoredKeypoints, make_table, numbers_of


def is_openpose(content: Any) -> bool:
    """Whether parsed JSON is one frame."""
    return isinstance(content, dict) and isinstance(content.get("people"), list)


def read_openpose(frames: Mapping[str, Any], video: str) -> StoredKeypoints:
    """Read frames by the name of their file, in which the last number is the frame's."""
    numbers = numbers_of(frames)
    rows = (
        Row(numbers[name], keypoints)
        for name, frame in frames.items()
        for keypoints in map(_keypoints, frame["people"])
        # Where a person is missing, OpenPose writes an empty list, Sports2D one NaN.
        if len(keypoints) > 1
    )
    count = max(numbers.values()) + 1 if len(numbers) > 1 else None
    return make_table("OpenPose's format", rows, counts="pictures", frames=count)


def _keypoints(person: Mapping[str, Any]) -> Any:
    """The flat list of x, y, score, under its name of today or that of 2017 and before."""
    if "pose_keypoints_2d" in person:
        return person["pose_keypoints_2d"]
    return person["pose_keypoints"]


FORMATS = (StoredFormat(("OpenPose", "Sports2D"), "pictures", is_openpose, read_openpose),)
