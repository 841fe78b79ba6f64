"""Joint positions → rotations of bones, and back: rest pose, inverse and forward kinematics.

A person is a tree of B = 22 rigid bones, `BONES`. In the rest pose they stand in a T: x points to
the person's left, y up, z forward; the arms lie along ±x with palms down, the legs along -y, the
soles level. A bone's rotation (3, 3) takes vectors of the rest pose to the axes in which the joints
are given, whichever these are. Rotations are a bone's and not a person's: put on another skeleton
that rests in the same T, they give its bones the same directions.

T frames, J joints. Missing is NaN, and spreads to the bones that depend on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from core.rotations import frames_of, shortest_arcs, turns_about, unit_vectors
from core.skeletons import Skeleton
from core.types import Array, Floats

_LEG = ("thigh", "shin", "foot", "toes")
_TRUNK = ("spine", "chest", "upper_chest", "neck", "head")
_ARM = ("clavicle", "upper_arm", "forearm", "hand")
_CHAINS = (
    *(("hips", *(f"{side}_{name}" for name in _LEG)) for side in "lr"),
    ("hips", *_TRUNK),
    *(("upper_chest", *(f"{side}_{name}" for name in _ARM)) for side in "lr"),
)
_PARENT = {"hips": ""} | {child: parent for chain in _CHAINS for parent, child in pairwise(chain)}
BONES: tuple[str, ...] = tuple(_PARENT)
"""The bones, depth first: each one's descendants follow it."""
PARENTS: tuple[int, ...] = tuple(BONES.index(name) if name else -1 for name in _PARENT.values())
"""(B,) the index of each bone's parent, -1 at the root."""
TIPS = ("l_toes", "r_toes", "head", "l_hand", "r_hand")
"""The bones that no other bone follows."""

HEADS: Mapping[str, str] = {
    "pelvis": "hips", "spine": "chest", "thorax": "neck", "neck_base": "head",
} | {
    f"{side}_{joint}": f"{side}_{bone}"
    for side in "lr"
    for joint, bone in (
        ("shoulder", "upper_arm"), ("elbow", "forearm"), ("wrist", "hand"), ("hip", "thigh"),
        ("knee", "shin"), ("ankle", "foot"),
    )
}  # fmt: skip
"""The joints at which bones begin."""

TWIST_MARGIN_S = 0.3
"""How much of a motion before and after a frame its rotations depend on."""

_UP, _DOWN, _FORWARD = np.array([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]])
_OUTWARD = {"l": np.array([1.0, 0.0, 0.0]), "r": np.array([-1.0, 0.0, 0.0])}

# Where bones lie whose ends are no joints, as shares: the spine begins a quarter up from the pelvis
# to the middle of the back; the ball of the foot is at 0.74 of its length (ANSUR II: ball of foot
# length 0.200 m of 0.271 m), the knuckles a third of a forearm beyond the wrist.
_SPINE_START, _CHEST_MIDDLE, _BALL, _KNUCKLES = 0.25, 0.5, 0.74, 0.35
# Human3.6M's thorax, from which collarbones begin, lies above the shoulders.
_CLAVICLE_SLOPE = np.tan(np.radians(17.0))
# Feet without joints, in lengths of the shin: height of the ankle, heel behind and toe before it
# (Winter, "Biomechanics", 2009: a foot 0.152, an ankle 0.039, a shin 0.246 of the stature).
_ANKLE_HEIGHT, _HEEL_BEHIND, _TOE_BEFORE = 0.16, 0.15, 0.47

# The middle of a limb's range of motion, from which swings are measured: the direction opposite to
# it, at which a shortest arc is undefined, is out of any limb's reach.
_HOME = {
    "thigh": np.array([0.0, -0.77, 0.64]),
    "upper_arm": np.array([0.6, -0.5, 0.62]),
}
_TWIST_SIGMA_S = TWIST_MARGIN_S / 3
_TWIST_PRIOR = 0.1  # weight of "not twisted", as the sine of a bend
_HINGE_TWIST, _ELBOW_TWIST = np.radians(90.0), np.radians(120.0)  # beyond, data are at fault
_BENT = (0.25, 0.7)  # sines of bends between which a hinge is trusted less and more


