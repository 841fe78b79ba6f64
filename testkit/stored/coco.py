"""COCO's results and data sets."""

from pathlib import Path

from core.skeletons import COCO_17
from testkit.stored.common import Scene, flat, without_feet, write, xywh


def coco_results(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    rows = [
        {"image_id": frame, "category_id": 1, "keypoints": flat(person), "score": 0.9}
        for frame, people in enumerate(without_feet(scene))
        for person in people
    ]
    return write(folder / "results.json", rows)


def coco_data_set(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """Annotations with images and categories; image ids are anything."""
    images = [
        {"id": 7000 + frame, "file_name": f"frames/{frame:06d}.jpg"} for frame in range(len(scene))
    ]
    annotations = [
        {
            "id": frame,
            "image_id": 7000 + frame,
            "category_id": 1,
            "bbox": xywh(person),
            "iscrowd": 0,
            "keypoints": flat(person),
        }
        for frame, people in enumerate(without_feet(scene))
        for person in people
    ]
    categories = [
        {"id": 1, "name": "person", "keypoints": list(COCO_17.joints)},
        {"id": 2, "name": "bicycle"},
    ]
    return write(
        folder / "data.json",
        {"images": images, "annotations": annotations, "categories": categories},
    )
