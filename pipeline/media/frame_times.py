"""Frame times: made strictly increasing when read, recognised as a constant rate when written."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np

from core.types import Floats, VideoInfo

RATE_TOLERANCE_S = 0.0006
"""How far times of a constant rate may be off an even grid: Matroska rounds to a millisecond."""

RESTART_S = 1.0
"""A clock that runs back further than this was restarted; less is disorder."""


def constant_rate(times_s: Floats, fps: float) -> Fraction | None:
    """Find the exact frame rate (30000/1001, 25, …) of a video.

    Args:
        times_s: (T,) seconds, presentation times, increasing.
        fps: The rate that the container gives; it decides where the times leave several possible.

    Returns:
        The rate in frames per second, None where it is variable.
    """
    if len(times_s) == 0:
        return None
    rates = [fps]
    if len(times_s) > 1:
        rates.append((len(times_s) - 1) / float(times_s[-1] - times_s[0]))
    since_first, index = times_s - times_s[0], np.arange(len(times_s))
    # every rate in use is n/1001 or n/1; accept the first whose grid k/rate all times lie on
    for rate in (Fraction(rate).limit_denominator(1001) for rate in rates):
        if rate > 0 and np.all(np.abs(since_first - index / float(rate)) < RATE_TOLERANCE_S):
            return rate
    return None


def measured(info: VideoInfo, times_s: Floats) -> VideoInfo:
    """Replace a container's rate, frame count and duration by those of its frames.

    Args:
        info: The video as its container describes it.
        times_s: (T,) seconds, the presentation times of all its frames.

    Returns:
        `info` with `fps` the average rate, and `duration_s` to the end of the last frame.
    """
    if len(times_s) < 2:
        return replace(info, frame_count=len(times_s), duration_s=1 / info.fps)
    rate = constant_rate(times_s, info.fps)
    last_frame_s = float(1 / rate if rate else times_s[-1] - times_s[-2])
    duration_s = float(times_s[-1]) + last_frame_s
    fps = float(rate) if rate else len(times_s) / (duration_s - float(times_s[0]))
    return replace(info, fps=fps, frame_count=len(times_s), duration_s=duration_s)


class MonotonicClock:
    """Makes container times strictly increasing.

    In real files they repeat, run backwards, restart, leap ahead or are missing.

    Args:
        fps: The frame rate that times without a stamp have.
        max_leap_s: A clock that leaps ahead by more is taken to go on, seconds.
    """

    def __init__(self, fps: float, max_leap_s: float = math.inf) -> None:
        self._frame_s, self._max_leap_s = 1 / fps, max_leap_s
        self._last_s: float | None = None
        self._shift_s = 0.0

    def time_s(self, stamp_s: float) -> float:
        """The time of the next frame, seconds.

        Args:
            stamp_s: Its time in the container; 0 or NaN where it has none.
        """
        stamp_s = stamp_s if math.isfinite(stamp_s) else 0.0
        time_s = self._shift_s + stamp_s
        if self._last_s is None:
            time_s = max(time_s, 0.0)
        elif time_s <= self._last_s and stamp_s == 0.0:  # missing
            time_s = self._last_s + self._frame_s
        elif not -RESTART_S <= time_s - self._last_s <= self._max_leap_s:
            self._shift_s += self._last_s + self._frame_s - time_s
            time_s = self._last_s + self._frame_s
        elif time_s <= self._last_s:
            # half a frame leaves room for the next one, whose own time may be right
            time_s = self._last_s + self._frame_s / 2
        self._last_s = time_s
        return time_s
