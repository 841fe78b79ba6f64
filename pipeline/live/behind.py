"""When a machine has no time for every picture: poses come first."""

import time

from pipeline.live.moment import Moment

_FIRST_S, _LONGEST_S = 0.5, 8.0
_NEARLY = 1.5  # after twice the time, the next frame is missed


class Behind:
    """Whether pictures are to be left out; asked of every moment when its poses are out.

    They are for a while after a frame was missed, or nearly: its poses took `_NEARLY` times as long
    as it lasts. Where that happens again soon after the while is over, the next is twice as long.
    """

    def __init__(self) -> None:
        self._last: Moment | None = None
        self._while_s, self._until_s = _FIRST_S, 0.0

    def __call__(self, moment: Moment) -> bool:
        """Whether to leave out pictures, this moment's for one."""
        now_s = moment.frame.time_s
        if self._is_late(moment):
            if now_s >= self._until_s:
                is_soon = now_s < self._until_s + self._while_s
                self._while_s = min(2 * self._while_s, _LONGEST_S) if is_soon else _FIRST_S
            self._until_s = now_s + self._while_s
        self._last = moment
        return now_s < self._until_s

    def _is_late(self, moment: Moment) -> bool:
        if self._last is None:
            return False
        frames = moment.frame.index - self._last.frame.index
        interval_s = (moment.frame.time_s - self._last.frame.time_s) / frames
        return frames > 1 or time.monotonic() - moment.arrived_s > _NEARLY * interval_s
