"""Human3.6M: `data_3d_h36m.npz` and `data_2d_h36m_<keypoints>.npz`."""

from pathlib import Path

from core.archives import read_archive
from core.skeletons import H36M_17
from train.cameras import published_cameras
from train.datasets.base import Dataset
from train.layouts import flip_order, keypoint_skeleton
from train.motion_data import MotionData, pair_clips

FPS = 50.0

KEPT_JOINTS = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
"""The joints of `H36M_17` among the 32 captured. The others never move or repeat one of these."""


def load_h36m(data_dir: Path, keypoints: str, name: str = "h36m") -> MotionData:
    """Read Human3.6M. Subjects without motion capture have no ground truth.

    Args:
        data_dir: The folder of the archives.
        keypoints: The name of the 2D keypoints.
        name: The data set's name, from `-d`.

    Raises:
        InputError: An archive cannot be read, or 2D and 3D don't belong together.
    """
    captured = read_archive(data_dir / f"data_3d_{name}.npz", "positions_3d")["positions_3d"]
    positions = {
        subject: {action: joints[:, KEPT_JOINTS] for action, joints in actions.items()}
        for subject, actions in captured.items()
    }
    path = data_dir / f"data_2d_{name}_{keypoints}.npz"
    archive = read_archive(path, "positions_2d", "metadata")
    metadata, detections = archive["metadata"], archive["positions_2d"]
    cameras = published_cameras("h36m")
    by_subject = {subject: cameras.get(subject, cameras[""]) for subject in detections}
    clips = pair_clips(str(path), by_subject, detections, positions)
    skeleton = keypoint_skeleton(metadata, keypoints)
    return MotionData(name, H36M_17, skeleton, flip_order(metadata, len(skeleton)), clips, FPS)


DATASET = Dataset(("h36m",), load_h36m, has_lenses=True)
