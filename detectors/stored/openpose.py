"""OpenPose's JSON, one file a frame, in which Sports2D and Pose2Sim write too.

https://github.com/CMU-Perceptual-Computing-Lab/openpose/blob/master/doc/02_output.md. Nothing in it says which model,
and so which joints.
"""

from collections.abc import Mapping
from typing import Any

from detectors.stored.table import Row, StoredKeypoints, numbers_of, table


def is_openpose(data: Any) -> bool:
    """Whether parsed JSON is one frame."""
    return isinstance(data, dict) and isinstance(data.get("people"), list)


def read_openpose(frames: Mapping[str, Any]) -> StoredKeypoints:
    """Frames by the name of their file, in which the last number is the frame's."""
    numbers = numbers_of(frames)
    rows = (
        Row(numbers[name], keypoints)
        for name, frame in frames.items()
        for keypoints in map(_keypoints, frame["people"])
        if len(keypoints) > 1  # OpenPose leaves nobody's list empty, Sports2D puts one NaN there
    )
    return table("OpenPose's format", rows, counts="pictures")


def _keypoints(person: Mapping[str, Any]) -> Any:
    return (
        person["pose_keypoints_2d"] if "pose_keypoints_2d" in person else person["pose_keypoints"]
    )  # up to 2017
