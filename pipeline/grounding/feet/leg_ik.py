"""Legs that reach the points on which feet rest: two-bone inverse kinematics, bone lengths kept.

This removes the foot skate that the root path leaves (as in Kovar, Schreiner and Gleicher,
"Footskate cleanup for motion capture editing", 2002).
"""

import numpy as np

from core.rotations import bend_two_bones
from core.skeletons import H36M_17
from core.types import Floats
from pipeline.grounding.feet.contacts import Support
from pipeline.grounding.feet.offsets import fade_between, limited, smooth_above
from pipeline.grounding.feet.soles import ANKLE_HEIGHT_M, ANKLES, Bools

_MAX_STRETCH = 0.995  # share of its length to which a leg is stretched
_LOWER_S = 0.2  # over which the body is lowered for legs that are too short
_MAX_DROP_M = 0.1  # by how much at most
_HIPS = H36M_17.indices(("l_hip", "r_hip"))
_KNEES = H36M_17.indices(("l_knee", "r_knee"))


def pin_ankles(joints: Floats, supports: list[Support], fps: float) -> Floats:
    """Fix each ankle in contact to one point, and let the knees follow.

    Args:
        joints: (T, 17, 3) metres, z up, floor at 0.
        supports: The person's contacts and what they rest on.
        fps: Frames a second.

    Returns:
        (T, 17, 3) with knees and ankles changed.
    """
    targets = joints[:, ANKLES].copy()
    offsets = np.zeros_like(targets)
    in_contact = np.zeros(targets.shape[:2], dtype=bool)
    for support in supports:
        rows, foot = support.contact.frames, support.contact.point
        point = np.median(targets[rows, foot], axis=0)
        point[2] = support.level_m + ANKLE_HEIGHT_M
        offsets[rows, foot] = limited(point - targets[rows, foot])
        in_contact[rows, foot] = True
    for foot in range(2):
        targets[:, foot] += fade_between(offsets[:, foot], in_contact[:, foot], fps)
    return reach_with_legs(joints, targets, in_contact, fps)


def reach_with_legs(joints: Floats, ankles: Floats, in_contact: Bools, fps: float) -> Floats:
    """Bend both legs until ankles are where they should be.

    Where a leg is too short for a foot in contact, the whole body is lowered, smoothly.

    Args:
        joints: (T, J, 3) metres, z up.
        ankles: (T, 2, 3) where ankles should be, left and right.
        in_contact: (T, 2) bool, which feet are in contact.
        fps: Frames a second.

    Returns:
        (T, J, 3); what hangs on the ankles stays behind.
    """
    hips, knees = joints[:, _HIPS], joints[:, _KNEES]
    missing = _missing_drop(hips, ankles, _longest(hips, knees, joints[:, ANKLES]))
    drop = smooth_above((missing * in_contact).max(1), _LOWER_S * fps)
    reached = np.asarray(joints - drop[:, None, None] * [0.0, 0.0, 1.0])
    hips, knees, old_ankles = (reached[:, points] for points in (_HIPS, _KNEES, ANKLES))
    reached[:, _KNEES], reached[:, ANKLES] = solve_two_bone_ik(hips, knees, old_ankles, ankles)
    return reached


def _missing_drop(hips: Floats, ankles: Floats, longest: Floats) -> Floats:
    """By how much hips (…, 3) are too high for legs of `longest` (…,) metres to reach the ankles.

    With height h and level distance r of a hip from its ankle: h - √(L² - r²), within limits.
    """
    way = hips - ankles
    level = np.linalg.norm(way[..., :2], axis=-1)  # r
    highest = np.sqrt(np.maximum(longest**2 - level**2, 0.0))
    return np.asarray(np.clip(way[..., 2] - highest, 0.0, _MAX_DROP_M))


def _longest(hip: Floats, knee: Floats, ankle: Floats) -> Floats:
    """(…,) metres that legs reach: nearly their length; one that is already straighter may stay."""
    thigh, shin, span = (
        np.linalg.norm(one - other, axis=-1)
        for one, other in ((knee, hip), (ankle, knee), (ankle, hip))
    )
    return np.asarray(np.maximum(_MAX_STRETCH * (thigh + shin), span))


def solve_two_bone_ik(
    hip: Floats, knee: Floats, ankle: Floats, target: Floats
) -> tuple[Floats, Floats]:
    """Bend legs, to the side to which they are bent already, so that ankles reach a target.

    Args:
        hip: (…, 3), stays.
        knee: (…, 3) before; says the length of both bones and the side of the bend.
        ankle: (…, 3) before.
        target: (…, 3) for the ankle; out of reach, the ankle goes towards it.

    Returns:
        Knee and ankle, (…, 3) each.
    """
    thigh = np.linalg.norm(knee - hip, axis=-1, keepdims=True)
    shin = np.linalg.norm(ankle - knee, axis=-1, keepdims=True)
    longest = _longest(hip, knee, ankle)[..., None]
    bent, reached = bend_two_bones(thigh, shin, target - hip, longest, knee - hip)
    return hip + bent, hip + reached
