"""Two people in one time: by how much one moves later than the other."""

import numpy as np

from core.types import Floats
from pipeline.results.result import Person

_RATE_HZ = 50.0
_MIN_OVERLAP_S = 1.0


def shift_by_motion(person: Person, other: Person) -> float:
    """Find the shift of a person's times at which two move most alike.

    The normalised cross-correlation of how fast joints move relative to the pelvis, all joints of
    both skeletons, over every shift at which they overlap by a second, or by half of the shorter.

    Args:
        person: Whose times stay.
        other: Whose times are shifted.

    Returns:
        Seconds to add to the times of `other`; 0 where one of them hardly has any.
    """
    speeds, starts = [], []
    for one in (person, other):
        times, values = _joint_speeds(one)
        if len(times) < 2:
            return 0.0
        even = np.arange(times[0], times[-1], 1 / _RATE_HZ)
        speeds.append(np.stack([np.interp(even, times, column) for column in values.T], 1))
        starts.append(float(times[0]))
    count = min(speed.shape[1] for speed in speeds)
    ours, theirs = (speed[:, :count] for speed in speeds)
    least = int(min(_MIN_OVERLAP_S * _RATE_HZ, len(ours) / 2, len(theirs) / 2))
    lags = range(least - len(theirs), len(ours) - least + 1)
    alike = [_correlation(ours, theirs, lag) for lag in lags]
    return starts[0] - starts[1] + lags[int(np.argmax(alike))] / _RATE_HZ


def _correlation(ours: Floats, theirs: Floats, lag: int) -> float:
    """Of what overlaps when `theirs` (U, J) starts `lag` rows after `ours` (T, J)."""
    start, stop = max(lag, 0), min(lag + len(theirs), len(ours))
    a, b = ours[start:stop], theirs[start - lag : stop - lag]
    a, b = a - a.mean(0), b - b.mean(0)
    size = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / size) if size > 0 else 0.0


def _joint_speeds(person: Person) -> tuple[Floats, Floats]:
    """(T - 1,) seconds and (T - 1, J) m/s relative to the pelvis, NaN left out."""
    times, joints = person.times_s, person.joints_camera_m.astype(np.float64)
    gaps = np.diff(times)
    speeds = np.linalg.norm(np.diff(joints, axis=0), axis=-1) / gaps[:, None]
    known = np.isfinite(speeds).all(1)
    return np.asarray((times[1:] - gaps / 2)[known]), speeds[known]
