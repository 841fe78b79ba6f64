"""What a camera must keep of people, and the nearest and smoothest positions that keep it.

The camera keeps its direction, so a frame bounds its position by linear inequalities. With a, b, d
a point's coordinates to the right, up and forward, c the camera's, and s the tangent of half the
view, a point is in the picture where

    |a - c_a| ≤ s · (d - c_d)   ⇔   c_a - s c_d ≥ a - s d   and   -c_a - s c_d ≥ -a - s d,

and likewise up. So four numbers a frame, the maxima of the right sides over all points, are all
that matters: its reach. The nearest camera that keeps them is in the middle: c_a is half the
difference of the two, and -s c_d half their sum.

Over time a position that keeps them all is made of smooth curves above the four. A curve's maximum
over ± w frames, averaged with weights over ± w frames, lies above the curve everywhere, since each
mean is one of maxima that include the frame. Where people travel, that is done for what is left of
the curves beside their own smooth mean, which the camera follows.
"""

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from core.types import Floats

BODY_M, HALO_M = 0.08, 0.2
"""Kept free around joints: the body; and at most, one standard deviation where they are unsure."""
EMPTY_DISTANCE_M, EMPTY_MIDDLE_M = 4.0, np.array([0.0, 0.0, 0.9])
"""Where there are no people, the view is that of one who stands still."""


def reach(joints_m: Floats, sigma_m: Floats, axes: Floats, slopes: tuple[float, float]) -> Floats:
    """What a camera must keep of people.

    Args:
        joints_m: (R, J, 3) metres.
        sigma_m: (R, J) metres, or NaN.
        axes: (3, 3) or (R, 3, 3) of the view.
        slopes: Of its lens.

    Returns:
        (R, 4) metres: to the right, left, up and down; NaN for rows with NaN.
    """
    around = BODY_M + np.nan_to_num(sigma_m).clip(0, HALO_M)
    right, up, forward = np.moveaxis(joints_m @ np.swapaxes(axes, -1, -2), -1, 0)
    across, along = (slope * forward for slope in slopes)
    sides = (right - across, -right - across, up - along, -up - along)
    return np.stack([(side + around).max(-1) for side in sides], -1)


def smooth_upper_envelope(values: Floats, trend: float, window: float) -> Floats:
    """Smooth curves above curves; see the module.

    Args:
        values: (N, K), finite.
        trend: Frames, ±, of the mean that is followed; infinite for none.
        window: w, frames; infinite for the maximum of all.

    Returns:
        (N, K); nowhere below `values`.
    """
    mean = _mean(values, trend, "reflect") if np.isfinite(trend) else np.zeros_like(values)
    if not np.isfinite(window):
        return np.asarray(mean + (values - mean).max(0))
    half = _half(window, len(values))
    above = np.pad(values - mean, ((half, half), (0, 0)), mode="edge")
    highest = sliding_window_view(above, 2 * half + 1, axis=0).max(-1)
    return mean + _mean(highest, window, "edge")


def _half(window: float, count: int) -> int:
    """A window in whole frames, at most as long as the curve."""
    return min(max(round(window), 1), max(count - 1, 0))


def _mean(values: Floats, window: float, end: Literal["edge", "reflect"]) -> Floats:
    """Means of (N, K) over ± `window` frames, with the weights of a Hann window.

    Beyond its ends a curve keeps its value, or goes on as it came: turned about its last point.
    """
    half = _half(window, len(values))
    around = ((half, half), (0, 0))
    if end == "edge":
        padded = np.pad(values, around, mode="edge")
    else:
        padded = np.pad(values, around, mode="reflect", reflect_type="odd")
    weights = np.hanning(2 * half + 3)[1:-1]
    weights /= weights.sum()
    return np.stack([np.convolve(column, weights, "valid") for column in padded.T], 1)


def nearest_position(reaches: Floats, slopes: tuple[float, float]) -> Floats:
    """The nearest camera that keeps reaches (…, 4): (…, 3) to the right, up and forward, metres."""
    right, left, up, down = np.moveaxis(reaches, -1, 0)
    back = np.maximum((right + left) / slopes[0], (up + down) / slopes[1]) / 2
    return np.stack([(right - left) / 2, (up - down) / 2, -back], -1)
