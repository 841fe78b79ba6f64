"""Online tracking for live sources: the tracker of whole videos, asked after every frame."""

from dataclasses import dataclass, replace

from core.types import Detections
from pipeline.tracking.tracker import Tracker, TrackingRules
from pipeline.tracking.tracklet import Tracklet

RULES = TrackingRules(memory_s=2.0, max_gap_s=2.0)
"""No linking follows, so a tracklet waits longer for its person; and live frames get lost."""

_CLOCK_HZ = 30.0  # the tracker counts time in frames, but those of a live source come unevenly
_MIN_AGE_S = 0.4  # of a tracklet before it gets a number: a younger one may be a false detection


@dataclass
class _Person:
    """A tracklet, its track id (0 before it gets one) and the number of frames it was seen in."""

    tracklet: Tracklet
    track_id: int = 0
    frames: int = 0


class OnlineTracker:
    """Tracks people frame by frame.

    Track ids count from 1, in the order in which people are confirmed.
    """

    def __init__(self, max_people: int | None) -> None:
        """Begin without people.

        Args:
            max_people: How many people a frame may have, those seen in most frames; None for all.
        """
        self._tracker = Tracker(_CLOCK_HZ, RULES)
        self._max_people = max_people
        self._clock = -1
        self._last_id = 0
        self._people: dict[int, _Person] = {}

    def update(self, detections: Detections, time_s: float) -> dict[int, int]:
        """Take in the next frame.

        Args:
            detections: Its people; `frame_index` is not used.
            time_s: Its time, later than the last one's.

        Returns:
            Track id → row in `detections`, for at most `max_people`.
        """
        self._clock = max(round(time_s * _CLOCK_HZ), self._clock + 1)
        self._people = {
            number: person
            for number, person in self._people.items()
            if self._clock - person.tracklet.last.frame <= RULES.memory_s * _CLOCK_HZ
        }
        present = []
        tracklets = self._tracker.update(replace(detections, frame_index=self._clock))
        for row, tracklet in tracklets.items():
            person = self._people.setdefault(tracklet.number, _Person(tracklet))
            person.frames += 1
            age = self._clock - tracklet.first.frame
            if not person.track_id and age >= _MIN_AGE_S * _CLOCK_HZ:
                self._last_id += 1
                person.track_id = self._last_id
            if person.track_id:
                present.append((-person.frames, person.track_id, row))
        return {track_id: row for _, track_id, row in sorted(present)[: self._max_people]}

    @property
    def alive(self) -> set[int]:
        """The track ids that may come back; 0 stands for people without one."""
        return {person.track_id for person in self._people.values()}
