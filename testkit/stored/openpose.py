"""Results of OpenPose."""

from pathlib import Path
from typing import Any

from core.types import Floats
from testkit.stored.common import Scene, flat, laid_out, write


def openpose_person(keypoints: Floats) -> dict[str, Any]:
    parts = (
        "face_keypoints_2d",
        "hand_left_keypoints_2d",
        "hand_right_keypoints_2d",
        "pose_keypoints_3d",
    )
    return {"person_id": [-1], "pose_keypoints_2d": flat(keypoints), **{part: [] for part in parts}}


def openpose(
    folder: Path,
    scene: Scene,
    size: tuple[int, int],
    layout: str = "body_25",
    name: str = "json/clip_{:012d}_keypoints.json",
) -> Path:
    for frame, people in enumerate(scene):
        found = [openpose_person(laid_out(person, layout)) for person in people]
        path = write(folder / name.format(frame), {"version": 1.3, "people": found})
    return path.parent


def openpose_coco(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    return openpose(folder, scene, size, "coco_18")
