"""Tracklets: stretches of time in which one person is seen almost without a gap."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.types import Detections, Floats
from pipeline.tracking.motion import MANEUVERING, MANEUVERING_COST, STEADY, KalmanState
from pipeline.tracking.similarity import (
    BODY,
    iou,
    limb_lengths,
    oks,
    stature_px,
    torso_center,
)

POSE_TOLERANCE = 2.0
"""Of `Observation.similarity`: between frames people move by more than annotators disagree."""
_POSE_WEIGHT = 3.0  # w
_POSE_DECAY_S = 0.5  # τ: how long a pose says who a person is
_MIN_SIMILARITY = 0.02  # s_min: keypoints jump at times, so pose and box alone exclude no person
_SIZE_STD = 0.12  # σ₀ of ln stature
_SIZE_STD_PER_S = 0.1  # σ₁, added for each second without an observation
_STATURE_TIME_CONSTANT_S = 0.5  # of the running mean of stature


@dataclass(frozen=True)
class Observation:
    """One person in one frame.

    frame: the frame's index; box (4,) xyxy px; keypoints (17, 2) px, COCO-17; scores
    (17,) 0…1; position (2,) px of the torso's center; stature, px.
    """

    frame: int
    box: Floats
    keypoints: Floats
    scores: Floats
    position: Floats
    stature: float

    @classmethod
    def of(cls, detections: Detections, row: int) -> "Observation":
        """The person in one row of a frame's detections."""
        box = detections.boxes_xyxy[row].astype(np.float64)
        keypoints = detections.keypoints_xy[row, BODY].astype(np.float64)
        scores = detections.keypoint_scores[row, BODY]
        position = torso_center(keypoints, box)
        stature = max(stature_px(limb_lengths(keypoints, scores), box), 1.0)
        return cls(detections.frame_index, box, keypoints, scores, position, stature)

    def similarity(self, other: "Observation", tolerance: float) -> float:
        """OKS of two observations, each keypoint weighted by the product of its scores.

        Args:
            other: The other observation.
            tolerance: That of `pipeline.tracking.similarity.oks`.

        Returns:
            0…1.
        """
        weights = self.scores * other.scores
        area = self.stature * other.stature / 3  # people are about a third as wide as tall
        return oks(self.keypoints, other.keypoints, weights, area, tolerance)

    def moved_to(self, position: Floats, stature: float) -> "Observation":
        """The same pose elsewhere in the picture.

        Args:
            position: (2,) px, where the torso's center goes.
            stature: px, to which box and keypoints are scaled.
        """
        zoom = stature / self.stature
        return replace(
            self,
            box=((self.box.reshape(2, 2) - self.position) * zoom + position).ravel(),
            keypoints=(self.keypoints - self.position) * zoom + position,
            position=position,
            stature=stature,
        )


