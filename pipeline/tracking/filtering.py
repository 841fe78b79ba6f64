"""Filtering of false people: flickering reflections and shadows, objects, posters, skeletons.

Three rules, all made to keep every real person:

- Presence rule: people are seen for a while, and in a fair share of the frames in between.
- Score rule: the detector's median score of them is not low.
- Motion rule: the pose changes. People who hold still do not keep head, hands and feet still at
  once for seconds; even those who sit and listen move their head by a few centimetres. Only the
  pose counts, not the position: posters move with the camera, or with the van they are on. Where
  a video has no others, people are kept however still they are.

A clear reflection of a moving person passes all three.
"""

from dataclasses import dataclass

import numpy as np

from core.lazy_scipy import ndimage
from core.skeletons import COCO_17
from core.types import Floats
from pipeline.results.detections import DetectionSequence
from pipeline.tracking.similarity import BODY, torso_center
from pipeline.tracking.tracklet import Tracklet

_JITTER_S = 0.5  # window of the median filter that removes a detector's jitter on a still picture
_CLEAR_SCORE = 0.5  # of keypoints whose stillness counts
_MIN_CLEAR_KEYPOINTS = 5
_RANGE_PERCENTILES = (10.0, 90.0)  # a few wrong detections must not make a poster move


@dataclass(frozen=True)
class PersonRules:
    """Thresholds of the three rules."""

    min_seen_s: float = 0.4
    """Presence: seen for at least so long, or for half of a video that is shorter."""
    min_seen_share: float = 0.25
    """Presence: seen in at least this share of the frames of their tracklets."""
    min_score: float = 0.4
    """Score: least median of the box scores."""
    still_s: float = 3.0
    """Motion: no person holds still for so long; the rule needs as many frames."""
    min_movement: float = 0.015
    """Motion: range, in statures, over which at least one keypoint moves against the torso."""


def filter_false_people(
    people: list[list[Tracklet]], detections: DetectionSequence, fps: float, rules: PersonRules
) -> list[list[Tracklet]]:
    """Drop those who fail the presence, the score or the motion rule.

    Args:
        people: One list of tracklets a person.
        detections: Those to which `Tracklet.rows` refers.
        fps: Frames per second.
        rules: Their thresholds.

    Returns:
        The people who pass; where none passes the motion rule, all who pass the other two.
    """
    min_frames = min(rules.min_seen_s * fps, max(len(detections) // 2, 1))
    likely = [
        person
        for person in people
        if _is_present(person, min_frames, rules) and _has_score(person, detections, rules)
    ]
    moving = [person for person in likely if not _is_still(person, detections, fps, rules)]
    return moving or likely


def _is_present(person: list[Tracklet], min_frames: float, rules: PersonRules) -> bool:
    """The presence rule."""
    seen = sum(map(len, person))
    spanned = sum(tracklet.last.frame - tracklet.first.frame + 1 for tracklet in person)
    return seen >= max(min_frames, rules.min_seen_share * spanned)


def _has_score(person: list[Tracklet], detections: DetectionSequence, rules: PersonRules) -> bool:
    """The score rule."""
    scores = [
        detections[index].box_scores[row] for tracklet in person for index, row in tracklet.rows
    ]
    return float(np.median(scores)) >= rules.min_score


def _is_still(
    person: list[Tracklet], detections: DetectionSequence, fps: float, rules: PersonRules
) -> bool:
    """Whether the motion rule says that this is no person."""
    stature = float(np.median([tracklet.stature for tracklet in person]))
    poses, scores = _poses(person, detections)
    clear = np.flatnonzero(np.median(scores, axis=0) >= _CLEAR_SCORE)
    # Frames in which nothing covers them: a person walking past a poster moves its keypoints.
    uncovered = (scores[:, clear] >= _CLEAR_SCORE).all(1)
    if uncovered.sum() < rules.still_s * fps or len(clear) < _MIN_CLEAR_KEYPOINTS:
        return False
    # One keypoint at a time: those of an hour take much memory.
    paths = (poses[uncovered, keypoint] / stature for keypoint in clear)
    return all(_movement(path, fps) < rules.min_movement for path in paths)


def _poses(person: list[Tracklet], detections: DetectionSequence) -> tuple[Floats, Floats]:
    """Keypoints (T, 17, 2) px from the torso's center, and their scores (T, 17)."""
    length = sum(map(len, person))
    poses = np.zeros((length, len(COCO_17), 2), np.float32)
    scores = np.zeros((length, len(COCO_17)), np.float32)
    rows = (row for tracklet in person for row in tracklet.rows)
    for i, (index, row) in enumerate(rows):
        in_frame = detections[index]
        keypoints = in_frame.keypoints_xy[row, BODY]
        poses[i] = keypoints - torso_center(keypoints, in_frame.boxes_xyxy[row])
        scores[i] = in_frame.keypoint_scores[row, BODY]
    return poses, scores


def _movement(path: Floats, fps: float) -> float:
    """Diagonal of the range that a keypoint's path (T, 2) covers; NaN if it is missing at times.

    The path is median filtered, and the range goes from the 10th to the 90th percentile.
    """
    if np.isnan(path).any():
        return float("nan")
    steady = ndimage.median_filter(path, (2 * round(_JITTER_S * fps / 2) + 1, 1))
    return float(np.linalg.norm(np.ptp(np.percentile(steady, _RANGE_PERCENTILES, axis=0), axis=0)))
