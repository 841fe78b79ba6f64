"""People whose motion is known, in world axes: one walks on the ground, one tumbles in the air."""

import numpy as np
from numpy.typing import NDArray

from core.kinematics import BONES, PARENTS, RestPose, rest_pose, rigid_joints
from core.rotations import from_quaternions
from core.skeletons import H36M_21
from core.types import Floats

FPS = 30.0
_STRIDE_S, _STEP_M, _LIFT_M = 1.2, 0.5, 0.12
_THIGH_M, _SHIN_M, _ANKLE_M = 0.43, 0.43, 0.08
_FOOT = np.array([[0.0, 0.0, -_ANKLE_M], [0.0, 0.19, -_ANKLE_M], [0.0, -0.06, -_ANKLE_M]])
"""Of the ankle, toe and heel under it, y forward; rows: below the ankle, toe, heel."""


def in_t_pose() -> dict[str, Floats]:
    """Joints of a person in a T, metres, x to their left, y up, z forward."""
    at = {
        "pelvis": (0, 1.0, 0), "spine": (0, 1.25, 0), "thorax": (0, 1.5, 0),
        "neck_base": (0, 1.6, 0), "head_top": (0, 1.8, 0),
    }  # fmt: skip
    for side, x in (("l", 1), ("r", -1)):
        outward = np.array([x, 0, 0])
        shoulder = np.array([0.17 * x, 1.5 - 0.17 * np.tan(np.radians(17)), 0])
        own = {
            "hip": (0.12 * x, 1.0, 0), "knee": (0.12 * x, 0.55, 0), "ankle": (0.12 * x, 0.08, 0),
            "heel": (0.12 * x, 0, -0.06), "toe": (0.12 * x, 0, 0.19), "shoulder": shoulder,
            "elbow": shoulder + outward * 0.28, "wrist": shoulder + outward * 0.53,
        }  # fmt: skip
        at |= {f"{side}_{name}": position for name, position in own.items()}
    return {name: np.array(position, float) for name, position in at.items()}


def t_pose_rest() -> RestPose:
    """The rest pose of `in_t_pose`."""
    at = in_t_pose()
    return rest_pose(np.stack([at[name] for name in H36M_21.joints])[None], H36M_21)


def striding(frames: int, stretch: float = 0.0) -> tuple[Floats, NDArray[np.bool_]]:
    """A person who walks along y, each foot flat on the ground for half of a stride and more.

    Args:
        frames: T, 30 a second.
        stretch: By which share the bones of the legs grow and shrink, as those of lifted poses do.

    Returns:
        Joints (T, 21, 3), metres, z up, and contacts (T, 4).
    """
    t = np.arange(frames) / FPS
    at = {name: np.zeros((frames, 3)) for name in H36M_21.joints}
    contacts = np.zeros((frames, 4), bool)
    pelvis = np.stack([0.01 * np.sin(5 * t), t * 2 * _STEP_M / _STRIDE_S, 0.86 + 0 * t], 1)
    for name, height in (
        ("pelvis", 0.0), ("spine", 0.25), ("thorax", 0.5), ("neck_base", 0.6), ("head_top", 0.8),
    ):  # fmt: skip
        at[name] = pelvis + np.array([0, 0, height])
    for index, (side, x) in enumerate((("l", -1.0), ("r", 1.0))):
        phase = t / _STRIDE_S + 0.5 * index
        swing = np.clip((phase % 1 - 0.6) / 0.4, 0, 1)  # of a stride, the last 0.4
        smooth = swing**2 * (3 - 2 * swing)
        ankle = np.stack(
            [0.12 * x + 0 * t, (np.floor(phase) - 0.5 * index + smooth + 0.3) * 2 * _STEP_M,
             _ANKLE_M + _LIFT_M * np.sin(np.pi * swing) ** 2], 1,
        )  # fmt: skip
        contacts[:, 2 * index : 2 * index + 2] = (swing == 0)[:, None]
        hip = pelvis + np.array([0.12 * x, 0, 0])
        grown = 1 + stretch * np.sin(3 * t + index)
        at[f"{side}_hip"], at[f"{side}_ankle"] = hip, ankle
        at[f"{side}_knee"] = _knee(hip, ankle, _THIGH_M * grown, _SHIN_M * grown)
        at[f"{side}_toe"], at[f"{side}_heel"] = ankle + _FOOT[1], ankle + _FOOT[2]
        shoulder = at["thorax"] + [0.17 * x, 0, -0.05]
        arm = np.stack([0.1 * x + 0 * t, np.sin(2 * np.pi * phase) * 0.4, -1 + 0 * t], 1)
        arm /= np.linalg.norm(arm, axis=1, keepdims=True)
        at[f"{side}_shoulder"], at[f"{side}_elbow"] = shoulder, shoulder + 0.28 * arm
        forearm = arm + np.array([0, 0.4, 0.1])
        forearm /= np.linalg.norm(forearm, axis=1, keepdims=True)
        at[f"{side}_wrist"] = at[f"{side}_elbow"] + 0.25 * forearm
    return np.stack([at[name] for name in H36M_21.joints], 1), contacts


