"""HumanEva-I: `data_3d_humaneva15.npz` and `data_2d_humaneva15_<keypoints>.npz`, or the same with 20 joints.

Its subjects are named by split, such as `Train/S1`; what has no ground truth starts with `Unlabeled/`.
"""

from pathlib import Path

from core.archives import read_archive
from train.cameras import Camera, published_cameras
from train.layouts import LAYOUTS, flip_order, layout_of
from train.motion_data import MotionData, pair

FPS = 60.0


def load_humaneva(data_dir: Path, name: str, keypoints: str) -> MotionData:
    """The data set `humaneva15` or `humaneva20` with the 2D keypoints of that name."""
    positions = read_archive(data_dir / f"data_3d_{name}.npz", "positions_3d")["positions_3d"]
    path = data_dir / f"data_2d_{name}_{keypoints}.npz"
    archive = read_archive(path, "positions_2d", "metadata")
    metadata, detections = archive["metadata"], archive["positions_2d"]
    clips = pair(
        str(path), {subject: _cameras(subject) for subject in detections}, detections, positions
    )
    layout = layout_of(metadata, keypoints)
    return MotionData(name, LAYOUTS[name], layout, flip_order(metadata, len(layout)), clips, FPS)


def _cameras(subject: str) -> list[Camera]:
    cameras = published_cameras("humaneva")
    return cameras.get(subject.rpartition("/")[2], cameras[""])
