"""A path of the pelvis on which feet in contact rest, as near as possible to the measured one.

Depth is the weak part of a person's path from one camera, so the path gives way most easily along
the line of sight. A foot in contact has no speed and is at the height of what it rests on. Both are
linear in the correction of the path, and so is its acceleration: the best correction is the
solution of one banded system.
"""

import numpy as np

from core.types import Floats
from pipeline.grounding.axes import unit_vectors
from pipeline.grounding.banded import solve_block_banded
from pipeline.grounding.contacts import ANKLES, Support
from pipeline.grounding.floor import ANKLE_HEIGHT_M

# Standard deviations.
_ACROSS_M = 0.03  # of the measured path, across the line of sight
_ALONG_M = 0.1  # of the measured path, along it
_SKATE_M_S = 0.08  # of a foot's speed in contact
_HEIGHT_M = 0.02  # of a foot's height in contact
_ACCELERATION_M_S2 = 2.0  # of the correction

_TAPER_S = 0.1  # over which a contact sets in and ends
_FLOOR_ITERATIONS = 3


def solve_root_path(joints: Floats, camera: Floats, supports: list[Support], fps: float) -> Floats:
    """Correct a person's path so that feet in contact neither slide nor leave their level.

    No ankle is left below the floor: frames in which one would be get a height term of their own
    and the system is solved again (an active-set method, up to `_FLOOR_ITERATIONS` solves).

    Args:
        joints: (T, 17, 3) metres in world axes, z up, floor at 0.
        camera: (3,) position of the camera in the same axes.
        supports: The person's contacts and what they rest on.
        fps: Frames a second.

    Returns:
        (T, 3) metres to add to all joints of each frame.
    """
    frames = len(joints)
    if frames < 3:  # no acceleration to keep small
        return _vertical_shift(joints, supports)
    ankles = joints[:, ANKLES]
    contact = np.zeros((frames, 2))  # c: weight of each foot's contact
    sunk = np.zeros((frames, 2))  # 1 where an ankle would be below the floor
    rise = np.zeros((frames, 2))  # g: how far each foot is below where it should be
    for support in supports:
        rows = support.contact.frames
        foot = support.contact.foot
        contact[rows, foot] = _taper(support.contact.stop - support.contact.start, fps)
        rise[rows, foot] = support.level_m + ANKLE_HEIGHT_M - ankles[rows, foot, 2]
    correction: Floats = np.zeros((frames, 3))
    for _ in range(_FLOOR_ITERATIONS):
        correction = _solve_correction(ankles, camera, contact, sunk, rise, fps)
        heights = ankles[..., 2] + correction[:, None, 2]
        below = heights < ANKLE_HEIGHT_M - _HEIGHT_M
        if not below.any():
            break
        sunk = np.maximum(sunk, below)
        rise = np.where((contact == 0) & (sunk > 0), ANKLE_HEIGHT_M - ankles[..., 2], rise)
    return correction


def _solve_correction(
    ankles: Floats, camera: Floats, contact: Floats, sunk: Floats, rise: Floats, fps: float
) -> Floats:
    """Solve for the correction x (T, 3) by banded weighted least squares.

    With a_tf the ankle of foot f, c_tf its contact weight, g_tf its missing height, P the
    projection onto the line of sight and xy the level part of a vector:

        x* = argmin Σ_t  |(I - P_t) x_t|² / σ_across² + |P_t x_t|² / σ_along²
                 + Σ_tf  max(c_tf, sunk_tf) (x_t,z - g_tf)² / σ_height²
                 + Σ_tf  min(c_tf, c_t+1,f) |fps (x_t+1 - x_t + a_t+1,f - a_tf)_xy|² / σ_skate²
                 + Σ_t   |fps² (x_t+1 - 2 x_t + x_t-1)|² / σ_acceleration²

    Its normal equations couple each frame with the next two.
    """
    frames = len(ankles)
    blocks = np.zeros((3, frames, 3, 3))  # block d, t: rows of frame t + d, columns of frame t
    right = np.zeros((frames, 3))

    # Nearness to the measured path.
    sight = unit_vectors(ankles.mean(1) - camera)
    across = np.eye(3) - sight[:, :, None] * sight[:, None]  # I - P
    blocks[0] += across / _ACROSS_M**2 + (np.eye(3) - across) / _ALONG_M**2

    # Heights of feet.
    height = np.maximum(contact, sunk) / _HEIGHT_M**2
    blocks[0, :, 2, 2] += height.sum(1)
    right[:, 2] += (height * rise).sum(1)

    # Speeds of feet in contact; each couples two frames.
    grip = np.minimum(contact[1:], contact[:-1]) * (fps / _SKATE_M_S) ** 2  # (T - 1, 2)
    slip = np.diff(ankles, axis=0)  # a_t+1 - a_t
    pull = (grip[..., None] * slip).sum(1)
    level = np.diag([1.0, 1.0, 0.0])  # the xy part
    total = grip.sum(1)[:, None, None] * level
    blocks[0, 1:] += total
    blocks[0, :-1] += total
    blocks[1, :-1] -= total
    right[1:] -= pull @ level
    right[:-1] += pull @ level

    # Acceleration of the correction; the stencil 1, -2, 1 couples three frames.
    stiffness = (fps**2 / _ACCELERATION_M_S2) ** 2 * np.eye(3)
    for i, a in enumerate((1.0, -2.0, 1.0)):
        for j, b in enumerate((1.0, -2.0, 1.0)[: i + 1]):
            blocks[i - j, j : frames - 2 + j] += a * b * stiffness
    return solve_block_banded(blocks, right)


def _taper(length: int, fps: float) -> Floats:
    """(length,) weights that rise to 1 and fall again, so that contacts set in and end smoothly."""
    to_edge = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1))
    return np.minimum(to_edge / (_TAPER_S * fps), 1.0)


def _vertical_shift(joints: Floats, supports: list[Support]) -> Floats:
    """(T, 3) for one or two frames: straight up or down, by the mean gap under the contacts."""
    gaps = []
    for support in supports:
        ankle = joints[support.contact.frames, ANKLES[support.contact.foot], 2]
        gaps.append(support.level_m + ANKLE_HEIGHT_M - ankle.mean())
    return np.tile([0.0, 0.0, float(np.mean(gaps)) if gaps else 0.0], (len(joints), 1))
