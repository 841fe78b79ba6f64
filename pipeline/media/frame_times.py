"""Frame times: made to rise strictly on the way in, recognised as a constant rate on the way out."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np

from core.types import Floats, VideoInfo

SAME_RATE_S = 0.0006
"""Times this near to an even grid are of constant rate: Matroska rounds to a millisecond, so up to 0.5 ms off."""

RESTARTED_S = 1.0
"""A clock that runs back further than this was restarted; less is disorder."""


def constant_rate(times_s: Floats, fps: float) -> Fraction | None:
    """The exact frame rate (30000/1001, 25, …) that times_s (T,) keep to, None if they are of variable rate.

    `fps` is what the container says; it decides where the times alone leave several rates possible.
    """
    if len(times_s) == 0:
        return None
    rates = [fps]
    if len(times_s) > 1:
        rates.append((len(times_s) - 1) / float(times_s[-1] - times_s[0]))
    since_first, index = times_s - times_s[0], np.arange(len(times_s))
    for rate in (Fraction(rate).limit_denominator(1001) for rate in rates):
        if rate > 0 and np.all(np.abs(since_first - index / float(rate)) < SAME_RATE_S):
            return rate
    return None


def measured(info: VideoInfo, times_s: Floats) -> VideoInfo:
    """`info` with the rate, count and duration of a video whose frames, all of them, were shown at times_s (T,)."""
    if len(times_s) < 2:
        return replace(info, frame_count=len(times_s), duration_s=1 / info.fps)
    rate = constant_rate(times_s, info.fps)
    last_s = float(1 / rate if rate else times_s[-1] - times_s[-2])
    duration_s = float(times_s[-1]) + last_s
    fps = float(rate) if rate else len(times_s) / (duration_s - float(times_s[0]))
    return replace(info, fps=fps, frame_count=len(times_s), duration_s=duration_s)


class RisingClock:
    """Makes container times rise strictly. In real files they repeat, run backwards, restart or are missing."""

    def __init__(self, fps: float) -> None:
        self._step = 1 / fps
        self._last: float | None = None
        self._shift = 0.0

    def time_s(self, stamp_s: float) -> float:
        """The time of the next frame, whose container time is `stamp_s`: 0 or NaN where it has none."""
        stamp_s = stamp_s if math.isfinite(stamp_s) else 0.0
        time = self._shift + stamp_s
        if self._last is None:
            time = max(time, 0.0)
        elif time <= self._last and stamp_s == 0.0:
            time = self._last + self._step
        elif time < self._last - RESTARTED_S:
            self._shift += self._last + self._step - time
            time = self._last + self._step
        elif (
            time <= self._last
        ):  # half a step leaves room for the next frame, whose time may be right
            time = self._last + self._step / 2
        self._last = time
        return time
