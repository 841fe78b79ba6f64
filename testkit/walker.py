"""A walking person of fixed bone lengths, whose joints in 3D and keypoints in px are known."""

import numpy as np

from core.camera import project
from core.skeletons import COCO_17, COCO_21, H36M_17, H36M_21
from core.types import Floats, Intrinsics, LifterInput

CAMERA = Intrinsics(1200.0, 1200.0, 960.0, 540.0, "given")
_FACE = {
    "nose": "neck_base", "left_eye": "head_top", "right_eye": "head_top", "left_ear": "neck_base",
    "right_ear": "neck_base",
}  # fmt: skip


def walking(frames: int = 120, fps: float = 30.0) -> Floats:
    """Joints of a person who walks on the spot, seen half from the side.

    Args:
        frames: T.
        fps: Frames per second; a stride takes one second.

    Returns:
        (T, 17, 3) metres relative to the pelvis, camera axes, `H36M_17`.
    """
    swing = np.sin(np.arange(frames) / fps * 2 * np.pi)[:, None]
    j = {name: np.zeros((frames, 3)) for name in H36M_17.joints}
    for side, sign in (("r", -1.0), ("l", 1.0)):
        leg_swing = sign * swing * [0.5, 0.0, 0.5]
        j[f"{side}_hip"] += [0.09 * -sign, 0.0, 0.09 * sign]
        j[f"{side}_knee"] = j[f"{side}_hip"] + _bone(leg_swing, 0.42)
        j[f"{side}_ankle"] = j[f"{side}_knee"] + _bone(leg_swing * 0.6, 0.42)
    j["spine"] += [0.0, -0.23, 0.0]
    j["thorax"] += [0.0, -0.45, 0.0]
    j["neck_base"] += [0.03, -0.55, 0.03]
    j["head_top"] += [0.0, -0.7, 0.0]
    for side, sign in (("r", -1.0), ("l", 1.0)):
        arm_swing = -sign * swing * [0.4, 0.0, 0.4]
        j[f"{side}_shoulder"] = j["thorax"] + [0.17 * -sign, 0.03, 0.17 * sign]
        j[f"{side}_elbow"] = j[f"{side}_shoulder"] + _bone(arm_swing, 0.28)
        j[f"{side}_wrist"] = j[f"{side}_elbow"] + _bone(arm_swing * 1.5, 0.25)
    return np.stack([j[name] for name in H36M_17.joints], 1)


def with_feet(joints: Floats) -> Floats:
    """A person whose feet stay level and point where they walk.

    Args:
        joints: (T, 17, 3) metres, as `walking` gives them.

    Returns:
        (T, 21, 3) metres, `H36M_21`.
    """
    ahead = np.array([1.0, 0.0, 1.0]) / np.sqrt(2)
    feet = [
        joints[:, H36M_17.index(f"{name[0]}_ankle")] + [0, 0.08, 0] + _FOOT_M[name[2:]] * ahead
        for name in H36M_21.joints[len(H36M_17) :]
    ]
    return np.concatenate([joints, np.stack(feet, 1)], 1)


_FOOT_M = {"heel": -0.05, "toe": 0.2}


def _bone(aside: Floats, length: float) -> Floats:
    """Bones (T, 3) of `length` that point down and, by `aside` (T, 3), sideways."""
    down = np.broadcast_to([0.0, 1.0, 0.0], aside.shape) + aside
    return length * down / np.linalg.norm(down, axis=1, keepdims=True)


def keypoints(joints: Floats, root: Floats, camera: Intrinsics = CAMERA) -> Floats:
    """Project a person into the picture.

    Args:
        joints: (T, 17, 3) or (T, 21, 3) metres relative to the pelvis, `H36M_17` or `H36M_21`.
        root: (T, 3) metres, the pelvis in camera space.
        camera: The camera.

    Returns:
        (T, 17, 2) or (T, 21, 2) px, COCO-17 or -21; eyes, ears and nose lie at the head's joints.
    """
    in_camera = joints + root[:, None]
    names = [
        _FACE.get(name, name.replace("left", "l").replace("right", "r").replace("big_", ""))
        for name in COCO_21.joints[: joints.shape[1]]
    ]
    return project(in_camera[:, H36M_21.indices(tuple(names))], camera)


def sequence_of(points: Floats, scores: Floats | None = None) -> LifterInput:
    """Keypoints as a lifter takes them, at 30 Hz.

    Args:
        points: (T, 17, 2) or (T, 21, 2) px, COCO-17 or -21.
        scores: (T, K); 0.9 everywhere if not given.
    """
    scores = np.full(points.shape[:2], 0.9) if scores is None else scores
    no_3d = np.full((*points.shape[:2], 3), np.nan)
    skeleton = COCO_17 if points.shape[1] == len(COCO_17) else COCO_21
    return LifterInput(np.arange(len(points)) / 30, points, scores, no_3d, 30.0, skeleton)


def moving_root(frames: int) -> Floats:
    """A pelvis' path (T, 3) through camera space, metres."""
    t = np.arange(frames) / 30
    return np.stack([-1 + 0.8 * t, 0.1 * np.sin(3 * t), 5 + 0.5 * t], 1)
