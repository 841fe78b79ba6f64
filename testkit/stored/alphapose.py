"""Results of AlphaPose."""

from pathlib import Path
from typing import Any

from testkit.stored.common import Scene, flat, laid_out, write, xywh


def alphapose(folder: Path, scene: Scene, size: tuple[int, int], layout: str = "coco_17") -> Path:
    rows = [
        {
            "image_id": f"{frame}.jpg",
            "category_id": 1,
            "keypoints": flat(laid_out(person, layout)),
            "score": 2.9,
            "box": xywh(person),
            "idx": [float(number)],
        }
        for frame, people in enumerate(scene)
        for number, person in enumerate(people)
    ]
    return write(folder / "alphapose-results.json", rows)


def alphapose_open(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """`--format open` in one file: pictures by name, OpenPose's COCO."""
    return write(folder / "alphapose-results.json", _alphapose_pictures(scene, "open"))


def alphapose_cmu(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """`--format cmu` in a file for each picture; AlphaPose lists only those with people."""
    for name, picture in _alphapose_pictures(scene, "cmu").items():
        path = write(folder / "sep-json" / f"{name.partition('.')[0]}.json", picture)
    return path.parent


def _alphapose_pictures(scene: Scene, form: str) -> dict[str, Any]:
    people, joints = {"open": ("people", "pose_keypoints_2d"), "cmu": ("bodies", "joints")}[form]
    return {
        f"{frame}.jpg": {
            "version": "AlphaPose v0.3",
            people: [{joints: flat(laid_out(person, "coco_18"))} for person in in_frame],
        }
        for frame, in_frame in enumerate(scene)
        if in_frame
    }


def alphapose_halpe(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    return alphapose(folder, scene, size, "halpe_26")


def alphapose_whole_body(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    return alphapose(folder, scene, size, "coco_wholebody_133")
