"""The picture of a live run: side by side as for files, on a stage that grows when people leave it."""

from collections.abc import Sequence

import numpy as np

from core.skeletons import H36M_17
from core.types import Floats, Frame, VideoInfo, WorldPoses
from pipeline.render.compose import SideBySide
from pipeline.render.draw import Picture
from pipeline.render.person import PersonInFrame

_ROOM_M = 1.5  # around a person for whom the stage is made
_FURTHEST_M = 25.0  # beyond it, somebody was misjudged
_PATIENCE = 8  # frames outside before the stage grows for them


class LiveView:
    """Draws moment by moment; the size never changes."""

    def __init__(self, info: VideoInfo) -> None:
        self._info = info
        self._low, self._high = np.zeros(3), np.zeros(3)
        self._outside = _PATIENCE  # the first person is waited for by nobody
        self._drawing = self._staged()

    def draw(self, frame: Frame, people: Sequence[PersonInFrame]) -> Picture:
        """(H, W, 3) RGB of one moment."""
        places = np.array([person.joints_world_m for person in people]).reshape(-1, 3)
        places = places[(np.abs(places) < _FURTHEST_M).all(1)]
        if len(places):
            self._make_room(places)
        return self._drawing.draw(frame, people)

    def _make_room(self, places: Floats) -> None:
        if (places >= self._low).all() and (places <= self._high).all():
            self._outside = 0
            return
        self._outside += 1
        if self._outside > _PATIENCE:
            self._low = np.minimum(self._low, places.min(0) - _ROOM_M)
            self._high = np.maximum(self._high, places.max(0) + np.array([_ROOM_M, _ROOM_M, 0.2]))
            self._drawing = self._staged()
            self._outside = 0

    def _staged(self) -> SideBySide:
        corners = np.stack(
            [np.tile(corner, (len(H36M_17), 1)) for corner in (self._low, self._high)]
        )
        return SideBySide(self._info, [WorldPoses(corners, "room for people", H36M_17)])
