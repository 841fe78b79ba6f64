"""Detections of every frame → one track a person.

Each frame, people are given to tracks by Hungarian assignment, so that all together surprise least: by place (where a
Kalman filter expects them), by size, and by pose and box (OKS, object keypoint similarity as COCO defines it, and IoU).
The surer what a track expects, the more a person who is elsewhere surprises: so two who cross keep their own. Tracks
that are left take weak detections, which begin none (Zhang et al., "ByteTrack", ECCV 2022, arXiv:2110.06864). A track
ends soon after its person is lost; the pieces of one person are put together when they are known whole (`reidentify`),
and what was nobody is dropped (`false_people`). Nothing looks at colours.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from core.types import Detections, Floats, Track
from pipeline.results.spool import SeenPeople
from pipeline.tracking.filtering import PersonRules, real_people
from pipeline.tracking.linking import chains
from pipeline.tracking.tracklet import Piece, Sight

_LEAST_FRAMES = 2  # that a piece waits, however slow the frames come


@dataclass(frozen=True)
class TrackingRules:
    """When a track is born, kept and dropped."""

    min_box_score: float = 0.4
    """People a detector is less sure of begin no track."""
    min_weak_score: float = 0.1
    """People a detector is less sure of are passed over."""
    double_oks: float = 0.8
    """Of two people in one frame more alike than this, the less sure one is the other seen twice."""
    max_surprise: float = 5.0
    """A person who would surprise every track more starts a new one."""
    max_weak_surprise: float = 0.0
    """As `max_surprise`, for weak detections."""
    memory_s: float = 1.0
    """Who is not seen for longer is not expected in every frame any more."""
    break_s: float = 0.2
    """Who is not seen for longer is taken up as a new piece, to be put together in hindsight."""
    min_piece_s: float = 0.1
    """Shorter pieces are nobody's, unless the whole video is shorter."""
    reappear_s: float = 3.0
    """Who comes back within this time keeps their number."""
    max_return_surprise: float = 9.0
    """As `max_surprise`, for two pieces to be of one person: both are known whole, so that less goes wrong."""
    person: PersonRules = field(default_factory=PersonRules)
    """Who is nobody."""


class Tracker:
    """Who is who, frame by frame, knowing nothing of later frames; also for live cameras, with a longer `memory_s`."""

    def __init__(self, fps: float, rules: TrackingRules | None = None) -> None:
        self._fps, self._rules = fps, rules or TrackingRules()
        self._memory, self._break = (  # frames
            max(seconds * fps, _LEAST_FRAMES)
            for seconds in (self._rules.memory_s, self._rules.break_s)
        )
        self._running: list[Piece] = []
        self._born = 0

    def update(self, found: Detections) -> dict[int, Piece]:
        """The piece of each person (row) of the next frame; people who are in none are left out."""
        rules = self._rules
        self._running = [
            piece for piece in self._running if found.frame_index - piece.last.frame <= self._memory
        ]
        sights = _each_once(found, rules)
        strong = [person for person in sights if found.box_scores[person] >= rules.min_box_score]
        weak = [person for person in sights if found.box_scores[person] < rules.min_box_score]
        given = self._give(sights, strong, list(self._running), rules.max_surprise)
        since = found.frame_index - self._break
        lost = [piece for piece in self._running if since <= piece.last.frame < found.frame_index]
        given |= self._give(sights, weak, lost, rules.max_weak_surprise)
        given |= {person: self._begun(sights[person]) for person in strong if person not in given}
        return given

    def _begun(self, sight: Sight) -> Piece:
        self._born += 1
        self._running.append(Piece(self._born, sight, self._fps))
        return self._running[-1]

    def _give(
        self, sights: dict[int, Sight], people: list[int], pieces: list[Piece], most: float
    ) -> dict[int, Piece]:  # fmt: skip
        """Give people to pieces at the least surprise together; `most` is that of a piece without a person."""
        if not pieces or not people:
            return {}
        table = np.array(
            [[min(piece.surprise(sights[person]), most) for person in people] for piece in pieces]
        )
        pairs = [
            (i, j) for i, j in zip(*linear_sum_assignment(table), strict=True) if table[i, j] < most
        ]
        return {people[j]: self._continued(pieces[i], sights[people[j]]) for i, j in pairs}

    def _continued(self, piece: Piece, sight: Sight) -> Piece:
        """The piece one row longer, or, where it was lost for too long, a new one in its stead."""
        if sight.frame - piece.last.frame > self._break:
            self._running.remove(piece)
            return self._begun(sight)
        piece.take(sight)
        return piece


@dataclass(frozen=True)
class Followed:
    """One person through a video's `detections`: in which T frames they are seen, and where to find them there.

    frame_indices (T,) strictly rising; boxes_xyxy (T, 4) px; rows (T, 2) place in `detections`, person in these. What
    is bridged between the frames is `pipeline.lifting.people`'s.
    """

    track_id: int
    frame_indices: NDArray[np.int64]
    boxes_xyxy: Floats
    rows: NDArray[np.int32]
    detections: SeenPeople

    def __len__(self) -> int:
        return len(self.frame_indices)

    def part(self, start: int, stop: int) -> Track:
        """The rows from `start` to `stop` - 1 with all that was detected."""
        found = [(self.detections[place], person) for place, person in self.rows[start:stop]]
        return Track(
            self.track_id,
            self.frame_indices[start:stop],
            self.boxes_xyxy[start:stop],
            np.stack([one.keypoints_xy[person] for one, person in found]),
            np.stack([one.keypoint_scores[person] for one, person in found]),
            np.stack([one.keypoints_3d[person] for one, person in found]),
            found[0][0].skeleton,
        )


def track_people(
    detections: SeenPeople, fps: float, rules: TrackingRules | None = None
) -> list[Followed]:
    """All people of a video, numbered from 1 by their first frame."""
    rules = rules or TrackingRules()
    tracker = Tracker(fps, rules)
    pieces: list[Piece] = []
    for place, found in enumerate(detections):
        for person, piece in tracker.update(found).items():
            if not len(piece):
                pieces.append(piece)
            piece.found_at(place, person)
    least = min(rules.min_piece_s * fps, max(len(detections) // 2, 1))
    pieces = [piece for piece in pieces if len(piece) >= least]
    people = chains(pieces, detections, rules.reappear_s, rules.max_return_surprise)
    people = real_people(people, detections, fps, rules.person)
    return [_followed(number, chain, detections) for number, chain in enumerate(people, 1)]


def _each_once(found: Detections, rules: TrackingRules) -> dict[int, Sight]:
    """The people of a frame by their row, without those seen twice."""
    sights: dict[int, Sight] = {}
    for person in np.argsort(-found.box_scores, kind="stable").tolist():
        sight = Sight.of(found, person)
        if found.box_scores[person] >= rules.min_weak_score and not any(
            sight.alike(other, 1.0) > rules.double_oks for other in sights.values()
        ):
            sights[person] = sight
    return sights


def _followed(number: int, chain: list[Piece], detections: SeenPeople) -> Followed:
    rows = np.concatenate([piece.rows for piece in chain])
    frames, boxes = np.zeros(len(rows), np.int64), np.zeros((len(rows), 4), np.float32)
    for i, (place, person) in enumerate(rows):
        found = detections[place]
        frames[i], boxes[i] = found.frame_index, found.boxes_xyxy[person]
    return Followed(number, frames, boxes, rows, detections)
