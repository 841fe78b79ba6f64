"""Our own `poses.npz`, of both versions."""

import json
from pathlib import Path

import numpy as np

from core.skeletons import COCO_17, COCO_21
from testkit.stored.common import Scene, without_feet


def our_poses(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """As `pipeline.export.npz` writes it, or wrote it before there were feet, by the people's
    keypoints; what it holds in 3D is left out here."""
    rows = [
        (frame, number, person)
        for frame, people in enumerate(scene)
        for number, person in enumerate(people, 1)
    ]
    count = len(rows[0][2]) if rows else len(COCO_21)
    people = np.array([person for *_, person in rows], np.float32).reshape(len(rows), count, 3)
    version, skeleton = (1, COCO_17) if count == len(COCO_17) else (2, COCO_21)
    metadata = {
        "format_version": version,
        "skeletons": {"keypoints": {"name": skeleton.name, "joints": skeleton.joints}},
        "video": {"width": size[0], "height": size[1]},
    }
    np.savez_compressed(
        folder / "poses.npz",
        frame_index=np.array([frame for frame, *_ in rows]),
        track_id=np.array([number for _, number, _ in rows]),
        keypoints_2d=people[..., :2],
        keypoint_scores=people[..., 2],
        metadata_json=json.dumps(metadata),
    )
    return folder / "poses.npz"


def our_poses_version_1(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    return our_poses(folder, without_feet(scene), size)
