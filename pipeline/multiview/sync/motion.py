"""What is compared of motion: how fast the joints of a person move, as no viewpoint changes it.

Of a lifted person these are the speed of each limb's joint relative to the pelvis, and its vertical
velocity, which has a sign and hardly any of the error of depth: cameras stand upright, or nearly.
"""

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import savgol_filter

from core.skeletons import Skeleton
from core.types import Floats
from pipeline.lifting.resampling import to_frame_times
from pipeline.multiview.sync.correlation import Signal

MOTION_HZ = 100.0
LONGEST_S = 1200.0
"""Of a view that is compared."""
_JOINTS = (
    "r_knee", "r_ankle", "l_knee", "l_ankle", "l_elbow", "l_wrist", "r_elbow", "r_wrist",
    "neck_base",
)  # fmt: skip
_WINDOW_S = 0.2  # of the parabola that a velocity is taken from
_AROUND_S = 4.0  # over which the mean of a channel is 0
_STILL_M_S = 0.1  # slower joints say little
_LOUDEST = 3.0
_GAP_S = 0.5  # rows farther apart say nothing of what lies between


def motion_signal(
    joints_m: Floats, times_s: Floats, skeleton: Skeleton, seconds: float
) -> Signal | None:
    """The motion of one person of one view.

    Args:
        joints_m: (T, J, 3) metres relative to the pelvis, camera axes.
        times_s: (T,) seconds on the view's clock, rising.
        skeleton: That of the joints.
        seconds: How long the view lasts.

    Returns:
        A signal over all of the view, 0 where the person is not seen; None of too few rows.
    """
    grid = np.arange(round(min(seconds, LONGEST_S) * MOTION_HZ)) / MOTION_HZ
    window = round(_WINDOW_S * MOTION_HZ / 2) * 2 + 1
    is_known = _is_known(grid, times_s)
    if is_known.sum() < 2 * window:
        return None
    points = joints_m[:, skeleton.indices(_JOINTS)].reshape(len(times_s), -1)
    even = to_frame_times(points, times_s, grid)
    velocities = savgol_filter(even, window, 2, deriv=1, delta=1 / MOTION_HZ, axis=0)
    velocities = velocities.reshape(len(grid), -1, 3)
    channels = np.concatenate(
        [np.linalg.norm(velocities, axis=-1), velocities[..., 1]], axis=1
    )  # (T, 2 J)
    return Signal(MOTION_HZ, _standard(channels, is_known))


def _is_known(grid: Floats, times_s: Floats) -> Floats:
    """(G,) bool: which times of a grid lie between rows that are no more than a gap apart."""
    after = np.searchsorted(times_s, grid).clip(1, max(len(times_s) - 1, 1))
    gap = times_s[after] - times_s[after - 1] if len(times_s) > 1 else np.full(len(grid), np.inf)
    inside = (grid >= times_s[0]) & (grid <= times_s[-1])
    return np.asarray(inside & (gap < _GAP_S))


def _standard(channels: Floats, is_known: Floats) -> Floats:
    """Channels (T, C) with a running mean of 0 and like spreads, 0 where nothing is known."""
    known = is_known[:, None].astype(float)
    window = round(_AROUND_S * MOTION_HZ)
    sums = uniform_filter1d(channels * known, window, axis=0, mode="constant")
    counts = uniform_filter1d(known, window, axis=0, mode="constant")
    means = sums / np.maximum(counts, 1 / window)
    centred = (channels - means) * known
    spread = np.sqrt((centred**2).sum(0) / max(known.sum(), 1.0))
    limited = (centred / np.maximum(spread, _STILL_M_S)).clip(-_LOUDEST, _LOUDEST)
    return np.asarray(limited * known)
