"""Captured joints → how the bones of a body at rest are turned and where they go."""

import numpy as np

from core.types import Floats
from train.wild.mocap import MOCAP_JOINTS
from train.wild.people.makehuman import DRIVERS, Body

_PARENT = {
    "l_hip": "pelvis", "r_hip": "pelvis", "spine": "pelvis", "thorax": "spine", "neck_base": "thorax",
    "l_shoulder": "thorax", "r_shoulder": "thorax",
    **{f"{side}_{a}": f"{side}_{b}" for side in "lr" for a, b in (
        ("knee", "hip"), ("ankle", "knee"), ("elbow", "shoulder"), ("wrist", "elbow"))},
    **dict.fromkeys(("head_top", "nose", "l_eye", "r_eye", "l_ear", "r_ear"), "neck_base"),
}  # fmt: skip
_MOVED_BY = {
    "l_hip": "pelvis", "r_hip": "pelvis", "spine": "spine", "thorax": "thorax", "neck_base": "neck",
    **{f"{side}_{a}": f"{side}_{b}" for side in "lr" for a, b in (
        ("knee", "thigh"), ("ankle", "shin"), ("elbow", "upper_arm"), ("wrist", "forearm"), ("shoulder", "clavicle"))},
    **dict.fromkeys(("head_top", "nose", "l_eye", "r_eye", "l_ear", "r_ear"), "head"),
}  # fmt: skip
POINTS = (*MOCAP_JOINTS, "l_eye", "r_eye", "l_ear", "r_ear")
"""What is known of a posed body."""
_HEADS = {
    "pelvis": "pelvis", "spine": "pelvis", "thorax": "spine", "neck": "thorax", "head": "neck_base",
    **{f"{side}_{a}": b if b == "thorax" else f"{side}_{b}" for side in "lr" for a, b in (
        ("clavicle", "thorax"), ("upper_arm", "shoulder"), ("forearm", "elbow"), ("hand", "wrist"),
        ("thigh", "hip"), ("shin", "knee"), ("foot", "ankle"))},
}  # fmt: skip
_BENT = 0.15  # sine of an elbow's or knee's angle from which on its hinge is seen
_NEAR_FLOOR_M = 0.13


def pose(body: Body, joints: Floats, up: Floats) -> tuple[Floats, Floats]:
    """Turn a body after captured joints (T, 18, 3) metres in any axes, where `up` (3,) is the world's.

    Returns the matrices (T, drivers, 3, 4) that take places at rest to posed ones, with the pelvis where it was
    captured, and the posed `POINTS` (T, 22, 3). The captured bones give directions, the body its own lengths.
    """
    at: dict[str, Floats] = {
        name: joints[:, row].astype(np.float64) for row, name in enumerate(MOCAP_JOINTS)
    }
    turn = _turns(body, at, up)
    posed: dict[str, Floats] = {"pelvis": at["pelvis"]}
    for name, parent in _PARENT.items():  # parents come first
        offset = body.joints[name] - body.joints[parent]
        posed[name] = posed[parent] + turn[_MOVED_BY[name]] @ offset
    matrices = np.stack(
        [
            np.concatenate(
                [turn[d], (posed[_HEADS[d]] - turn[d] @ body.joints[_HEADS[d]])[..., None]], -1
            )
            for d in DRIVERS
        ],
        1,
    )
    return matrices, np.stack([posed[name] for name in POINTS], 1)