@dataclass(frozen=True)
class RestPose:
    """A person in a T, metres, x to their left, y up, z forward.

    offsets_m (B, 3) from the parent's head to each bone's; tips_m the bones of `TIPS` → (3,) from
    their heads to their ends; heels_m by side, (3,) from the ankle to the heel.
    """

    offsets_m: Floats
    tips_m: Mapping[str, Floats]
    heels_m: Mapping[str, Floats]


def rest_pose(joints_m: Floats, skeleton: Skeleton) -> RestPose:
    """A person's rest pose, from their median bone lengths, averaged over left and right.

    Args:
        joints_m: (T, J, 3) metres; any sample of the person's frames.
        skeleton: Human3.6M's joints, feet or not; feet that it lacks have usual proportions.
    """
    at = _by_name(joints_m, skeleton)

    def length(*ends: str) -> float:
        return _median([np.linalg.norm(at[b] - at[a], axis=-1) for a, b in _both_sides(*ends)])

    lower_back, upper_back = length("pelvis", "spine"), length("spine", "thorax")
    forearm, shin = length("S_elbow", "S_wrist"), length("S_knee", "S_ankle")
    height, behind, before = _foot_shape(at, shin)
    sole = behind + before
    offsets = {
        "hips": np.zeros(3),
        "spine": _UP * lower_back * _SPINE_START,
        "chest": _UP * lower_back * (1 - _SPINE_START),
        "upper_chest": _UP * upper_back * _CHEST_MIDDLE,
        "neck": _UP * upper_back * (1 - _CHEST_MIDDLE),
        "head": _UP * length("thorax", "neck_base"),
    }
    tips = {"head": _UP * length("neck_base", "head_top")}
    for side, out in _OUTWARD.items():
        ball = np.array([0.0, -height, _BALL * sole - behind])
        own = {
            "clavicle": offsets["neck"],
            "upper_arm": _clavicle(out) * length("thorax", "S_shoulder"),
            "forearm": out * length("S_shoulder", "S_elbow"),
            "hand": out * forearm,
            "thigh": out * length("pelvis", "S_hip"),
            "shin": _DOWN * length("S_hip", "S_knee"),
            "foot": _DOWN * shin,
            "toes": ball,
        }
        offsets |= {f"{side}_{name}": offset for name, offset in own.items()}
        tips[f"{side}_hand"] = out * forearm * _KNUCKLES
        tips[f"{side}_toes"] = np.array([0.0, -height, before]) - ball
    heels = {side: np.array([0.0, -height, -behind]) for side in _OUTWARD}
    return RestPose(np.stack([offsets[name] for name in BONES]), tips, heels)


