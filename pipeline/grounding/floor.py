"""Levels: at what height the floor is, and how near to it two levels count as one.

A level is the height of a sole. It is read off contacts, and off the lowest joints where there are
none. The offline and the online world share the thresholds and helpers of this file.
"""

import numpy as np

from core.skeletons import H36M_17
from core.types import Floats
from pipeline.grounding.feet.offsets import smooth_above
from pipeline.grounding.feet.soles import ANKLE_HEIGHT_M

SAME_FLOOR_M = 0.35
"""Levels of two people, or of one person's contacts, that differ by less are one floor."""

_BODY = slice(len(H36M_17))  # all joints but heels and toes, which belong on the floor
_CLEARANCE_M = 0.03  # of any joint of the body above the floor
_RAISE_S = 0.3  # over which a raise above the floor is spread
_LOW_PERCENTILE = 10.0  # of a person's lowest joint over time: robust against noise downwards
_FLOOR_SHARE = 0.15  # of all time in contact that must be spent at a level for it to be the floor


def lowest_level(joints: Floats) -> float:
    """The level at which a person of `joints` (T, J, 3), metres, z up, is when lowest."""
    lowest = joints[:, _BODY, 2].min(1)
    return float(np.percentile(lowest, _LOW_PERCENTILE)) - ANKLE_HEIGHT_M


def floor_level(levels: Floats, seconds: Floats) -> float:
    """Find the floor: the lowest weighted mode of the levels of contacts.

    A box window of width h = `SAME_FLOOR_M` around each level x_i gives it the share of all time

        s_i = Σ_j d_j [|x_j - x_i| < h / 2] / Σ_j d_j

    The floor is the weighted median of the window around the lowest level with
    s_i ≥ `_FLOOR_SHARE`, or with the largest share where none has that much.

    Args:
        levels: (K,) x, metres, of all people's contacts; K ≥ 1.
        seconds: (K,) d, their durations.

    Returns:
        The floor's height in the same frame of reference, metres.
    """
    order = np.argsort(levels)
    levels = levels[order]
    seconds = seconds[order]
    # The window around level i is first[i]…last[i] - 1; its time is a difference of cumulated sums.
    cumulated = np.concatenate([[0.0], np.cumsum(seconds)])
    first = np.searchsorted(levels, levels - SAME_FLOOR_M / 2, side="right")
    last = np.searchsorted(levels, levels + SAME_FLOOR_M / 2)
    shares = (cumulated[last] - cumulated[first]) / cumulated[-1]  # s
    lowest = np.argmax(shares >= min(_FLOOR_SHARE, shares.max()))
    window = slice(first[lowest], last[lowest])
    return weighted_median(levels[window], seconds[window])


def common_level(level: float, levels: Floats, seconds: Floats) -> float:
    """The weighted median of those of a person's `levels` (K,) that are about at `level`."""
    near = np.abs(levels - level) < SAME_FLOOR_M / 2
    return weighted_median(levels[near], seconds[near])


def weighted_median(values: Floats, weights: Floats) -> float:
    """The value (of (K,), K ≥ 1) at which the sorted values' cumulated weight reaches one half."""
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(cumulated, weights.sum() / 2)])


def floor_deficit(joints: Floats) -> Floats:
    """(…,) metres by which bodies (…, J, 3), z up, lack clearance at their lowest; 0 if none."""
    return np.asarray(np.maximum(_CLEARANCE_M - joints[..., _BODY, 2].min(-1), 0.0))


def raise_above_floor(joints: Floats, fps: float) -> Floats:
    """Raise a person smoothly wherever a joint would be in the floor: hands, backs, bad lifts.

    Args:
        joints: (T, J, 3) metres, z up, floor at 0.
        fps: Frames a second.

    Returns:
        (T, J, 3), each frame's pose unchanged.
    """
    rise = smooth_above(floor_deficit(joints), _RAISE_S * fps)
    return np.asarray(joints + rise[:, None, None] * [0.0, 0.0, 1.0])
