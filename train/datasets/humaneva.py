"""HumanEva-I: `data_3d_humaneva15.npz` and `data_2d_humaneva15_<keypoints>.npz`, or with 20 joints.

Its subjects are named by split, such as `Train/S1`. Those without ground truth start with
`Unlabeled/`.
"""

from pathlib import Path

from core.archives import read_archive
from train.cameras import Camera, published_cameras
from train.datasets.base import Dataset
from train.layouts import LAYOUTS, flip_order, keypoint_skeleton
from train.motion_data import MotionData, pair_clips

FPS = 60.0


def load_humaneva(data_dir: Path, keypoints: str, name: str) -> MotionData:
    """Read HumanEva-I.

    Args:
        data_dir: The folder of the archives.
        keypoints: The name of the 2D keypoints.
        name: The data set's name, `humaneva15` or `humaneva20`, by its number of joints.

    Raises:
        InputError: An archive cannot be read, or 2D and 3D don't belong together.
    """
    positions = read_archive(data_dir / f"data_3d_{name}.npz", "positions_3d")["positions_3d"]
    path = data_dir / f"data_2d_{name}_{keypoints}.npz"
    archive = read_archive(path, "positions_2d", "metadata")
    metadata, detections = archive["metadata"], archive["positions_2d"]
    cameras = {subject: _cameras(subject) for subject in detections}
    clips = pair_clips(str(path), cameras, detections, positions)
    skeleton = keypoint_skeleton(metadata, keypoints)
    return MotionData(
        name, LAYOUTS[name], skeleton, flip_order(metadata, len(skeleton)), clips, FPS
    )


def _cameras(subject: str) -> list[Camera]:
    """The cameras of `Train/S1`, `Unlabeled/Train/S1` and so on."""
    cameras = published_cameras("humaneva")
    return cameras.get(subject.rpartition("/")[2], cameras[""])


DATASET = Dataset(("humaneva15", "humaneva20"), load_humaneva)