def bone_rotations(joints_m: Floats, skeleton: Skeleton, fps: float) -> Floats:
    """Solve a person's bones for their rotations, in closed form.

    A bone points from its joint to the next one. What remains, the twist about that direction,
    comes from hips and shoulders in the trunk, from the planes in which knees and elbows bend in
    the limbs, and from heel, toe and ankle in the feet. A straight limb has no such plane: its
    twist is that of the nearest moments in which it bends, and fades to none. Neck and head follow
    the chest by the shortest arc; hands, toes, and feet without joints turn with their parents.

    Args:
        joints_m: (T, J, 3) evenly spaced in time, any axes.
        skeleton: Human3.6M's joints, feet or not.
        fps: Frames per second.

    Returns:
        (T, B, 3, 3) rotations from the rest pose to the axes of `joints_m`.
    """
    at = _by_name(joints_m, skeleton)
    turned: dict[str, Floats] = {}
    hip_line, shoulder_line = at["l_hip"] - at["r_hip"], at["l_shoulder"] - at["r_shoulder"]
    lower_back, upper_back = at["spine"] - at["pelvis"], at["thorax"] - at["spine"]
    turned["hips"] = frames_of(hip_line, "x", lower_back, "y")
    height = np.linalg.norm(lower_back, axis=-1, keepdims=True)
    from_start = lower_back - _SPINE_START * height * (turned["hips"] @ _UP)
    turned["spine"] = frames_of(
        from_start, "y", unit_vectors(hip_line) + unit_vectors(shoulder_line), "x"
    )
    turned["chest"] = frames_of(upper_back, "y", shoulder_line, "x")
    turned["upper_chest"] = turned["chest"]
    turned["neck"] = _swing(turned["chest"], _UP, at["neck_base"] - at["thorax"])
    turned["head"] = _swing(turned["neck"], _UP, at["head_top"] - at["neck_base"])
    for side, out in _OUTWARD.items():
        mirror = np.array([out[0], 1.0, 1.0])
        joint = {name[2:]: positions for name, positions in at.items() if name[:2] == f"{side}_"}
        clavicle = _swing(turned["chest"], _clavicle(out), joint["shoulder"] - at["thorax"])
        upper, lower = joint["elbow"] - joint["shoulder"], joint["wrist"] - joint["elbow"]
        upper_arm = _swing(clavicle, out, upper, _HOME["upper_arm"] * mirror)
        hinge = np.cross(out, _FORWARD)  # an elbow bends forward, or up, less often down
        upper_arm = _twist_to_bend(upper_arm, upper, lower, hinge, fps, _ELBOW_TWIST)
        forearm = _swing(upper_arm, out, lower)
        upper, lower = joint["knee"] - joint["hip"], joint["ankle"] - joint["knee"]
        thigh = _swing(turned["hips"], _DOWN, upper, _HOME["thigh"])
        hinge = np.cross(_DOWN, -_FORWARD)  # a knee bends backward
        thigh = _twist_to_bend(thigh, upper, lower, hinge, fps, _HINGE_TWIST)
        shin = foot = _swing(thigh, _DOWN, lower)
        if "toe" in joint:
            sole, cord = joint["toe"] - joint["heel"], joint["ankle"] - joint["heel"]
            foot = _swing(shin, _FORWARD, sole)
            hinge = np.cross(_UP, _FORWARD)
            foot = _twist_to_bend(foot, sole, -cord, hinge, fps, _HINGE_TWIST)
        own = (clavicle, upper_arm, forearm, forearm, thigh, shin, foot, foot)
        turned |= zip((f"{side}_{name}" for name in (*_ARM, *_LEG)), own, strict=True)
    return np.stack([turned[name] for name in BONES], 1)


def bone_heads(rotations: Floats, root_m: Floats, rest: RestPose) -> Floats:
    """Forward kinematics: where each bone begins.

    Args:
        rotations: (T, B, 3, 3) of `bone_rotations`.
        root_m: (T, 3) metres, the pelvis.
        rest: Whose bones they are.

    Returns:
        (T, B, 3) metres.
    """
    heads = np.empty((*rotations.shape[:2], 3))
    for bone, parent in enumerate(PARENTS):
        step = rotations[:, parent] @ rest.offsets_m[bone]
        heads[:, bone] = root_m if parent < 0 else heads[:, parent] + step
    return heads


def rigid_joints(rotations: Floats, root_m: Floats, rest: RestPose, skeleton: Skeleton) -> Floats:
    """Forward kinematics: the joints of a skeleton whose bones are rigid.

    Args:
        rotations: (T, B, 3, 3) of `bone_rotations`.
        root_m: (T, 3) metres, the pelvis.
        rest: Whose bones they are.
        skeleton: Human3.6M's joints, feet or not.

    Returns:
        (T, J, 3) metres.
    """
    heads = bone_heads(rotations, root_m, rest)

    def beyond(bone: str, offset: Floats) -> Floats:
        index = BONES.index(bone)
        return heads[:, index] + rotations[:, index] @ offset

    at = {joint: heads[:, BONES.index(bone)] for joint, bone in HEADS.items()}
    at["head_top"] = beyond("head", rest.tips_m["head"])
    for side in _OUTWARD:
        at[f"{side}_heel"] = beyond(f"{side}_foot", rest.heels_m[side])
        at[f"{side}_toe"] = beyond(f"{side}_toes", rest.tips_m[f"{side}_toes"])
    return np.stack([at[joint] for joint in skeleton.joints], 1)


def _clavicle(out: Floats) -> Floats:
    """The direction (3,) of a collarbone at rest, on the side to which `out` points."""
    return unit_vectors(out + _CLAVICLE_SLOPE * _DOWN)


