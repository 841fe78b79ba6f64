"""Who is who while it happens: the tracker of whole videos, asked after every frame."""

from dataclasses import dataclass, replace

from core.types import Detections
from pipeline.tracking.tracker import Tracker, TrackingRules
from pipeline.tracking.tracklet import Piece

RULES = TrackingRules(memory_s=2.0, break_s=2.0)
"""Pieces are not put together later, so a piece waits for its person, and frames are missed on the way."""

_CLOCK_HZ = 30.0  # the tracker counts time in frames; a live source's come as they like
_SURE_S = 0.4  # of being seen before somebody gets a number: less may be a flicker of the detector


@dataclass
class _Somebody:
    """A piece of a track; its number, 0 until it is sure; in how many frames its person was seen."""

    piece: Piece
    track_id: int = 0
    frames: int = 0


class LiveIds:
    """Numbers people from 1, in the order in which it becomes sure that they are there."""

    def __init__(self, max_people: int | None) -> None:
        self._tracker = Tracker(_CLOCK_HZ, RULES)
        self._max_people = max_people
        self._clock, self._given = -1, 0
        self._known: dict[int, _Somebody] = {}

    def update(self, found: Detections, time_s: float) -> dict[int, int]:
        """Track id → person of the frame's detections; those seen longest where only so many are wanted."""
        self._clock = max(round(time_s * _CLOCK_HZ), self._clock + 1)
        reach = RULES.memory_s * _CLOCK_HZ
        self._known = {
            key: one
            for key, one in self._known.items()
            if self._clock - one.piece.last.frame <= reach
        }
        here = []
        for person, piece in self._tracker.update(replace(found, frame_index=self._clock)).items():
            somebody = self._known.setdefault(piece.number, _Somebody(piece))
            somebody.frames += 1
            if not somebody.track_id and self._clock - piece.first.frame >= _SURE_S * _CLOCK_HZ:
                self._given += 1
                somebody.track_id = self._given
            if somebody.track_id:
                here.append((-somebody.frames, somebody.track_id, person))
        return {track_id: person for _, track_id, person in sorted(here)[: self._max_people]}

    @property
    def alive(self) -> set[int]:
        """The ids that may come back."""
        return {one.track_id for one in self._known.values()}
