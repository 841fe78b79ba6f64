"""Human3.6M: `data_3d_h36m.npz` and `data_2d_h36m_<keypoints>.npz`."""

from pathlib import Path

from core.archives import read_archive
from core.skeletons import H36M_17
from train.cameras import published_cameras
from train.layouts import flip_order, layout_of
from train.motion_data import MotionData, pair

FPS = 50.0

KEPT_JOINTS = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
"""The joints of `H36M_17` among the 32 captured, of which others stand still or repeat one of these."""


def load_h36m(data_dir: Path, keypoints: str) -> MotionData:
    """The data set with the 2D keypoints of that name; subjects without motion capture have no ground truth."""
    captured = read_archive(data_dir / "data_3d_h36m.npz", "positions_3d")["positions_3d"]
    positions = {
        subject: {action: joints[:, KEPT_JOINTS] for action, joints in actions.items()}
        for subject, actions in captured.items()
    }
    path = data_dir / f"data_2d_h36m_{keypoints}.npz"
    archive = read_archive(path, "positions_2d", "metadata")
    metadata = archive["metadata"]
    cameras = published_cameras("h36m")
    detections = archive["positions_2d"]
    by_subject = {subject: cameras.get(subject, cameras[""]) for subject in detections}
    clips = pair(str(path), by_subject, detections, positions)
    layout = layout_of(metadata, keypoints)
    return MotionData("h36m", H36M_17, layout, flip_order(metadata, len(layout)), clips, FPS)
