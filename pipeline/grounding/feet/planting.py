"""Rigid feet that lie on the floor: flat in foot-flat, turning about the planted toe in heel-off.

A lifted foot is 20 cm long and its direction is off by 10° or more, so its toe seems to be some
centimetres in the floor or in the air. What is known better: a foot is rigid, it is level while its
heel and toe rest, and it is never in the floor. The order is that of `world`: `level_feet` before
the root path, which then meets feet that agree with their contacts; `plant_feet` after it.
"""

import numpy as np

from core.rotations import from_rotation_vectors, rotation_vectors, unit_vectors
from core.types import Floats
from pipeline.grounding.feet.contacts import Support
from pipeline.grounding.feet.leg_ik import reach_with_legs
from pipeline.grounding.feet.offsets import fade_between, limited
from pipeline.grounding.feet.shape import (
    HEELS,
    TOES,
    FootShape,
    above_floor,
    attach_foot,
    cos_roll,
    foot_axes,
    level_axes,
    pitch_of,
    with_pitch,
)
from pipeline.grounding.feet.soles import ANKLES, Bools


def level_feet(joints: Floats, contacts: Bools, fps: float) -> Floats:
    """Make feet rigid, and level wherever heel and toe are in contact; ankles stay.

    Around foot-flat frames the correction fades out. In contact with one end only, a foot does not
    point into the ground.

    Args:
        joints: (T, 21, 3) metres, z up.
        contacts: (T, 4) bool: left heel, left toe, right heel, right toe.
        fps: Frames a second.

    Returns:
        (T, 21, 3) with heels and toes changed.
    """
    levelled = joints.copy()
    if not len(joints):
        return levelled
    shape = FootShape.of(joints)
    for foot in range(2):
        heel, toe = contacts[:, 2 * foot], contacts[:, 2 * foot + 1]
        axes = foot_axes(joints, foot)
        axes = _turned(axes, level_axes(axes[..., 0]), heel & toe, fps)
        pitch = pitch_of(axes)
        pitch = np.where(toe, np.minimum(pitch, 0.0), pitch)
        axes = with_pitch(axes, np.where(heel, np.maximum(pitch, 0.0), pitch))
        attach_foot(levelled, foot, axes, shape)
    return levelled


def plant_feet(joints: Floats, supports: list[Support], fps: float) -> Floats:
    """Fix each heel and toe in contact to one point; legs follow, and no foot is in the floor.

    Args:
        joints: (T, 21, 3) metres, z up, floor at 0, as from `level_feet`.
        supports: The person's contacts and what they rest on.
        fps: Frames a second.

    Returns:
        (T, 21, 3) with knees, ankles, heels and toes changed.
    """
    if not len(joints):
        return joints
    shape = FootShape.of(joints)
    every_axes, targets = [], joints[:, ANKLES].copy()
    in_contact = np.zeros(targets.shape[:2], dtype=bool)
    for foot in range(2):
        heel, toe = _pins(joints, foot, supports, shape)
        axes = foot_axes(joints, foot)
        flat = _are_known(heel + toe)
        axes = _turned(axes, level_axes(np.where(flat[:, None], toe - heel, 1.0)), flat, fps)
        ankle = np.where(np.isfinite(toe), toe - axes @ shape.toe, heel - axes @ shape.heel)
        known = in_contact[:, foot] = _are_known(ankle)
        offsets = limited(np.where(known[:, None], ankle - targets[:, foot], 0.0))
        targets[:, foot] += fade_between(offsets, known, fps)
        lowest = shape.height_m * cos_roll(axes)
        targets[:, foot, 2] = np.maximum(targets[:, foot, 2], lowest)
        every_axes.append(axes)
    return with_feet(joints, targets, in_contact, np.stack(every_axes, 1), shape, fps)


def with_feet(
    joints: Floats,
    ankles: Floats,
    in_contact: Bools,
    axes: Floats,
    shape: FootShape,
    fps: float,
) -> Floats:
    """Legs that reach ankles (T, 2, 3), with feet of axes (T, 2, 3, 3) above the floor."""
    planted = reach_with_legs(joints, ankles, in_contact, fps)
    free = above_floor(axes, planted[:, ANKLES, 2], shape)
    for foot in range(2):
        attach_foot(planted, foot, free[:, foot], shape)
    return planted


def _pins(
    joints: Floats, foot: int, supports: list[Support], shape: FootShape
) -> tuple[Floats, Floats]:
    """Where a foot's heel and toe rest, (T, 3) each; NaN where they do not.

    A contact that sets in while the foot's other end rests lies a foot's length from it.
    """
    pins = np.full((2, len(joints), 3), np.nan)
    length = shape.back_m + shape.front_m
    own = [support for support in supports if support.contact.point // 2 == foot]
    for support in sorted(own, key=lambda support: support.contact.start):
        rows, end = support.contact.frames, support.contact.point % 2  # end: 0 heel, 1 toe
        point = np.median(joints[rows, (HEELS, TOES)[end][foot]], axis=0)
        point[2] = support.level_m
        both = np.flatnonzero(np.isfinite(pins[1 - end, rows, 0]))
        if len(both):
            other = pins[1 - end, rows][both[0]]
            ahead = foot_axes(joints[rows][both], foot)[..., 0].mean(0) * [1.0, 1.0, 0.0]
            point = other + (length if end else -length) * unit_vectors(ahead)
        pins[end, rows] = point
    return pins[0], pins[1]


def _are_known(points: Floats) -> Bools:
    """(T,) which points (T, 3) are not NaN."""
    return np.asarray(np.isfinite(points).all(-1))


def _turned(axes: Floats, goal: Floats, known: Bools, fps: float) -> Floats:
    """Axes (T, 3, 3) turned to their goal where it is known (T,), and less and less around there.

    The turn is a rotation vector, which fades as offsets do.
    """
    turn = rotation_vectors(goal @ np.swapaxes(axes, -1, -2))
    faded = fade_between(np.where(known[:, None], turn, 0.0), known, fps)
    return np.asarray(from_rotation_vectors(faded) @ axes)
