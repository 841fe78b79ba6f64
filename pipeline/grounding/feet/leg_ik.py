"""Legs that reach the points on which feet rest: two-bone inverse kinematics, bone lengths kept.

This removes the foot skate that the root path leaves (as in Kovar, Schreiner and Gleicher,
"Footskate cleanup for motion capture editing", 2002).
"""

import numpy as np

from core.rotations import unit_vectors
from core.skeletons import H36M_17
from core.types import Floats
from pipeline.grounding.feet.contacts import Support
from pipeline.grounding.feet.soles import ANKLE_HEIGHT_M, ANKLES, Bools
from pipeline.grounding.floor import smooth_above

_MAX_STRETCH = 0.995  # share of its length to which a leg is stretched
_LOWER_S = 0.2  # over which the body is lowered for legs that are too short
_MAX_DROP_M = 0.1  # by how much at most
_BLEND_S = 0.2  # before and after a contact, over which a foot goes to and from its fixed point
_MAX_OFFSET_M = 0.25  # a foot is moved no farther: it would not be resting there
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
    for foot in range(2):
        hip, knee, ankle = (reached[:, points[foot]] for points in (_HIPS, _KNEES, ANKLES))
        reached[:, _KNEES[foot]], reached[:, ANKLES[foot]] = solve_two_bone_ik(
            hip, knee, ankle, ankles[:, foot]
        )
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
    """Bend legs so that their ankles reach a target, by the law of cosines.

    With thigh a, shin b and distance c from hip to target, the knee lies x = (a² + c² - b²) / (2c)
    along the way and h = √(a² - x²) beside it, on the side to which the leg is bent already. Where
    c is out of reach, the ankle goes towards the target as far as the leg allows.

    Args:
        hip: (T, 3), stays.
        knee: (T, 3) before; says the length of both bones and the side of the bend.
        ankle: (T, 3) before.
        target: (T, 3) for the ankle.

    Returns:
        Knee (T, 3) and ankle (T, 3).
    """
    thigh = np.linalg.norm(knee - hip, axis=-1, keepdims=True)  # a
    shin = np.linalg.norm(ankle - knee, axis=-1, keepdims=True)  # b
    way = target - hip
    length = np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-9)  # c
    direction = way / length

    # c is limited to what the bones span.
    longest = _longest(hip, knee, ankle)[..., None]
    length = np.clip(length, np.abs(thigh - shin) + 1e-6, longest)

    along = (thigh**2 + length**2 - shin**2) / (2 * length)  # x
    aside = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))  # h
    bent = knee - hip
    bend = unit_vectors(bent - (bent * direction).sum(-1, keepdims=True) * direction)
    return hip + along * direction + aside * bend, hip + length * direction


def limited(offsets: Floats, longest: float = _MAX_OFFSET_M) -> Floats:
    """Offsets (…, 3) in metres, none longer than a foot in contact may be off."""
    distance = np.linalg.norm(offsets, axis=-1, keepdims=True)
    return np.asarray(offsets * np.minimum(1.0, longest / np.maximum(distance, 1e-9)))


def fade_between(offsets: Floats, known: Bools, fps: float) -> Floats:
    """Fill in corrections of a foot where it is in the air.

    There, the offset is a blend of those at the end of the last contact and at the start of the
    next one, each fading out over `_BLEND_S`.

    Args:
        offsets: (T, 3), of positions or rotation vectors.
        known: (T,) where they are given.
        fps: Frames a second.

    Returns:
        (T, 3); 0 throughout if nothing is known.
    """
    if not known.any() or known.all():
        return offsets

    every = np.arange(len(offsets))
    resting = every[known]
    # The nearest contact rows before and after each row; where there is none, the nearest of all.
    before_index = np.searchsorted(resting, every, side="right") - 1
    after_index = np.searchsorted(resting, every)
    before = resting[np.maximum(before_index, 0)]
    after = resting[np.minimum(after_index, len(resting) - 1)]
    blend = _BLEND_S * fps
    weight_before = _fade_out(np.where(before <= every, (every - before) / blend, 1.0))
    weight_after = _fade_out(np.where(after >= every, (after - every) / blend, 1.0))
    total = np.maximum(weight_before + weight_after, 1.0)[:, None]
    weighted = weight_before[:, None] * offsets[before] + weight_after[:, None] * offsets[after]
    return np.where(known[:, None], offsets, weighted / total)


def _fade_out(x: Floats) -> Floats:
    """1 at 0 and 0 from 1 on, level at both ends: 1 - (3 x² - 2 x³)."""
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(1 - x * x * (3 - 2 * x))
