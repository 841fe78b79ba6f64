"""Identity scores of tracks on made scenes, whose people are known.

IDF1: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking",
2016, arXiv:1609.01775. Identity switches: Bernardin and Stiefelhagen, "Evaluating Multiple Object
Tracking Performance: The CLEAR MOT Metrics", 2008.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.types import Detections, Floats
from pipeline.tracking.similarity import iou
from pipeline.tracking.tracker import track_people
from testkit.scenes import FPS, Scene

MIN_IOU = 0.5  # of a track's box and a person's for a hit
BoxesByTrack = dict[int, dict[int, Floats]]
"""Track → frame → box (4,) xyxy px."""


@dataclass(frozen=True)
class Score:
    """IDF1 0…1, identity switches, and how many tracks there are for how many people."""

    idf1: float
    switches: int
    tracks: int
    people: int


def boxes_by_track(detections: list[Detections]) -> BoxesByTrack:
    """What the pipeline's tracker gives."""
    return {
        track.track_id: dict(zip(track.frame_indices.tolist(), track.boxes_xyxy, strict=True))
        for track in track_people(detections, FPS)
    }


def score(scene: Scene, tracks: BoxesByTrack) -> Score:
    """Score tracks against a scene's people, in the frames in which these can be seen.

    IDF1 = 2 IDTP / (frames of people + frames of tracks), where IDTP counts the hits under the
    one-to-one assignment of tracks to people that has most.
    """
    people = [i for i, is_person in enumerate(scene.people) if is_person]
    overlap = np.zeros((len(people), len(tracks), len(scene.detections)))
    for row, person in enumerate(people):
        for column, boxes in enumerate(tracks.values()):
            for t, box in boxes.items():
                overlap[row, column, t] = scene.seen[person, t] * iou(scene.boxes[person, t], box)
    hits = (overlap >= MIN_IOU).sum(2)  # (people, tracks)
    true_positives = hits[linear_sum_assignment(hits, maximize=True)].sum()
    person_frames = scene.seen[people].sum()
    track_frames = sum(map(len, tracks.values()))
    idf1 = 2 * true_positives / (person_frames + track_frames)
    return Score(idf1, _switches(overlap), len(tracks), len(people))


def _switches(overlap: Floats) -> int:
    """How often people get another track than their last one, from IoU (people, tracks, T).

    In each frame people keep their track while they overlap; the others are assigned to the rest.
    """
    last_track: dict[int, int] = {}
    count = 0
    for now in np.moveaxis(overlap, 2, 0):
        kept = {
            person: track for person, track in last_track.items() if now[person, track] >= MIN_IOU
        }
        free = now.copy()
        free[list(kept)] = 0
        free[:, list(kept.values())] = 0
        for person, track in zip(*linear_sum_assignment(free, maximize=True), strict=True):
            if free[person, track] >= MIN_IOU:
                count += last_track.get(person, track) != track
                last_track[person] = track
    return count
