"""This project's own `poses.npz`."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from detectors.stored.base import StoredFormat
from detectors.stored.table import Row, StoredKeypoints, make_table

_MAX_METADATA = 1 << 24  # characters: a thousand times what there are


def is_poses(arrays: Mapping[str, Any]) -> bool:
    """Whether an archive is one."""
    return {"frame_index", "keypoints_2d", "keypoint_scores", "metadata_json"} <= arrays.keys()


def read_poses(arrays: Mapping[str, Any], video: str) -> StoredKeypoints:
    """Read its 2D keypoints, which were smoothed unless the run was asked not to.

    Those that were filled in have the score 0 and count as missing.
    """
    text = str(arrays["metadata_json"])
    if len(text) > _MAX_METADATA:
        raise ValueError(f"metadata_json of {len(text)} characters")
    metadata = json.loads(text)
    joints, info = metadata["skeletons"]["keypoints"]["joints"], metadata["video"]
    people = np.concatenate([arrays["keypoints_2d"], arrays["keypoint_scores"][..., None]], -1)
    rows = (
        Row(int(number), one) for number, one in zip(arrays["frame_index"], people, strict=True)
    )
    size = int(info["width"]), int(info["height"])
    is_smoothed = metadata.get("config", {}).get("smooth", "none") != "none"
    return make_table("poses.npz", rows, joints, size, is_smoothed=is_smoothed)


FORMATS = (StoredFormat(("poses.npz",), "archive", is_poses, read_poses),)
