"""How fast joints move, metres a second, through the world."""

import numpy as np

from core.types import Floats
from pipeline.motion.quantities import AXIS_SHARE
from pipeline.motion.stretches import Stretch


def joint_speeds(stretch: Stretch) -> tuple[Floats, Floats]:
    """Central differences of positions over presentation times.

    Args:
        stretch: T rows with `time_s`, `joints_world_m` and `joint_sigma_m`, N of which are its own.

    Returns:
        (N, J) m/s, NaN in a stretch of one row; and (N, J), one standard deviation of them as if
        errors in neighbouring frames were independent. They last longer than that, so it is an
        upper bound; it leaves the path of the pelvis out, of which no uncertainty is known.
    """
    joints, times = stretch["joints_world_m"].astype(np.float64), stretch["time_s"]
    if len(times) < 2:
        unknown = np.full((stretch.own.stop - stretch.own.start, joints.shape[1]), np.nan)
        return unknown, unknown
    rows = np.arange(len(times))
    before, after = np.maximum(rows - 1, 0), np.minimum(rows + 1, len(times) - 1)
    seconds = (times[after] - times[before])[:, None]
    speeds = np.linalg.norm(joints[after] - joints[before], axis=-1) / seconds
    sigma = AXIS_SHARE * stretch["joint_sigma_m"]
    sigmas = np.hypot(sigma[after], sigma[before]) / seconds
    return np.asarray(speeds[stretch.own]), np.asarray(sigmas[stretch.own])
