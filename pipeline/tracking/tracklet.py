"""A piece of a track: a stretch of time in which somebody is seen almost without a break, and what it expects next."""

import math
from array import array
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.types import Detections, Floats
from pipeline.tracking.motion import CHANGE_OF_MIND, LIVELY, STEADY, Motion
from pipeline.tracking.similarity import iou, limb_lengths, oks, place_of, stature_px

EASE = 2.0
"""Of `Sight.alike`: between frames a person moves by more than annotators disagree."""
_POSE_FADES_S = 0.5  # how long a pose tells who somebody is
_POSE_WEIGHT = 3.0
_LEAST_ALIKE = 0.02  # pose and box rule nobody out: keypoints jump at times
_SIZE_SPREAD = (0.12, 0.1)  # of the logarithm of stature: at once, and more for each second unseen
_STATURE_S = 0.5  # over which stature is averaged


@dataclass(frozen=True)
class Sight:
    """One person in one frame: box (4,), keypoints (17, 2), scores (17,), place (2,) and stature, px."""

    frame: int
    box: Floats
    keypoints: Floats
    scores: Floats
    place: Floats
    stature: float

    @classmethod
    def of(cls, found: Detections, person: int) -> "Sight":
        """A person of a frame's detections."""
        box = found.boxes_xyxy[person].astype(np.float64)
        keypoints, scores = (
            found.keypoints_xy[person].astype(np.float64),
            found.keypoint_scores[person],
        )
        stature = max(stature_px(limb_lengths(keypoints, scores), box), 1.0)
        return cls(found.frame_index, box, keypoints, scores, place_of(keypoints, box), stature)

    def alike(self, other: "Sight", ease: float) -> float:
        """OKS of two sights, each keypoint counted as far as both are sure of it."""
        return oks(
            self.keypoints,
            other.keypoints,
            self.scores * other.scores,
            self.stature * other.stature / 3,
            ease,
        )

    def moved(self, place: Floats, stature: float) -> "Sight":
        """The same pose elsewhere, at `place` (2,) px, larger or smaller: of `stature` px."""
        zoom = stature / self.stature
        box = ((self.box.reshape(2, 2) - self.place) * zoom + place).ravel()
        return replace(
            self,
            box=box,
            keypoints=(self.keypoints - self.place) * zoom + place,
            place=place,
            stature=stature,
        )


@dataclass
class Piece:
    """Somebody followed: how they looked first and last, how they move, how tall they are (px)."""

    number: int
    first: Sight
    fps: float
    last: Sight = field(init=False)
    motion: Motion = field(init=False)
    stature: float = field(init=False)
    _places: "array[int]" = field(init=False, default_factory=lambda: array("i"))
    _persons: "array[int]" = field(init=False, default_factory=lambda: array("i"))

    def __post_init__(self) -> None:
        self.last, self.stature = self.first, self.first.stature
        self.motion = Motion.begin(self.first.place, self.stature)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def rows(self) -> NDArray[np.int32]:
        """(T, 2) where they are found: place in a video's list of detections, person in these."""
        return np.stack([self._places, self._persons], 1, dtype=np.int32)

    def found_at(self, place: int, person: int) -> None:
        """Add to `rows`."""
        self._places.append(place)
        self._persons.append(person)

    def take(self, sight: Sight) -> None:
        """The person is seen again."""
        seconds = self.seconds_to(sight)
        self.stature *= (sight.stature / self.stature) ** (1 - math.exp(-seconds / _STATURE_S))
        self.motion = self.motion.after(seconds, self.stature).seen_at(sight.place, self.stature)
        self.last = sight

    def seconds_to(self, sight: Sight) -> float:
        """Time since the person was seen last."""
        return (sight.frame - self.last.frame) / self.fps

    def surprise(self, sight: Sight) -> float:
        """How surprising it is if this person looks like `sight` next: minus the logarithm of a likelihood.

        Place counts in statures, against the Kalman filter's spread; then size, and pose and box (OKS and IoU).
        """
        seconds = self.seconds_to(sight)
        steady, lively = (
            self.motion.after(seconds, self.stature, manner) for manner in (STEADY, LIVELY)
        )
        expected = self.last.moved(steady.place, self.stature)
        alike = (iou(sight.box, expected.box) + sight.alike(expected, EASE)) / 2
        return (
            min(
                steady.place_surprise(sight.place, self.stature),
                lively.place_surprise(sight.place, self.stature) + CHANGE_OF_MIND,
            )
            + self.size_surprise(sight.stature, seconds)
            + pose_surprise(alike, seconds)
        )

    def size_surprise(self, stature: float, seconds: float) -> float:
        """That of another stature, some time later."""
        growth = math.log(stature / self.stature) / (_SIZE_SPREAD[0] + _SIZE_SPREAD[1] * seconds)
        return growth**2 / 2


def pose_surprise(alike: float, seconds: float) -> float:
    """That of a pose (and box) as `alike` (0…1) as this, some time later: the longer, the less it means."""
    return -_POSE_WEIGHT * math.exp(-seconds / _POSE_FADES_S) * math.log(max(alike, _LEAST_ALIKE))