@dataclass
class Tracklet:
    """One person over a stretch of time.

    number: counts tracklets from 1; first, last: its first and latest observation; fps: frames per
    second; state: the Kalman filter's estimate at `last`; stature: running mean, px.
    """

    number: int
    first: Observation
    fps: float
    last: Observation = field(init=False)
    state: KalmanState = field(init=False)
    stature: float = field(init=False)
    _frames: "array[int]" = field(init=False, default_factory=lambda: array("i"))
    _rows: "array[int]" = field(init=False, default_factory=lambda: array("i"))

    def __post_init__(self) -> None:
        self.last = self.first
        self.stature = self.first.stature
        self.state = KalmanState.initial(self.first.position, self.stature)

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def rows(self) -> NDArray[np.int32]:
        """(T, 2): index of a frame in a video's list of detections, row of the person in these."""
        return np.stack([self._frames, self._rows], 1, dtype=np.int32)

    def append_row(self, frame: int, row: int) -> None:
        """Add an entry to `rows`."""
        self._frames.append(frame)
        self._rows.append(row)

    def update(self, observation: Observation) -> None:
        """Take in the next observation of the person: stature, Kalman prediction, correction."""
        seconds = self.seconds_to(observation)
        # Exponential running mean of ln h: ln h̄ += (1 - exp(-Δ/τ)) (ln h - ln h̄).
        rate = 1 - math.exp(-seconds / _STATURE_TIME_CONSTANT_S)
        self.stature *= (observation.stature / self.stature) ** rate
        predicted = self.state.predict(seconds, self.stature)
        self.state = predicted.update(observation.position, self.stature)
        self.last = observation

    def seconds_to(self, observation: Observation) -> float:
        """Δ, the time since the latest observation."""
        return (observation.frame - self.last.frame) / self.fps

    # Negative log-likelihood of an observation (position p, stature h, keypoints k, box b), Δ
    # seconds after the latest one, with position, size and pose taken as independent:
    #
    #     cost =  min_m [ ‖p - p̂ₘ‖² / (2 Sₘ) + ln(Sₘ / h̄²) + cₘ ]         position
    #           + ln²(h / h̄) / (2 (σ₀ + σ₁ Δ)²)                           size
    #           - w exp(-Δ/τ) ln max(½ (IoU(b, b̂) + OKS(k, k̂)), s_min)    pose and box
    #
    # p̂ₘ, Sₘ: predicted position and innovation variance of motion model m: `STEADY` with c = 0,
    # `MANEUVERING` with c = `MANEUVERING_COST`; the minimum stands for the mixture of both. h̄: the
    # running mean of stature. k̂, b̂: the latest pose and box, moved to p̂ of `STEADY` and scaled
    # to h̄. ln Sₘ favours the tracklet with the more precise prediction, so that two people who
    # cross keep their tracklets. Constants and the size term's ln(σ₀ + σ₁ Δ) are left out.
    #
    # Sources. Position: Kalman, 1960, and the discretised Ornstein-Uhlenbeck process, see
    # `motion`. OKS: COCO's keypoint evaluation, https://cocodataset.org/#keypoints-eval. IoU of
    # predicted and detected box: Bewley et al., "Simple Online and Realtime Tracking", 2016,
    # arXiv:1602.00763. The size term and the weights are our own.
    def costs(self, observations: Sequence[Observation], most: float) -> list[float]:
        """Negative log-likelihoods, up to a constant, of the person's next observation.

        Args:
            observations: Those of a later frame, one or more.
            most: What costs more than that is not worked out further.

        Returns:
            The cost of each, at most `most`; may be negative.
        """
        seconds = self.seconds_to(observations[0])
        steady = self.state.predict(seconds, self.stature, STEADY)
        maneuvering = self.state.predict(seconds, self.stature, MANEUVERING)
        expected = self.last.moved_to(steady.position, self.stature)  # k̂, b̂
        costs = []
        for observation in observations:
            position_cost = min(
                steady.position_cost(observation.position, self.stature),
                maneuvering.position_cost(observation.position, self.stature) + MANEUVERING_COST,
            )
            cost = position_cost + self.size_cost(observation.stature, seconds)
            if cost < most:  # pose and box cost more, never less
                box_similarity = iou(observation.box, expected.box)
                pose_similarity = observation.similarity(expected, POSE_TOLERANCE)
                cost += pose_cost((box_similarity + pose_similarity) / 2, seconds)
            costs.append(min(cost, most))
        return costs

    def size_cost(self, stature: float, seconds: float) -> float:
        """ln²(h / h̄) / (2 (σ₀ + σ₁ Δ)²).

        Args:
            stature: h, px.
            seconds: Δ.
        """
        std = _SIZE_STD + _SIZE_STD_PER_S * seconds
        growth = math.log(stature / self.stature) / std
        return growth**2 / 2


def pose_cost(similarity: float, seconds: float) -> float:
    """-w exp(-Δ/τ) ln max(similarity, s_min): the longer ago, the less a pose says.

    Args:
        similarity: 0…1, of pose and box.
        seconds: Δ.
    """
    weight = _POSE_WEIGHT * math.exp(-seconds / _POSE_DECAY_S)
    return -weight * math.log(max(similarity, _MIN_SIMILARITY))
