"""Results of MMPose."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.skeletons import COCO_17
from core.types import Floats
from testkit.stored.common import Scene, without_feet, write, xywh, xyxy


def mmpose_instances(people: Sequence[Floats]) -> list[dict[str, Any]]:
    return [
        {
            "keypoints": person[:, :2].tolist(),
            "keypoint_scores": person[:, 2].tolist(),
            "bbox": [xyxy(person)],
            "bbox_score": 0.8,
        }
        for person in people
    ]


def mmpose_demo(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """Frames from 1, and the data set's description; its arrays as json_tricks writes them."""
    meta = {
        "dataset_name": "coco",
        "keypoint_id2name": {str(number): name for number, name in enumerate(COCO_17.joints)},
        "sigmas": {"__ndarray__": [0.026, 0.025], "dtype": "float32", "shape": [2]},
    }
    frames = [
        {"frame_id": frame, "instances": mmpose_instances(people)}
        for frame, people in enumerate(without_feet(scene), 1)
    ]
    return write(folder / "results_clip.json", {"meta_info": meta, "instance_info": frames})


def mmpose_inferencer(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    frames = [
        {"frame_id": frame, "instances": mmpose_instances(people)}
        for frame, people in enumerate(without_feet(scene))
    ]
    return write(folder / "predictions" / "clip.json", frames)


def mmpose_0x(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """`tools/test.py --out`: batches of people."""
    batches = []
    for frame, people in enumerate(without_feet(scene)):
        boxes = []
        for person in people:
            x, y, width, height = xywh(person)
            boxes.append(
                [x + width / 2, y + height / 2, width / 200, height / 200, width * height, 0.9]
            )
        batches.append(
            {
                "preds": [person.tolist() for person in people],
                "boxes": boxes,
                "bbox_ids": list(range(len(people))),
                "image_paths": [f"/data/frames/{frame:06d}.jpg" for _ in people],
                "output_heatmap": None,
            }
        )
    return write(folder / "results.json", batches)
