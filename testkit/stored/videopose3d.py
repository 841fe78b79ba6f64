"""Files of VideoPose3D."""

from pathlib import Path
from typing import Any

import numpy as np

from core.skeletons import COCO_17
from testkit.stored.common import Scene, without_feet, xyxy


def videopose3d_custom(folder: Path, scene: Scene, size: tuple[int, int], **metadata: Any) -> Path:
    """As its `prepare_data_2d_custom.py`: one person a video; here an entry for each person."""
    scene = without_feet(scene)
    count = len(scene[0])
    positions = {
        f"clip.mp4_{number + 1}": {
            "custom": [np.float32([people[number][:, :2] for people in scene])]
        }
        for number in range(count)
    }
    sizes = {name: {"w": size[0], "h": size[1]} for name in positions}
    known = {
        "layout_name": "coco",
        "num_joints": 17,
        "keypoints_symmetry": [list(COCO_17.left), list(COCO_17.right)],
    }
    path = folder / "data_2d_custom_mine.npz"
    np.savez_compressed(
        path, positions_2d=positions, metadata={**known, "video_metadata": sizes, **metadata}
    )
    return path


def videopose3d_dump(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """As its `infer_video_d2.py`: by frame and class; rows x, y, logit, probability."""
    scene = without_feet(scene)
    boxes, keypoints = np.empty((len(scene), 2), object), np.empty((len(scene), 2), object)
    for frame, people in enumerate(scene):
        boxes[frame, 0], keypoints[frame, 0] = [], []
        boxes[frame, 1] = np.float32([[*xyxy(person), 0.97] for person in people]) if people else []
        rows = [np.stack([*person[:, :2].T, np.zeros(17), person[:, 2]]) for person in people]
        keypoints[frame, 1] = np.float32(rows) if people else []
    path = folder / "clip.mp4.npz"
    metadata = {"w": size[0], "h": size[1]}
    np.savez_compressed(
        path, boxes=boxes, segments=np.array(None), keypoints=keypoints, metadata=metadata
    )
    return path
