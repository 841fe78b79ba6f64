"""Legs that reach the points on which feet rest: two-bone inverse kinematics, bone lengths kept.

This removes the foot skate that the root path leaves (as in Kovar, Schreiner and Gleicher,
"Footskate cleanup for motion capture editing", 2002).
"""

import numpy as np

from core.skeletons import H36M_17
from core.types import Floats
from pipeline.grounding.axes import unit_vectors
from pipeline.grounding.contacts import ANKLES, Support
from pipeline.grounding.floor import ANKLE_HEIGHT_M

_MAX_STRETCH = 0.995  # share of its length to which a leg is stretched
_BLEND_S = 0.2  # before and after a contact, over which a foot goes to and from its fixed point
_MAX_OFFSET_M = 0.25  # a foot is moved no farther: it would not be resting there
_HIPS = H36M_17.indices(("l_hip", "r_hip"))
_KNEES = H36M_17.indices(("l_knee", "r_knee"))


def pin_contact_feet(joints: Floats, supports: list[Support], fps: float) -> Floats:
    """Fix each foot in contact to one point, and let the knees follow.

    Args:
        joints: (T, 17, 3) metres, z up, floor at 0.
        supports: The person's contacts and what they rest on.
        fps: Frames a second.

    Returns:
        (T, 17, 3) with knees and ankles changed.
    """
    pinned = joints.copy()
    for foot in range(2):
        own = [support for support in supports if support.contact.foot == foot]
        own.sort(key=lambda support: support.contact.start)
        hip = joints[:, _HIPS[foot]]
        knee = joints[:, _KNEES[foot]]
        ankle = joints[:, ANKLES[foot]]
        target = ankle + _ankle_offsets(ankle, own, fps)
        new_knee, new_ankle = solve_two_bone_ik(hip, knee, ankle, target)
        pinned[:, _KNEES[foot]] = new_knee
        pinned[:, ANKLES[foot]] = new_ankle
    return pinned


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

    # c is limited to what the bones span; a leg that is already straighter may stay so.
    span = np.linalg.norm(ankle - hip, axis=-1, keepdims=True)
    longest = np.maximum(_MAX_STRETCH * (thigh + shin), span)
    length = np.clip(length, np.abs(thigh - shin) + 1e-6, longest)

    along = (thigh**2 + length**2 - shin**2) / (2 * length)  # x
    aside = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))  # h
    bent = knee - hip
    bend = unit_vectors(bent - (bent * direction).sum(-1, keepdims=True) * direction)
    return hip + along * direction + aside * bend, hip + length * direction


def _ankle_offsets(ankle: Floats, supports: list[Support], fps: float) -> Floats:
    """(T, 3) from where an ankle (T, 3) is to where it rests; `supports` are this foot's, by time.

    In the air the offset is a blend of those at the end of the last contact and at the start of the
    next one, each fading out over `_BLEND_S`.
    """
    frames = len(ankle)
    offsets = np.zeros((frames, 3))
    in_contact = np.zeros(frames, dtype=bool)
    for support in supports:
        rows = support.contact.frames
        point = np.median(ankle[rows], axis=0)
        point[2] = support.level_m + ANKLE_HEIGHT_M
        offset = point - ankle[rows]
        distance = np.linalg.norm(offset, axis=-1, keepdims=True)
        offsets[rows] = offset * np.minimum(1.0, _MAX_OFFSET_M / np.maximum(distance, 1e-9))
        in_contact[rows] = True
    if not in_contact.any() or in_contact.all():
        return offsets

    every = np.arange(frames)
    resting = every[in_contact]
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
    return np.where(in_contact[:, None], offsets, weighted / total)


def _fade_out(x: Floats) -> Floats:
    """1 at 0 and 0 from 1 on, level at both ends: 1 - (3 x² - 2 x³)."""
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(1 - x * x * (3 - 2 * x))
