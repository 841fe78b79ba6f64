"""Who is nobody: reflections and shadows that flicker, things taken for people, posters and skeleton models.

Three rules, all of them shy of dropping somebody real:

- length: seen for less than a moment, or only now and then in the time in which they are said to be there;
- score: the detector is unsure of them most of the time;
- motion: the pose does not change at all. People hold still, but not head, hands and feet alike for seconds: even those
  who sit and listen move their head by more than a thumb's width. Only the pose counts, not the place: posters move
  with the camera, or the van they are on. A video's only people are kept, however still they are.

A clear reflection of somebody who moves looks like a person and is one to these rules.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from core.skeletons import COCO_17
from core.types import Detections, Floats
from pipeline.results.spool import SeenPeople
from pipeline.tracking.similarity import place_of
from pipeline.tracking.tracklet import Piece

_JITTER_S = (
    0.5  # of detectors on a picture that does not change: a median over it leaves little of it
)
_CLEAR = 0.5  # score of keypoints whose stillness means something
_MIN_CLEAR = 5  # keypoints
_MOST = (
    10.0,
    90.0,
)  # percentiles: a few frames in which a detector is quite wrong do not make a poster move


@dataclass(frozen=True)
class PersonRules:
    """What somebody must do to count as a person."""

    min_seen_s: float = 0.4
    """To be seen for so long, unless the whole video is shorter."""
    min_seen_share: float = 0.25
    """To be seen in this share of the frames in which they are tracked."""
    min_score: float = 0.4
    """To have box scores like this most of the time."""
    still_s: float = 3.0
    """Nobody keeps still for so long."""
    min_movement: float = 0.015
    """Statures by which some keypoint must move against the torso in the time that somebody is seen."""


def real_people(
    chains: list[list[Piece]], detections: SeenPeople, fps: float, rules: PersonRules
) -> list[list[Piece]]:  # fmt: skip
    """Those chains of pieces that are people."""
    least = min(rules.min_seen_s * fps, max(len(detections) // 2, 1))
    likely = [
        chain
        for chain in chains
        if _is_seen(chain, least, rules) and _is_sure(chain, detections, rules)
    ]
    moving = [chain for chain in likely if not _is_still(chain, detections, fps, rules)]
    return moving or likely


def _is_seen(chain: list[Piece], least: float, rules: PersonRules) -> bool:
    seen = sum(map(len, chain))
    tracked = sum(piece.last.frame - piece.first.frame + 1 for piece in chain)
    return seen >= max(least, rules.min_seen_share * tracked)


def _is_sure(chain: list[Piece], detections: SeenPeople, rules: PersonRules) -> bool:
    scores = [
        detections[place].box_scores[person] for piece in chain for place, person in piece.rows
    ]
    return float(np.median(scores)) >= rules.min_score


def _is_still(chain: list[Piece], detections: SeenPeople, fps: float, rules: PersonRules) -> bool:
    stature = float(np.median([piece.stature for piece in chain]))
    poses, scores = _poses(chain, detections)
    clear = np.flatnonzero(np.median(scores, axis=0) >= _CLEAR)
    uncovered = (scores[:, clear] >= _CLEAR).all(
        1
    )  # somebody who walks past a poster moves the points behind them
    if uncovered.sum() < rules.still_s * fps or len(clear) < _MIN_CLEAR:
        return False
    paths = (
        poses[uncovered, keypoint] / stature for keypoint in clear
    )  # one by one: an hour of them is much
    return all(_movement(path, fps) < rules.min_movement for path in paths)


def _poses(chain: list[Piece], detections: SeenPeople) -> tuple[Floats, Floats]:
    """Of all T rows of a person: keypoints (T, 17, 2) px from the middle of the torso, and their scores (T, 17)."""
    length = sum(map(len, chain))
    poses, scores = (
        np.zeros((length, len(COCO_17), 2), np.float32),
        np.zeros((length, len(COCO_17)), np.float32),
    )
    for i, (place, person) in enumerate(row for piece in chain for row in piece.rows):
        found = detections[place]
        poses[i], scores[i] = _pose(found, person), found.keypoint_scores[person]
    return poses, scores


def _movement(path: Floats, fps: float) -> float:
    """How far a keypoint of path (T, 2) moves, a few wrong frames left out; NaN if it is missing at times."""
    if np.isnan(path).any():
        return float("nan")
    steady = median_filter(path, (2 * round(_JITTER_S * fps / 2) + 1, 1))
    return float(np.linalg.norm(np.ptp(np.percentile(steady, _MOST, axis=0), axis=0)))


def _pose(found: Detections, person: int) -> Floats:
    """Keypoints (17, 2) px from the middle of the torso."""
    pose: Floats = found.keypoints_xy[person] - place_of(
        found.keypoints_xy[person], found.boxes_xyxy[person]
    )
    return pose