def tumbling(frames: int, seed: int = 0) -> Floats:
    """A person who turns over and over, limbs in all directions: joints (T, 21, 3), z up."""
    random, t = np.random.default_rng(seed), np.arange(frames) / FPS
    rotations = np.zeros((frames, len(BONES), 3, 3))
    for bone, parent in enumerate(PARENTS):
        swings = np.stack(
            [random.uniform(0.2, 0.45) * np.sin(random.uniform(1, 2.5) * t + random.uniform(0, 6))
             for _ in range(3)], 1,
        )  # fmt: skip
        limb = BONES[bone][2:]
        if limb == "shin":  # bends backward only
            swings = np.stack([0.5 + swings[:, 0], 0 * t, 0 * t], 1)
        elif limb == "forearm":
            swings = np.stack([0 * t, -(0.6 + swings[:, 1]) * (1 if BONES[bone][0] == "l" else -1),
                               0 * t], 1)  # fmt: skip
        elif bone == 0:
            swings = np.stack([1.1 * t, 0.3 * np.sin(t), 0.7 * np.sin(0.8 * t)], 1)
        elif limb in ("hand", "toes") or BONES[bone] == "upper_chest":
            swings *= 0
        own = _turned(swings)
        rotations[:, bone] = own if parent < 0 else rotations[:, parent] @ own
    root = np.stack([2 + 0.3 * np.sin(t), 1.5 + 0.2 * np.cos(t), 0.4 * np.sin(2 * t)], 1)
    joints = rigid_joints(rotations, root, t_pose_rest(), H36M_21)
    return np.stack([joints[..., 0], -joints[..., 2], joints[..., 1]], -1)


def _turned(vectors: Floats) -> Floats:
    """Rotations (T, 3, 3) by rotation vectors (T, 3)."""
    angle = np.linalg.norm(vectors, axis=1, keepdims=True)
    axis = vectors / np.maximum(angle, 1e-9)
    return from_quaternions(np.concatenate([np.cos(angle / 2), np.sin(angle / 2) * axis], 1))


def _knee(hip: Floats, ankle: Floats, thigh: Floats, shin: Floats) -> Floats:
    """The knee (T, 3) of bones of given lengths (T,), before the line from hip to ankle."""
    leg = ankle - hip
    reach = np.linalg.norm(leg, axis=1)
    along = (thigh**2 - shin**2 + reach**2) / (2 * reach)
    beside = np.sqrt(np.maximum(thigh**2 - along**2, 0))
    down = leg / reach[:, None]
    forward = np.cross(down, np.cross([0.0, 1.0, 0.0], down))
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    return hip + along[:, None] * down + beside[:, None] * forward
