"""A path of the pelvis on which standing feet stand: what was measured, bent as little as need be, in one solve.

Depth is the weak part of a person's path from one camera: along the line of sight the path gives way most easily. Feet
that stand have no speed and are at the height of what they stand on. Both are linear in the correction of the path, as
is its acceleration, so the best correction is one banded system of normal equations.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solveh_banded
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from core.types import Floats
from pipeline.grounding.contacts import ANKLES, Step

ANKLE_HEIGHT_M = 0.08
"""Of an ankle above the sole of its standing foot."""

_ACROSS_M, _ALONG_M = (
    0.03,
    0.1,
)  # how far off the measured path is, across and along the line of sight
_SKATE_M_S = 0.08  # what a standing foot may do
_HEIGHT_M = 0.02  # how exactly a standing foot keeps to its level
_ACCELERATION_M_S2 = 2.0  # of the correction
_EDGE_S = 0.1  # over which a step takes hold and lets go
_SINKING_PASSES = 3
_CLEARANCE_M = 0.03  # of any joint above the floor
_RISE_S = 0.3


@dataclass(frozen=True)
class Footing:
    """A step and the height of the ground under it, metres."""

    step: Step
    level_m: float


def plant(
    joints: Floats, camera: Floats, footings: list[Footing], fps: float, along_m: float = _ALONG_M
) -> Floats:
    """Correction (T, 3) to add to world joints (T, 17, 3), z up, floor at 0; `camera` (3,) is where they are seen from.

    Nobody sinks: frames in which an ankle would be below the floor get a footing of their own.
    """
    frames = len(joints)
    if frames < 3:
        return _lift(joints, footings)
    ankles = joints[:, ANKLES]
    stands, goal, sunk = (np.zeros((frames, 2)) for _ in range(3))
    for footing in footings:
        at, foot = footing.step.frames, footing.step.foot
        stands[at, foot] = _fade(footing.step.stop - footing.step.start, fps)
        goal[at, foot] = footing.level_m + ANKLE_HEIGHT_M - ankles[at, foot, 2]
    correction: Floats = np.zeros((frames, 3))
    for _ in range(_SINKING_PASSES):
        correction = _solve(ankles, camera, stands, goal, sunk, fps, along_m)
        below = ankles[..., 2] + correction[:, None, 2] < ANKLE_HEIGHT_M - _HEIGHT_M
        if not below.any():
            break
        sunk = np.maximum(sunk, below)
        goal = np.where((stands == 0) & (sunk > 0), ANKLE_HEIGHT_M - ankles[..., 2], goal)
    return correction


def keep_above(joints: Floats, fps: float) -> Floats:
    """World joints (T, 17, 3) raised smoothly where any would be in the floor: hands, backs, bad lifts."""
    width = 2 * round(_RISE_S * fps / 2) + 1
    deficit = maximum_filter1d(
        np.maximum(_CLEARANCE_M - joints[..., 2].min(1), 0.0), width, mode="nearest"
    )
    rise = uniform_filter1d(
        deficit, width, mode="nearest"
    )  # never less than what is needed in the middle
    return np.asarray(joints + rise[:, None, None] * [0.0, 0.0, 1.0])


def _solve(
    ankles: Floats,
    camera: Floats,
    stands: Floats,
    goal: Floats,
    sunk: Floats,
    fps: float,
    along_m: float,
) -> Floats:
    """(T, 3): least squares over nearness to the measured path, still feet, their height, and acceleration."""
    frames = len(ankles)
    sight = ankles.mean(1) - camera
    sight /= np.maximum(np.linalg.norm(sight, axis=-1, keepdims=True), 1e-9)
    blocks = np.zeros((3, frames, 3, 3))  # of the normal equations: frame t with t, t + 1, t + 2
    right = np.zeros((frames, 3))
    beside = np.eye(3) - sight[:, :, None] * sight[:, None]
    blocks[0] += beside / _ACROSS_M**2 + (np.eye(3) - beside) / along_m**2

    height = np.maximum(stands, sunk) / _HEIGHT_M**2
    blocks[0, :, 2, 2] += height.sum(1)
    right[:, 2] += (height * goal).sum(1)

    grip = np.minimum(stands[1:], stands[:-1]) * (fps / _SKATE_M_S) ** 2  # (T - 1, 2)
    slip = np.diff(ankles, axis=0)
    pull = (grip[..., None] * slip).sum(1)
    eye = np.diag([1.0, 1.0, 0.0])
    total = grip.sum(1)[:, None, None] * eye
    blocks[0, 1:] += total
    blocks[0, :-1] += total
    blocks[1, :-1] -= total
    right[1:] -= pull @ eye
    right[:-1] += pull @ eye

    stiffness = (fps**2 / _ACCELERATION_M_S2) ** 2 * np.eye(3)
    for i, a in enumerate((1.0, -2.0, 1.0)):
        for j, b in enumerate((1.0, -2.0, 1.0)[: i + 1]):
            blocks[i - j, j : frames - 2 + j] += a * b * stiffness
    return solve_blocks(blocks, right)


def solve_blocks(blocks: Floats, right: Floats) -> Floats:
    """Solve a symmetric system of 3 × 3 blocks that couple each frame with itself and the next two.

    blocks (3, T, 3, 3): block d, t stands in row t + d and column t; right (T, 3). Returns (T, 3).
    """
    frames = len(right)
    band = np.zeros((9, 3 * frames))  # lower form: band[k, j] = A[j + k, j]
    for d in range(3):
        for row in range(3):
            for column in range(3):
                k = 3 * d + row - column
                if k >= 0:
                    band[k, column::3] = blocks[d, :, row, column]
    return np.asarray(solveh_banded(band, right.ravel(), lower=True)).reshape(frames, 3)


def _fade(length: int, fps: float) -> Floats:
    """(length,) weights that rise to 1 and fall again, so that a foot is neither caught nor let go with a jerk."""
    edge = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)) / (_EDGE_S * fps)
    return np.minimum(edge, 1.0)


def _lift(joints: Floats, footings: list[Footing]) -> Floats:
    """For one or two frames: straight up or down onto the ground."""
    gaps = [
        footing.level_m
        + ANKLE_HEIGHT_M
        - joints[footing.step.frames, ANKLES[footing.step.foot], 2].mean()
        for footing in footings
    ]
    return np.tile([0.0, 0.0, float(np.mean(gaps)) if gaps else 0.0], (len(joints), 1))