def _turns(body: Body, at: dict[str, Floats], up: Floats) -> dict[str, Floats]:
    """(T, 3, 3) of each driver: rest axes → those of `at`."""
    rest = body.joints
    turn: dict[str, Floats] = {}
    left = at["l_hip"] - at["r_hip"]
    turn["pelvis"] = _frame(left, at["spine"] - at["pelvis"])
    turn["spine"] = _swung(
        turn["pelvis"], rest["spine"] - rest["pelvis"], at["spine"] - at["pelvis"]
    )
    shoulders = at["l_shoulder"] - at["r_shoulder"]
    turn["thorax"] = _frame(shoulders, at["thorax"] - at["spine"])
    turn["neck"] = _swung(
        turn["thorax"], rest["neck_base"] - rest["thorax"], at["neck_base"] - at["thorax"]
    )
    crown, nose = at["head_top"] - at["neck_base"], at["nose"] - at["neck_base"]
    turn["head"] = _frame(np.cross(crown, nose), crown)
    for side in "lr":
        own = {
            name: at[f"{side}_{name}"]
            for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        }
        still = {name: rest[f"{side}_{name}"] for name in own}
        clavicle = np.einsum("tji,tj->ti", turn["thorax"], own["shoulder"] - at["thorax"])
        shrug = _between_directions(np.broadcast_to(clavicle.mean(0), clavicle.shape), clavicle)
        turn[f"{side}_clavicle"] = turn["thorax"] @ shrug
        arm = own["elbow"] - own["shoulder"], own["wrist"] - own["elbow"]
        rest_arm = still["elbow"] - still["shoulder"], still["wrist"] - still["elbow"]
        upper = _swung(turn[f"{side}_clavicle"], rest_arm[0], arm[0])
        turn[f"{side}_upper_arm"] = _hinged(upper, rest_arm, arm)
        turn[f"{side}_forearm"] = _swung(turn[f"{side}_upper_arm"], rest_arm[1], arm[1])
        turn[f"{side}_hand"] = turn[f"{side}_forearm"]
        thigh = _swung(turn["pelvis"], still["knee"] - still["hip"], own["knee"] - own["hip"])
        turn[f"{side}_thigh"] = thigh
        turn[f"{side}_shin"] = _swung(
            thigh, still["ankle"] - still["knee"], own["ankle"] - own["knee"]
        )
        turn[f"{side}_foot"] = _foot(turn[f"{side}_shin"], own["ankle"], up)
    return turn


def _frame(left: Floats, up: Floats) -> Floats:
    """(T, 3, 3) whose columns are left, up and forward: `left` exactly, `up` as nearly as that allows."""
    x = _unit(left)
    z = _unit(np.cross(x, up))
    return np.stack([x, np.cross(z, x), z], -1)


def _swung(carried: Floats, rest: Floats, direction: Floats) -> Floats:
    """`carried` (T, 3, 3) turned on by the least that brings the rest direction (3,) to `direction` (T, 3)."""
    return _between_directions(carried @ rest, direction) @ carried


def _hinged(swung: Floats, rest: tuple[Floats, Floats], bones: tuple[Floats, Floats]) -> Floats:
    """`swung` turned about the first of two bones until the second lies in the plane of its hinge, where it is bent."""
    axis = _unit(bones[0])
    goal, now = bones[1], swung @ rest[1]
    goal = goal - axis * (goal * axis).sum(-1, keepdims=True)
    now = now - axis * (now * axis).sum(-1, keepdims=True)
    bent = np.linalg.norm(goal, axis=-1, keepdims=True) / np.linalg.norm(
        bones[1], axis=-1, keepdims=True
    )
    about = _between_directions(_unit(now), _unit(goal))
    return np.where((bent > _BENT)[..., None], about @ swung, swung)


def _foot(shin: Floats, ankle: Floats, up: Floats) -> Floats:
    """Feet go with the shin in the air, and lie flat near the lowest level that this foot reaches."""
    height = ankle @ up
    height = height - height.min()
    forward = shin[..., 2]
    level = forward - up * (forward @ up)[:, None]
    flat = _frame(
        np.cross(np.broadcast_to(up, level.shape), level), np.broadcast_to(up, level.shape)
    )
    low = (height < _NEAR_FLOOR_M) & (np.linalg.norm(level, axis=-1) > 0.3)
    return np.where(low[:, None, None], flat, shin)


def _between_directions(a: Floats, b: Floats) -> Floats:
    """(T, 3), (T, 3) → (T, 3, 3): the least turn that brings one direction to the other."""
    a, b = _unit(a), _unit(b)
    axis = np.cross(a, b)
    cosine = (a * b).sum(-1)[:, None, None]
    x, y, z = axis.T
    zero = np.zeros_like(x)
    k = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)
    return np.asarray(np.eye(3) + k + k @ k / np.maximum(1 + cosine, 1e-6))


def _unit(v: Floats) -> Floats:
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9))
