"""Multi-person tracking: detections of every frame → one track a person.

1. Association, frame by frame: people are assigned to tracklets so that the sum of costs
   (`Tracklet.costs`) is least, by the Hungarian method: Kuhn, "The Hungarian Method for the
   Assignment Problem", 1955. Strong detections go first; tracklets that got none take weak
   detections, which begin no tracklet: Zhang et al., "ByteTrack: Multi-Object Tracking by
   Associating Every Detection Box", ECCV 2022, arXiv:2110.06864. A tracklet ends soon after its
   person is lost.
2. Linking: the tracklets of one person are joined when they are known whole (`linking`),
   by what they wear, too (`clothes`).
3. Filtering: what is no person is dropped (`filtering`).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from core.types import Detections, Floats
from pipeline.results.detections import DetectionSequence, TrackRows
from pipeline.tracking.clothes import Clothes
from pipeline.tracking.filtering import PersonRules, filter_false_people
from pipeline.tracking.linking import link_tracklets
from pipeline.tracking.tracklet import Observation, Tracklet

_MIN_WAIT_FRAMES = 2  # that a tracklet waits for its person, however low the frame rate


@dataclass(frozen=True)
class TrackingRules:
    """When a tracklet begins, goes on and ends."""

    min_box_score: float = 0.4
    """Detections with a lower score are weak: they begin no tracklet."""
    min_weak_score: float = 0.1
    """Detections with a lower score are dropped."""
    duplicate_oks: float = 0.8
    """Of two people in one frame with a higher OKS, the one with the lower score is a duplicate."""
    max_cost: float = 5.0
    """A strong detection that costs every tracklet more begins a new one."""
    max_weak_cost: float = 0.0
    """As `max_cost`, for weak detections."""
    memory_s: float = 1.0
    """A tracklet without a detection for longer is no longer considered."""
    max_gap_s: float = 0.2
    """A person who returns after longer begins a new tracklet, to be linked when all are known."""
    min_tracklet_s: float = 0.1
    """Shorter tracklets are dropped, unless the whole video is shorter."""
    max_absence_s: float = 3.0
    """Tracklets further apart are not linked, unless clothes tell."""
    max_recognised_s: float = 20.0
    """Not even then."""
    max_link_cost: float = 9.0
    """As `max_cost`, for two tracklets; larger, because whole tracklets say more than one frame."""
    person: PersonRules = field(default_factory=PersonRules)
    """Which tracks are people."""


class Tracker:
    """Frame-by-frame association, which knows nothing of later frames.

    Live sources use it as it is, with a longer `memory_s`.
    """

    def __init__(self, fps: float, rules: TrackingRules | None = None) -> None:
        """Begin without tracklets.

        Args:
            fps: Frames per second, the unit of `Detections.frame_index`.
            rules: When tracklets begin and end.
        """
        self._fps = fps
        self._rules = rules or TrackingRules()
        self._memory_frames = max(self._rules.memory_s * fps, _MIN_WAIT_FRAMES)
        self._max_gap_frames = max(self._rules.max_gap_s * fps, _MIN_WAIT_FRAMES)
        self._active: list[Tracklet] = []
        self._count = 0

    def update(self, detections: Detections) -> dict[int, Tracklet]:
        """Assign the people of the next frame to tracklets.

        Args:
            detections: Those of a later frame than the last time.

        Returns:
            Row in `detections` → its tracklet, updated; rows that belong to none are left out.
        """
        rules, frame, scores = self._rules, detections.frame_index, detections.box_scores
        self._active = [
            tracklet
            for tracklet in self._active
            if frame - tracklet.last.frame <= self._memory_frames
        ]
        observations = _without_duplicates(detections, rules)
        strong = [row for row in observations if scores[row] >= rules.min_box_score]
        weak = [row for row in observations if scores[row] < rules.min_box_score]
        # ByteTrack's first association: all tracklets, strong detections.
        assigned = self._assign(observations, strong, list(self._active), rules.max_cost)
        # Its second: tracklets that are left and were seen just before, weak detections.
        since = frame - self._max_gap_frames
        lost = [tracklet for tracklet in self._active if since <= tracklet.last.frame < frame]
        assigned |= self._assign(observations, weak, lost, rules.max_weak_cost)
        # Strong detections that are left begin tracklets.
        assigned |= {row: self._begin(observations[row]) for row in strong if row not in assigned}
        return assigned

    def forget(self) -> None:
        """End all tracklets, as where the picture cuts to another view."""
        self._active = []

    def _begin(self, observation: Observation) -> Tracklet:
        """Add a tracklet."""
        self._count += 1
        self._active.append(Tracklet(self._count, observation, self._fps))
        return self._active[-1]

    def _assign(
        self,
        observations: dict[int, Observation],
        rows: list[int],
        tracklets: list[Tracklet],
        max_cost: float,
    ) -> dict[int, Tracklet]:
        """Hungarian assignment: row → tracklet.

        Minimises Σ cᵢⱼ over the pairs (i, j) of tracklets and rows, cᵢⱼ = min(cost, max_cost). A
        pair at max_cost stays apart, so that is what a tracklet without a person costs.
        """
        if not tracklets or not rows:
            return {}
        seen = [observations[row] for row in rows]
        costs = np.array([tracklet.costs(seen, max_cost) for tracklet in tracklets])
        return {
            rows[j]: self._continue(tracklets[i], observations[rows[j]])
            for i, j in _cheapest_pairs(costs)
            if costs[i, j] < max_cost
        }

    def _continue(self, tracklet: Tracklet, observation: Observation) -> Tracklet:
        """The tracklet with its next observation, or after too long a gap a new one instead."""
        if observation.frame - tracklet.last.frame > self._max_gap_frames:
            self._active.remove(tracklet)
            return self._begin(observation)
        tracklet.update(observation)
        return tracklet


def track_people(
    detections: DetectionSequence,
    fps: float,
    rules: TrackingRules | None = None,
    shot_starts: Sequence[int] = (),
    clothes: Clothes | None = None,
) -> list[TrackRows]:
    """Track all people of a video: association, linking, filtering.

    Args:
        detections: Those of each frame, by `frame_index`; COCO-17 or -21.
        fps: Frames per second, the unit of `frame_index`.
        rules: When tracklets begin and end, and which tracks are people.
        shot_starts: The places in `detections` where the picture cuts: nobody is followed across.
        clothes: What people wear, if that is known.

    Returns:
        One track a person, numbered from 1 by their first frame.
    """
    rules = rules or TrackingRules()
    tracklets = find_tracklets(detections, fps, shot_starts, rules)
    people = []
    for _, in_shot in groupby(
        tracklets, lambda tracklet: bisect_right(shot_starts, tracklet.rows[0, 0])
    ):
        people += link_tracklets(
            list(in_shot), detections, rules.max_absence_s, rules.max_link_cost, clothes,
            rules.max_recognised_s,
        )  # fmt: skip
    people = filter_false_people(people, detections, fps, rules.person)
    return [_joined(number, person, detections) for number, person in enumerate(people, 1)]


def find_tracklets(
    detections: DetectionSequence,
    fps: float,
    shot_starts: Sequence[int] = (),
    rules: TrackingRules | None = None,
) -> list[Tracklet]:
    """Associate the people of a video's frames; see `track_people`.

    Returns:
        The tracklets that are long enough, by their first frame.
    """
    rules = rules or TrackingRules()
    tracker, cuts = Tracker(fps, rules), set(shot_starts)
    tracklets: list[Tracklet] = []
    for index, in_frame in enumerate(detections):
        if index in cuts:
            tracker.forget()
        for row, tracklet in tracker.update(in_frame).items():
            if not len(tracklet):
                tracklets.append(tracklet)
            tracklet.append_row(index, row)
    min_length = min(rules.min_tracklet_s * fps, max(len(detections) // 2, 1))
    return [tracklet for tracklet in tracklets if len(tracklet) >= min_length]


def _without_duplicates(detections: Detections, rules: TrackingRules) -> dict[int, Observation]:
    """Row → observation, by falling score; greedy non-maximum suppression by OKS.

    Papandreou et al., "Towards Accurate Multi-person Pose Estimation in the Wild", 2017,
    arXiv:1701.01779.
    """
    kept: dict[int, Observation] = {}
    for row in np.argsort(-detections.box_scores, kind="stable").tolist():
        observation = Observation.of(detections, row)
        near = (
            other
            for other in kept.values()
            if math.dist(other.position, observation.position) < other.stature
        )
        if detections.box_scores[row] >= rules.min_weak_score and not any(
            observation.similarity(other, 1.0) > rules.duplicate_oks for other in near
        ):
            kept[row] = observation
    return kept


def _joined(number: int, person: list[Tracklet], detections: DetectionSequence) -> TrackRows:
    """The track of a person's tracklets."""
    rows = np.concatenate([tracklet.rows for tracklet in person])
    frames, boxes = np.zeros(len(rows), np.int64), np.zeros((len(rows), 4), np.float32)
    for i, (index, row) in enumerate(rows):
        in_frame = detections[index]
        frames[i], boxes[i] = in_frame.frame_index, in_frame.boxes_xyxy[row]
    return TrackRows(number, frames, boxes, rows, detections)


def _cheapest_pairs(costs: Floats) -> list[tuple[int, int]]:
    """The pairs of rows and columns, as many as there can be, of the least total cost."""
    if 1 in costs.shape:
        i, j = np.unravel_index(costs.argmin(), costs.shape)
        return [(int(i), int(j))]
    from scipy.optimize import linear_sum_assignment  # takes a while to load

    return list(zip(*linear_sum_assignment(costs), strict=True))
