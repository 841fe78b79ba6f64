"""Captured joints → how the bones of a body at rest are turned and where they go."""

import numpy as np

from core.rotations import unit_vectors
from core.types import Floats
from train.wild.motion.mocap import MOCAP_JOINTS
from train.wild.people.body import DRIVERS, Body

_FACE = ("head_top", "nose", "l_eye", "r_eye", "l_ear", "r_ear")
_PARENT = {
    "l_hip": "pelvis", "r_hip": "pelvis", "spine": "pelvis", "thorax": "spine",
    "neck_base": "thorax", "l_shoulder": "thorax", "r_shoulder": "thorax",
    **{f"{side}_{a}": f"{side}_{b}" for side in "lr" for a, b in (
        ("knee", "hip"), ("ankle", "knee"), ("elbow", "shoulder"), ("wrist", "elbow"),
        ("heel", "ankle"), ("toe", "ankle"))},
    **dict.fromkeys(_FACE, "neck_base"),
}  # fmt: skip
"""Joint → the joint it hangs on, parents first."""
_DRIVER = {
    "l_hip": "pelvis", "r_hip": "pelvis", "spine": "spine", "thorax": "thorax", "neck_base": "neck",
    **{f"{side}_{a}": f"{side}_{b}" for side in "lr" for a, b in (
        ("knee", "thigh"), ("ankle", "shin"), ("elbow", "upper_arm"), ("wrist", "forearm"),
        ("shoulder", "clavicle"), ("heel", "foot"), ("toe", "foot"))},
    **dict.fromkeys(_FACE, "head"),
}  # fmt: skip
"""Joint → the bone that moves it."""
_HEADS = {
    "pelvis": "pelvis", "spine": "pelvis", "thorax": "spine", "neck": "thorax", "head": "neck_base",
    **{f"{side}_{a}": b if b == "thorax" else f"{side}_{b}" for side in "lr" for a, b in (
        ("clavicle", "thorax"), ("upper_arm", "shoulder"), ("forearm", "elbow"), ("hand", "wrist"),
        ("thigh", "hip"), ("shin", "knee"), ("foot", "ankle"))},
}  # fmt: skip
"""Bone → the joint it turns about."""
POINTS = (*MOCAP_JOINTS, "l_eye", "r_eye", "l_ear", "r_ear")
"""The 26 points that are known of a posed body."""
_MIN_BEND = 0.15  # sine of an elbow's angle from which on its hinge is known


def pose(body: Body, joints: Floats) -> tuple[Floats, Floats]:
    """Turn a body's bones as captured ones are turned; it keeps its own lengths.

    A bone with rotation R turns about its head, the joint h at rest and h' posed: a point x at rest
    goes to R x + (h' - R h). Joint j with parent p goes to x'_j = x'_p + R (x_j - x_p).

    Args:
        body: The body at rest.
        joints: (T, 22, 3) captured joints, metres in any axes.

    Returns:
        Matrices (T, drivers, 3, 4) that take points at rest to posed ones, the pelvis being where
        it was captured, and the posed `POINTS` (T, 26, 3).
    """
    captured: dict[str, Floats] = {
        name: joints[:, row].astype(np.float64) for row, name in enumerate(MOCAP_JOINTS)
    }
    rotation = _bone_rotations(body, captured)
    posed: dict[str, Floats] = {"pelvis": captured["pelvis"]}
    for name, parent in _PARENT.items():
        offset = body.joints[name] - body.joints[parent]
        posed[name] = posed[parent] + rotation[_DRIVER[name]] @ offset
    matrices = []
    for driver in DRIVERS:
        turn, head = rotation[driver], _HEADS[driver]
        translation = posed[head] - turn @ body.joints[head]
        matrices.append(np.concatenate([turn, translation[..., None]], -1))
    return np.stack(matrices, 1), np.stack([posed[name] for name in POINTS], 1)


