"""How well tracks follow people who are known: recall, precision, identities, strays.

IDF1: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking",
2016, arXiv:1609.01775. Identity switches: Bernardin and Stiefelhagen, "Evaluating Multiple Object
Tracking Performance: The CLEAR MOT Metrics", 2008.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.types import Detections, Floats
from pipeline.tracking.tracker import track_people
from testkit.scenes import FPS, Scene

MIN_IOU = 0.5  # of a track's box and a person's for a hit
_FOLLOWED = 0.8  # share of a person's frames in which one track is to hit them
_STRAY_FRAMES, _STRAY_IOU = 10, 0.3
BoxesByTrack = dict[int, dict[int, Floats]]
"""Track → frame → box (4,) xyxy px."""


@dataclass(frozen=True)
class Truth:
    """Where A people are in T frames.

    boxes (A, T, 4) xyxy px, NaN while a person is not in the picture; seen (A, T) whether a person
    is to be found. A track on a person who is not (hidden, cut off, tiny) is neither right nor
    wrong.
    """

    boxes: Floats
    seen: Floats


@dataclass(frozen=True)
class Score:
    """Shares are 0…1, NaN of nothing; of people, those who are ever to be found count.

    recall: of people's frames, those in which a track hits them; precision: of tracks' frames,
    those which hit a person, one a person; idf1; switches; followed: people whom one track hits in
    four fifths of their frames; strays: tracks of more than 10 frames that mostly lie on no one.
    """

    recall: float
    precision: float
    idf1: float
    switches: int
    followed: int
    people: int
    tracks: int
    strays: int


def boxes_by_track(detections: list[Detections]) -> BoxesByTrack:
    """What the pipeline's tracker gives."""
    return {
        track.track_id: dict(zip(track.frame_indices.tolist(), track.boxes_xyxy, strict=True))
        for track in track_people(detections, FPS)
    }


def scene_truth(scene: Scene) -> Truth:
    """A scene's people in the frames in which the detector reports them; nothing elsewhere."""
    people = [i for i, is_person in enumerate(scene.people) if is_person]
    seen = scene.seen[people]
    return Truth(np.where(seen[..., None], scene.boxes[people], np.nan), seen)


def score(truth: Truth, tracks: BoxesByTrack) -> Score:
    """Score tracks against people.

    IDF1 = 2 IDTP / (frames of people + frames of tracks), where IDTP counts the hits under the
    one-to-one assignment of tracks to people that has most.
    """
    overlap = _overlaps(truth.boxes, tracks)  # (people, tracks, T)
    on_seen = overlap * truth.seen[:, None]
    hits = (on_seen >= MIN_IOU).sum(2)  # (people, tracks)
    assigned = hits[linear_sum_assignment(hits, maximize=True)]
    found = sum(_matched(on_seen[..., t]) for t in range(overlap.shape[2]))
    ignored = ((overlap >= MIN_IOU).any(0) & ~(on_seen >= MIN_IOU).any(0)).sum()
    person_frames = truth.seen.sum()
    track_frames = sum(map(len, tracks.values())) - ignored
    lengths = np.array([len(boxes) for boxes in tracks.values()])
    on_someone = (overlap >= _STRAY_IOU).any(0).sum(1)
    follow = hits.max(1, initial=0) >= _FOLLOWED * truth.seen.sum(1)
    return Score(
        recall=_share(found, person_frames),
        precision=_share(found, track_frames),
        idf1=_share(2 * assigned.sum(), person_frames + track_frames),
        switches=int(_switches(on_seen)),
        followed=int((follow & truth.seen.any(1)).sum()),
        people=int(truth.seen.any(1).sum()),
        tracks=len(tracks),
        strays=int(((lengths > _STRAY_FRAMES) & (on_someone < lengths / 2)).sum()),
    )


def _overlaps(boxes: Floats, tracks: BoxesByTrack) -> Floats:
    """IoU (people, tracks, T), 0 where one of the two is not there."""
    others = np.full((len(tracks), boxes.shape[1], 4), np.nan)
    for row, track in enumerate(tracks.values()):
        others[row, list(track)] = list(track.values())
    mine, other = boxes[:, None], others[None]
    low = np.maximum(mine[..., :2], other[..., :2])
    common = (np.minimum(mine[..., 2:], other[..., 2:]) - low).clip(min=0).prod(-1)
    union = _area(mine) + _area(other) - common
    return np.asarray(np.nan_to_num(common / np.where(union > 0, union, np.nan)))


def _area(boxes: Floats) -> Floats:
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).prod(-1))


def _matched(overlap: Floats) -> int:
    """How many of (people, tracks) can be paired with an IoU that counts."""
    hit = overlap >= MIN_IOU
    return int(hit[linear_sum_assignment(hit, maximize=True)].sum())


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


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
