"""Which foot stands still when: steps, read off the ankles' speed and height, and how much planted feet skate.

Human3.6M's skeleton ends at the ankles. An ankle hardly moves while its foot is flat on the ground, and begins to turn
about the toes when the heel lifts: a step here is the flat part, about half of a walker's stance.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.skeletons import H36M_17
from core.types import CameraPoses, Floats

Bools = NDArray[np.bool_]

ANKLES = H36M_17.indices(("l_ankle", "r_ankle"))
"""Feet always come in this order."""

_STILL_M_S, _MOVING_M_S = (
    0.35,
    0.6,
)  # slower than the first, a foot is set down; faster than the second, lifted
_LOW_M = 0.15  # a foot this far above the lowest it or the other one gets nearby is held up, not set down
_NEARBY_S = 0.4
_SHORTEST_S = 0.1
_BREAK_S = 0.1  # a step that trembles for less is one step
_ASIDE_S, _APEX_M = (
    0.15,
    0.04,
)  # a foot that comes from below and falls again is at the top of a jump
_ALONG = 0.35  # share of the speed along the line of sight that counts: depth trembles much more than what is seen


@dataclass(frozen=True)
class Step:
    """A foot stands on the ground in frames `start` to `stop` - 1; `foot` is 0 for the left and 1 for the right."""

    foot: int
    start: int
    stop: int

    @property
    def frames(self) -> slice:
        """The rows of this step."""
        return slice(self.start, self.stop)


def foot_speeds(poses: CameraPoses, fps: float) -> Floats:
    """(T, 2) m/s of the ankles as the camera sees them: mostly across the line of sight."""
    ankles = poses.root_m[:, None] + poses.joints_m[:, ANKLES]
    if len(ankles) < 2:
        return np.zeros(ankles.shape[:2])
    velocity = np.gradient(ankles, axis=0) * fps
    sight = ankles / np.maximum(np.linalg.norm(ankles, axis=-1, keepdims=True), 1e-9)
    along = (velocity * sight).sum(-1, keepdims=True) * sight
    return np.asarray(np.linalg.norm(velocity - (1 - _ALONG) * along, axis=-1))


def find_steps(speeds: Floats, heights: Floats, fps: float) -> list[Step]:
    """Stretches in which a foot is slow and low. `speeds` m/s and `heights` m above any level are (T, 2).

    A foot that is not seen is given an infinite speed, and takes no step.
    """
    if not len(heights):
        return []
    reach = max(round(_NEARBY_S * fps), 1)
    padded = np.pad(heights.min(1), reach, mode="edge")
    ground = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(-1)
    low = heights - ground[:, None] < _LOW_M
    steps = []
    for foot in range(2):
        speed = speeds[:, foot]
        still = _hysteresis(
            low[:, foot] & (speed < _STILL_M_S), low[:, foot] & (speed < _MOVING_M_S)
        )
        for start, stop in stretches(~still):
            if start > 0 and stop < len(still) and stop - start <= _BREAK_S * fps:
                still[start:stop] = True
        steps += [Step(foot, start, stop) for start, stop in stretches(still)]
    shortest = min(math.ceil(_SHORTEST_S * fps), len(heights))
    steps = [step for step in steps if step.stop - step.start >= shortest]
    return [
        step for step in steps if not _is_apex(step, heights[:, step.foot], round(_ASIDE_S * fps))
    ]


def planted(steps: list[Step], frames: int) -> Bools:
    """(T, 2): whether the left and the right foot stands."""
    stands = np.zeros((frames, 2), dtype=bool)
    for step in steps:
        stands[step.frames, step.foot] = True
    return stands


def planted_speeds(joints_m: Floats, feet_planted: Bools, fps: float) -> Floats:
    """(N,) m/s across the floor of planted ankles, each time that one stands for two frames: 0 is what feet do.

    `joints_m` (T, 17, 3) z up and `feet_planted` (T, 2).
    """
    speeds = np.linalg.norm(np.diff(joints_m[:, ANKLES, :2], axis=0), axis=-1) * fps
    return np.asarray(speeds[feet_planted[1:] & feet_planted[:-1] & np.isfinite(speeds)])


def _is_apex(step: Step, heights: Floats, aside: int) -> bool:
    """Whether a foot at `heights` (T,) only seems to stand because it stops rising."""
    if step.stop - step.start > 2 * aside:
        return False
    before, after = (
        heights[max(step.start - aside, 0)],
        heights[min(step.stop - 1 + aside, len(heights) - 1)],
    )
    return bool(max(before, after) < np.median(heights[step.frames]) - _APEX_M)


def stretches(flags: Bools) -> list[tuple[int, int]]:
    """Runs of True in (T,), as start and stop."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _hysteresis(surely: Bools, perhaps: Bools) -> Bools:
    """Runs of `perhaps` that hold at least one `surely`."""
    kept = np.zeros_like(perhaps)
    for start, stop in stretches(perhaps):
        kept[start:stop] = surely[start:stop].any()
    return kept
