"""The user's own videos: `data_2d_custom_<keypoints>.npz`, without ground truth.

The archive holds 2D keypoints and each video's size. All names that begin with `custom` are such
data sets: `-d custom2` reads `data_2d_custom2_<keypoints>.npz`.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.archives import read_archive
from core.errors import InputError
from core.skeletons import H36M_17, Skeleton
from core.types import Array, Floats, is_missing
from lifter.input_keypoints import fill_unseen
from train.cameras import published_cameras
from train.datasets.base import Dataset
from train.layouts import flip_order, keypoint_skeleton
from train.motion_data import MotionData, bridge_gaps, pair_clips


def load_custom(data_dir: Path, keypoints: str, name: str = "custom") -> MotionData:
    """Read an archive of videos, each a subject with the action `custom`.

    The orientation of their cameras is unknown. For drawing, it is taken from one of Human3.6M's
    cameras.

    Args:
        data_dir: The folder of the archive.
        keypoints: The name of the 2D keypoints.
        name: The data set's name, from `-d`.

    Raises:
        InputError: The archive cannot be read, or lacks a video's size.
    """
    path = data_dir / f"data_2d_{name}_{keypoints}.npz"
    archive = read_archive(path, "positions_2d", "metadata")
    metadata, detections = archive["metadata"], archive["positions_2d"]
    stand_in = replace(published_cameras("h36m")["S1"][0], lens=None)
    cameras = {}
    for video, actions in detections.items():
        size = metadata.get("video_metadata", {}).get(video)
        if size is None:
            raise InputError(f"{path}: the size of {video} is missing from its video_metadata")
        camera = replace(
            stand_in, name=video, width=int(size["w"]), height=int(size["h"]), fps=size.get("fps")
        )
        cameras[video] = [camera] * max(map(len, actions.values()), default=0)
    skeleton = keypoint_skeleton(metadata, keypoints)
    detections = {
        video: {name: [_found(view, skeleton) for view in views] for name, views in actions.items()}
        for video, actions in detections.items()
    }
    clips = pair_clips(str(path), cameras, detections, {})
    return MotionData(name, H36M_17, skeleton, flip_order(metadata, len(skeleton)), clips, None)


def _found(view: Array, skeleton: Skeleton) -> Floats:
    """Keypoints (T, K, 2 or more) px without those that were not found: these are interpolated."""
    keypoints = np.array(view, np.float32)
    points = keypoints[..., :2]
    points[is_missing(points)] = np.nan
    keypoints[..., :2] = fill_unseen(bridge_gaps(points), skeleton)
    return keypoints


DATASET = Dataset(("custom",), load_custom, is_prefix=True, has_ground_truth=False)
