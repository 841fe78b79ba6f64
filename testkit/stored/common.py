"""What the writers of all formats share."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.skeletons import COCO_17, COCO_21
from core.types import Floats
from detectors.stored.layouts import LAYOUTS

Scene = Sequence[Sequence[Floats]]
"""Frame by frame the people in it, each (17, 3) or (21, 3): x, y px and score, as COCO-17 or -21;
where a format has COCO's 17 or a skeleton no feet, these are left out."""


def laid_out(person: Floats, layout: str) -> Floats:
    """The same person in another order: joints between two others in their middle."""
    between = {
        "neck": "shoulder",
        "mid_hip": "hip",
        "hip": "hip",
        "pelvis": "hip",
        "thorax": "shoulder",
    }
    keypoints = np.zeros((LAYOUTS[layout].count, 3))
    for joint, name in enumerate(LAYOUTS[layout].joints):
        name = name.replace("l_", "left_", 1) if name.startswith("l_") else name
        name = name.replace("r_", "right_", 1) if name.startswith("r_") else name
        name = name.replace("foot_index", "big_toe")
        if name in COCO_21.joints[: len(person)]:
            keypoints[joint] = person[COCO_21.index(name)]
        elif name in between:
            sides = COCO_17.indices((f"left_{between[name]}", f"right_{between[name]}"))
            keypoints[joint] = person[sides].mean(0)
    return keypoints


def flat(keypoints: Floats) -> list[float]:
    return [round(float(value), 4) for value in keypoints.ravel()]


def xywh(person: Floats) -> list[float]:
    low, high = person[:, :2].min(0), person[:, :2].max(0)
    return [*low.tolist(), *(high - low).tolist()]


def xyxy(person: Floats) -> list[float]:
    return [*person[:, :2].min(0).tolist(), *person[:, :2].max(0).tolist()]


def write(path: Path, data: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


def without_feet(scene: Scene) -> Scene:
    """People as COCO-17."""
    return [[person[: len(COCO_17)] for person in people] for people in scene]
