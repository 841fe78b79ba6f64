"""A path of the pelvis on which feet in contact rest, as near as possible to the measured one.

Depth is the weak part of a person's path from one camera, so the path gives way most easily along
the line of sight. A foot in contact has no speed and is at the height of what it rests on. Both are
linear in the correction of the path, and so is its acceleration: the best correction is the
solution of one banded system.
"""

import numpy as np

from core.rotations import unit_vectors
from core.types import Floats
from pipeline.grounding.banded import solve_block_banded
from pipeline.grounding.feet.contacts import Support
from pipeline.grounding.feet.offsets import limited
from pipeline.grounding.feet.soles import ANKLE_HEIGHT_M, ANKLES, Bools, Soles

# Standard deviations.
_ACROSS_M = 0.03  # of the measured path, across the line of sight
_ALONG_M = 0.1  # of the measured path, along it
_SKATE_M_S = 0.08  # of a foot's speed in contact
_HEIGHT_M = 0.02  # of a foot's height in contact
_ACCELERATION_M_S2 = 2.0  # of the correction

_FORGET_S = 5.0  # in which a live path goes back to the measured one, by a factor of e
_MAX_HELD_M = 1.0  # by how much at most a live path differs from the measured one

_TAPER_S = 0.1  # over which a contact sets in and ends
_FLOOR_ITERATIONS = 3


def solve_root_path(
    joints: Floats, camera: Floats, soles: Soles, supports: list[Support], fps: float
) -> Floats:
    """Correct a person's path so that feet in contact neither slide nor leave their level.

    No ankle is left below the floor: frames in which one would be get a height term of their own
    and the system is solved again (an active-set method, up to `_FLOOR_ITERATIONS` solves).

    Args:
        joints: (T, J, 3) metres in world axes, z up, floor at 0.
        camera: (3,) position of the camera in the same axes.
        soles: By which joints the feet touch the ground.
        supports: The person's contacts and what they rest on.
        fps: Frames a second.

    Returns:
        (T, 3) metres to add to all joints of each frame.
    """
    frames = len(joints)
    if frames < 3:  # no acceleration to keep small
        return _vertical_shift(joints, soles, supports)
    points = joints[:, soles.joints]
    ankles = joints[:, ANKLES]
    contact = np.zeros(points.shape[:2])  # c: weight of each joint's contact
    rise = np.zeros(points.shape[:2])  # g: how far each joint is below where it should be
    for support in supports:
        rows, point = support.contact.frames, support.contact.point
        contact[rows, point] = _taper(support.contact.stop - support.contact.start, fps)
        rise[rows, point] = support.level_m + soles.height_m - points[rows, point, 2]
    sunk = np.zeros((frames, 2))  # 1 where an ankle would be below the floor
    sunk_rise = ANKLE_HEIGHT_M - ankles[..., 2]
    correction: Floats = np.zeros((frames, 3))
    for _ in range(_FLOOR_ITERATIONS):
        height = np.concatenate([contact, sunk], 1)
        missing = np.concatenate([rise, sunk_rise], 1)
        correction = _solve_correction(points, camera, contact, height, missing, fps)
        below = correction[:, None, 2] < sunk_rise - _HEIGHT_M
        if not below.any():
            break
        sunk = np.maximum(sunk, below)
    return correction


def _solve_correction(
    points: Floats, camera: Floats, contact: Floats, height: Floats, rise: Floats, fps: float
) -> Floats:
    """Solve for the correction x (T, 3) by banded weighted least squares.

    With a_tp the joint p of a foot, c_tp its contact's weight, h_tq the weight of a height of a
    joint q, g_tq what is missing to it, P the projection onto the line of sight and xy the level
    part of a vector:

        x* = argmin Σ_t  |(I - P_t) x_t|² / σ_across² + |P_t x_t|² / σ_along²
                 + Σ_tq  h_tq (x_t,z - g_tq)² / σ_height²
                 + Σ_tp  min(c_tp, c_t+1,p) |fps (x_t+1 - x_t + a_t+1,p - a_tp)_xy|² / σ_skate²
                 + Σ_t   |fps² (x_t+1 - 2 x_t + x_t-1)|² / σ_acceleration²

    Its normal equations couple each frame with the next two.
    """
    frames = len(points)
    blocks = np.zeros((3, frames, 3, 3))  # block d, t: rows of frame t + d, columns of frame t
    right = np.zeros((frames, 3))

    # Nearness to the measured path.
    sight = unit_vectors(points.mean(1) - camera)
    across = np.eye(3) - sight[:, :, None] * sight[:, None]  # I - P
    blocks[0] += across / _ACROSS_M**2 + (np.eye(3) - across) / _ALONG_M**2

    # Heights of feet.
    height = height / _HEIGHT_M**2
    blocks[0, :, 2, 2] += height.sum(1)
    right[:, 2] += (height * rise).sum(1)

    # Speeds of feet in contact; each couples two frames.
    grip = np.minimum(contact[1:], contact[:-1]) * (fps / _SKATE_M_S) ** 2  # (T - 1, P)
    slip = np.diff(points, axis=0)  # a_t+1 - a_t
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


def _vertical_shift(joints: Floats, soles: Soles, supports: list[Support]) -> Floats:
    """(T, 3) for one or two frames: straight up or down, by the mean gap under the contacts."""
    gaps = []
    for support in supports:
        heights = joints[support.contact.frames, soles.joints[support.contact.point], 2]
        gaps.append(support.level_m + soles.height_m - heights.mean())
    return np.tile([0.0, 0.0, float(np.mean(gaps)) if gaps else 0.0], (len(joints), 1))


class HeldPath:
    """The path of one live person, moved level so that feet in contact do not slide.

    From the past alone: where joints came into contact are anchors, and the path follows the mean
    of what they demand; slowly path and anchors go back to the measured ones.
    """

    def __init__(self) -> None:
        self._offset: Floats = np.zeros(2)
        self._anchors: Floats | None = None  # (P, 2), NaN without contact

    def offset(self, points: Floats, contacts: Bools, elapsed_s: float) -> Floats:
        """By how much one more frame is moved.

        Args:
            points: (P, 3) metres, z up, of the joints that touch the ground, as measured.
            contacts: (P,) which of them do.
            elapsed_s: Seconds since the frame before.

        Returns:
            (3,) metres, level.
        """
        forgotten = self._offset * (1 - np.exp(-elapsed_s / _FORGET_S))
        self._offset = self._offset - forgotten
        if self._anchors is None:
            self._anchors = np.full((len(points), 2), np.nan)
        anchors = self._anchors - forgotten
        held = contacts & np.isfinite(anchors[:, 0])
        if held.any():
            demanded = (anchors[held] - points[held, :2]).mean(0)
            self._offset = limited(demanded, _MAX_HELD_M)
        here = points[:, :2] + self._offset
        kept = np.where(held[:, None], anchors, here)
        self._anchors = np.where(contacts[:, None], kept, np.nan)
        return np.append(self._offset, 0.0)
