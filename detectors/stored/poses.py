"""This project's own `poses.npz`."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from detectors.stored.table import Row, StoredKeypoints, table


def is_poses(archive: Mapping[str, Any]) -> bool:
    """Whether an archive is one."""
    return {"frame_index", "keypoints_2d", "keypoint_scores", "metadata_json"} <= archive.keys()


def read_poses(archive: Mapping[str, Any]) -> StoredKeypoints:
    """Its 2D keypoints; those that were filled in have the score 0, and count as not seen."""
    metadata = json.loads(str(archive["metadata_json"]))
    joints, video = metadata["skeletons"]["keypoints"]["joints"], metadata["video"]
    people = np.concatenate([archive["keypoints_2d"], archive["keypoint_scores"][..., None]], -1)
    rows = (
        Row(int(number), one) for number, one in zip(archive["frame_index"], people, strict=True)
    )
    return table("poses.npz", rows, joints, (int(video["width"]), int(video["height"])))