def _swing(parent: Floats, rest: Floats, direction: Floats, home: Floats | None = None) -> Floats:
    """The parent's rotation, swung by the shortest arc so that `rest` points in a direction.

    With a `home` the arc begins there: R = P · arc(home → Pᵀd) · arc(rest → home).

    Args:
        parent: P, (T, 3, 3).
        rest: (3,) the bone in the rest pose.
        direction: d, (T, 3) of any length.
        home: (3,).
    """
    home = rest if home is None else home / np.linalg.norm(home)
    local = np.einsum("tji,tj->ti", parent, unit_vectors(direction))
    return np.asarray(parent @ shortest_arcs(home, local) @ shortest_arcs(rest, home))


def _twist_to_bend(
    swung: Floats, upper: Floats, lower: Floats, hinge: Floats, fps: float, most: float
) -> Floats:
    """Twist a bone so that it and the next one bend about their hinge.

    The measured hinge is n = u × l, as long as the sine of the bend. As a complex number z in the
    plane across u, with the untwisted hinge real, it is averaged over time: straight moments weigh
    nothing, nor do those in which noise bends a joint the wrong way, and a small real number stands
    for "not twisted". Where the limb is bent, z itself is taken.

    Args:
        swung: (T, 3, 3) the upper bone's rotation without twist.
        upper: u, (T, 3) the upper bone.
        lower: l, (T, 3) the lower bone.
        hinge: (3,) in the rest pose.
        fps: Frames per second.
        most: The twist, to either side, up to which a hinge is believed, radians.
    """
    along = unit_vectors(upper)
    normal = np.cross(along, unit_vectors(lower))
    real = swung @ hinge
    across = np.cross(along, real)
    z = (normal * real).sum(-1) + 1j * (normal * across).sum(-1)
    z = np.where(np.isfinite(z), z, 0.0)
    z *= np.clip(0.5 + 2 * (np.cos(np.angle(z)) - np.cos(most)), 0.0, 1.0)
    bend = np.clip((np.abs(z) - _BENT[0]) / (_BENT[1] - _BENT[0]), 0.0, 1.0)
    z = bend * z + (1 - bend) * (_smooth(z, fps) + _TWIST_PRIOR)
    return np.asarray(turns_about(along, np.angle(z)) @ swung)


def _smooth(values: Array, fps: float) -> Array:
    """A Gaussian's weighted mean over time (T,); at the ends, of what is there."""
    reach = round(TWIST_MARGIN_S * fps)
    kernel = np.exp(-((np.arange(-reach, reach + 1) / fps / _TWIST_SIGMA_S) ** 2) / 2)
    weights = np.convolve(np.ones(len(values)), kernel)[reach : len(values) + reach]
    return np.asarray(np.convolve(values, kernel)[reach : len(values) + reach] / weights)


def _by_name(joints_m: Floats, skeleton: Skeleton) -> dict[str, Floats]:
    joints = np.moveaxis(np.asarray(joints_m, dtype=float), 1, 0)
    return dict(zip(skeleton.joints, joints, strict=True))


def _both_sides(*ends: str) -> list[list[str]]:
    """`S_knee` stands for the left and the right one."""
    return [[end.replace("S_", f"{side}_") for end in ends] for side in _OUTWARD]


def _median(values: list[Any]) -> float:
    """Of all of several arrays; NaN is left out."""
    return float(np.nanmedian(np.concatenate(values)))


def _foot_shape(at: Mapping[str, Floats], shin: float) -> tuple[float, float, float]:
    """How high the ankle is above the sole, how far the heel is behind it, the toe before it."""
    if "l_toe" not in at:
        return _ANKLE_HEIGHT * shin, _HEEL_BEHIND * shin, _TOE_BEFORE * shin
    lengths, behinds, heights = [], [], []
    for heel, toe, ankle in _both_sides("S_heel", "S_toe", "S_ankle"):
        sole, leg = at[toe] - at[heel], at[ankle] - at[heel]
        behind = (unit_vectors(sole) * leg).sum(-1)
        lengths.append(np.linalg.norm(sole, axis=-1))
        behinds.append(behind)
        heights.append(np.linalg.norm(leg - behind[:, None] * unit_vectors(sole), axis=-1))
    behind_m = _median(behinds)
    return _median(heights), behind_m, _median(lengths) - behind_m
