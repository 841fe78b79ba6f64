"""A made-up person to film: a body of fixed bone lengths that walks, so that every truth is known."""

import numpy as np

from core.camera import project
from core.skeletons import COCO_17, H36M_17
from core.types import Floats, Intrinsics, LifterInput

CAMERA = Intrinsics(1200.0, 1200.0, 960.0, 540.0, "given")


def walking(frames: int = 120, fps: float = 30.0) -> Floats:
    """Joints (T, 17, 3) relative to the pelvis, camera axes (y down): arms and legs swing, seen half from the side."""
    swing = np.sin(np.arange(frames) / fps * 2 * np.pi)[:, None]
    j = {name: np.zeros((frames, 3)) for name in H36M_17.joints}
    for side, sign in (("r", -1.0), ("l", 1.0)):
        ahead = sign * swing * [0.5, 0.0, 0.5]
        j[f"{side}_hip"] += [0.09 * -sign, 0.0, 0.09 * sign]
        j[f"{side}_knee"] = j[f"{side}_hip"] + _bone(ahead, 0.42)
        j[f"{side}_ankle"] = j[f"{side}_knee"] + _bone(ahead * 0.6, 0.42)
    j["spine"] += [0.0, -0.23, 0.0]
    j["thorax"] += [0.0, -0.45, 0.0]
    j["neck_base"] += [0.03, -0.55, 0.03]
    j["head_top"] += [0.0, -0.7, 0.0]
    for side, sign in (("r", -1.0), ("l", 1.0)):
        ahead = -sign * swing * [0.4, 0.0, 0.4]
        j[f"{side}_shoulder"] = j["thorax"] + [0.17 * -sign, 0.03, 0.17 * sign]
        j[f"{side}_elbow"] = j[f"{side}_shoulder"] + _bone(ahead, 0.28)
        j[f"{side}_wrist"] = j[f"{side}_elbow"] + _bone(ahead * 1.5, 0.25)
    return np.stack([j[name] for name in H36M_17.joints], 1)


def _bone(aside: Floats, length: float) -> Floats:
    down = np.broadcast_to([0.0, 1.0, 0.0], aside.shape) + aside
    return length * down / np.linalg.norm(down, axis=1, keepdims=True)


def keypoints(joints: Floats, root: Floats, camera: Intrinsics = CAMERA) -> Floats:
    """COCO-17 px (T, 17, 2) of joints (T, 17, 3) at root (T, 3); the face stands in around the head."""
    placed = joints + root[:, None]
    names = [
        _H36M_OF.get(name, name.replace("left", "l").replace("right", "r"))
        for name in COCO_17.joints
    ]
    return project(placed[:, H36M_17.indices(tuple(names))], camera)


_H36M_OF = {"nose": "neck_base", "left_eye": "head_top", "right_eye": "head_top", "left_ear": "neck_base",
            "right_ear": "neck_base"}  # fmt: skip


def sequence_of(points: Floats, scores: Floats | None = None) -> LifterInput:
    """Keypoints (T, 17, 2) px at 30 Hz, all seen if no scores (T, 17) are given, as a lifter takes them."""
    scores = np.full(points.shape[:2], 0.9) if scores is None else scores
    nothing = np.full((*points.shape[:2], 3), np.nan)
    return LifterInput(np.arange(len(points)) / 30, points, scores, nothing, 30.0, COCO_17)


def moving_root(frames: int) -> Floats:
    """A pelvis' path (T, 3) through camera space."""
    t = np.arange(frames) / 30
    return np.stack([-1 + 0.8 * t, 0.1 * np.sin(3 * t), 5 + 0.5 * t], 1)