def _bone_rotations(body: Body, captured: dict[str, Floats]) -> dict[str, Floats]:
    """(T, 3, 3) of each driver: axes at rest → those of the captured joints."""
    rest = body.joints
    rotation: dict[str, Floats] = {}

    def bone(child: str, parent: str) -> Floats:
        return captured[child] - captured[parent]

    def rest_bone(child: str, parent: str) -> Floats:
        return rest[child] - rest[parent]

    rotation["pelvis"] = _frame(bone("l_hip", "r_hip"), bone("spine", "pelvis"))
    rotation["spine"] = _swing(
        rotation["pelvis"], rest_bone("spine", "pelvis"), bone("spine", "pelvis")
    )
    rotation["thorax"] = _frame(bone("l_shoulder", "r_shoulder"), bone("thorax", "spine"))
    rotation["neck"] = _swing(
        rotation["thorax"], rest_bone("neck_base", "thorax"), bone("neck_base", "thorax")
    )
    crown = bone("head_top", "neck_base")
    rotation["head"] = _frame(np.cross(crown, bone("nose", "neck_base")), crown)
    for side in "lr":
        shoulder, elbow, wrist = f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist"
        hip, knee, ankle = f"{side}_hip", f"{side}_knee", f"{side}_ankle"
        # A clavicle's mean direction in the thorax' axes counts as that at rest.
        clavicle = np.einsum("tji,tj->ti", rotation["thorax"], bone(shoulder, "thorax"))
        shrug = least_rotation(np.broadcast_to(clavicle.mean(0), clavicle.shape), clavicle)
        rotation[f"{side}_clavicle"] = rotation["thorax"] @ shrug
        arm = bone(elbow, shoulder), bone(wrist, elbow)
        rest_arm = rest_bone(elbow, shoulder), rest_bone(wrist, elbow)
        upper_arm = _swing(rotation[f"{side}_clavicle"], rest_arm[0], arm[0])
        rotation[f"{side}_upper_arm"] = _align_hinge(upper_arm, rest_arm, arm)
        rotation[f"{side}_forearm"] = _swing(rotation[f"{side}_upper_arm"], rest_arm[1], arm[1])
        rotation[f"{side}_hand"] = rotation[f"{side}_forearm"]
        thigh = _swing(rotation["pelvis"], rest_bone(knee, hip), bone(knee, hip))
        rotation[f"{side}_thigh"] = thigh
        shin = _swing(thigh, rest_bone(ankle, knee), bone(ankle, knee))
        rotation[f"{side}_shin"] = shin
        at_rest, turned = (
            _foot_frame(*(joints[f"{side}_{part}"] for part in ("ankle", "heel", "toe")))
            for joints in (rest, captured)
        )
        rotation[f"{side}_foot"] = turned @ np.swapaxes(at_rest, -1, -2)
    return rotation


def _frame(left: Floats, up: Floats) -> Floats:
    """(T, 3, 3) with columns left, up, forward: `left` exactly, `up` as nearly as that allows."""
    x = unit_vectors(left)
    z = unit_vectors(np.cross(x, up))
    return np.stack([x, np.cross(z, x), z], -1)


def _swing(carried: Floats, rest: Floats, direction: Floats) -> Floats:
    """`carried` (T, 3, 3) and the least rotation on top that turns `rest` (3,) to `direction`."""
    return least_rotation(carried @ rest, direction) @ carried


def _align_hinge(
    swung: Floats, rest: tuple[Floats, Floats], bones: tuple[Floats, Floats]
) -> Floats:
    """`swung` (T, 3, 3) twisted about the upper arm until the forearm lies in its hinge's plane.

    `rest` and `bones` are the upper arm and the forearm at rest, (3,), and captured, (T, 3). Where
    the elbow is nearly straight, its hinge is unknown and the arm is not twisted.
    """
    axis = unit_vectors(bones[0])
    goal, now = bones[1], swung @ rest[1]
    # Without their parts along the axis, captured and swung forearm differ by the twist alone.
    goal = goal - axis * (goal * axis).sum(-1, keepdims=True)
    now = now - axis * (now * axis).sum(-1, keepdims=True)
    sine = np.linalg.norm(goal, axis=-1, keepdims=True) / np.linalg.norm(
        bones[1], axis=-1, keepdims=True
    )
    twist = least_rotation(unit_vectors(now), unit_vectors(goal))
    return np.where((sine > _MIN_BEND)[..., None], twist @ swung, swung)


def _foot_frame(ankle: Floats, heel: Floats, toe: Floats) -> Floats:
    """(…, 3, 3) with columns left, up, forward of a foot whose points (…, 3) are known."""
    left = unit_vectors(np.cross(ankle - heel, toe - heel))
    forward = unit_vectors(toe - heel)
    return np.stack([left, np.cross(forward, left), forward], -1)


def least_rotation(a: Floats, b: Floats) -> Floats:
    """(T, 3, 3): the rotations by the least angle that turn directions a (T, 3) to b (T, 3).

    R = I + [v]× + [v]×² / (1 + c), with v = a × b and c = aᵀb for unit vectors.
    """
    a, b = unit_vectors(a), unit_vectors(b)
    axis = np.cross(a, b)  # v
    cosine = (a * b).sum(-1)[:, None, None]  # c
    x, y, z = axis.T
    zero = np.zeros_like(x)
    k = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)  # [v]×
    return np.asarray(np.eye(3) + k + k @ k / np.maximum(1 + cosine, 1e-6))
