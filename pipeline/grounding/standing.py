"""Whether a camera stands still, from the background of its frames.

Points of a small picture are followed from a reference on (Lucas and Kanade 1981, there and back).
The camera moves where hardly any of them stays and most go along with one similarity: people who
cross the picture leave other points where they are. Nothing follows from a picture without enough
points, nor from one that changes as a whole, as in a cut.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from core.runs import true_runs
from core.types import Array, Floats, Frame

_SIDE = 480  # px, the longer side of the pictures that are compared
_EVERY_S = 0.2
_POINTS, _LEAST_POINTS = 250, 25
_QUALITY, _APART_PX = 0.01, 8  # of the points
_WINDOW, _LEVELS = (21, 21), 4  # of Lucas and Kanade
_LEFT = 0.5  # share of its points that a reference needs to serve on
_BACK_PX = 0.7  # a point that does not come back to where it was is lost
_STAY_PX, _ALIKE_PX = 1.0, 2.0  # from where it was; from where the similarity takes it
_STAY, _GO = 0.15, 0.5  # shares of points that tell a camera that stands, and one that moves
_RETURNED = 0.5  # share of the first picture's points that are where they were
_REFERENCE_PX = 12.0  # from so far away another reference serves
_AWAY = 0.02  # of the longer side, about 1°
_MOSTLY = 0.8  # of the time, for which a camera that stands is in one place

_STILL: Floats = np.eye(2, 3)  # the similarity that changes nothing


@dataclass(frozen=True)
class _Reference:
    """A small grey picture, its points (N, 1, 2) px, and the similarity (2, 3) from the first."""

    grey: Array
    points: Array
    pose: Floats


class Standing:
    """Follows the background of one video."""

    def __init__(self, longest_s: float = _EVERY_S) -> None:
        """Begin.

        Args:
            longest_s: The longest time between two frames that are looked at: while nothing moves
                it doubles, up to that.
        """
        self._longest_s = longest_s
        self._interval_s = _EVERY_S
        self._times_s: list[float] = []
        self._corners: list[Floats] = []  # (4, 2) of the first picture, NaN where not known
        self._size = (1, 1)
        self._first: _Reference | None = None
        self._reference: _Reference | None = None
        self._before: Array | None = None
        self._pose = _STILL  # of the picture before

    def passing(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The same frames; some of them are looked at."""
        for frame in frames:
            if not self._times_s or frame.time_s >= self._times_s[-1] + self._interval_s:
                before = self._pose
                pose = self._look(_small(frame.rgb))
                stands = bool(self._times_s) and np.array_equal(pose, before)
                longer_s = min(2 * self._interval_s, self._longest_s)
                self._interval_s = longer_s if stands else _EVERY_S
                self._times_s.append(frame.time_s)
                self._corners.append(_moved(self._frame_corners(), pose))
            yield frame

    @property
    def away_s(self) -> list[tuple[float, float]]:
        """From when to when the camera is not where it is most of the time, in seconds."""
        ends = self._ends_s()
        runs = true_runs(self._is_away())
        return [(self._times_s[start], ends[stop - 1]) for start, stop in runs]

    @property
    def is_standing(self) -> bool:
        """Whether the camera is in one place most of the time, as far as is known."""
        seconds = self._seconds()
        return bool(seconds[self._is_away()].sum() <= (1 - _MOSTLY) * seconds.sum())

    def _seconds(self) -> Floats:
        """How long what was seen at each time holds."""
        return np.asarray(np.subtract(self._ends_s(), self._times_s))

    def _ends_s(self) -> list[float]:
        """Until when what was seen at each time holds."""
        return [*self._times_s[1:], *self._times_s[-1:]]

    def _is_away(self) -> Array:
        corners = np.array(self._corners).reshape(-1, 4, 2)
        known: Array = np.isfinite(corners).all((1, 2))
        if not known.any():
            return known
        looks = np.maximum(self._seconds()[known] / _EVERY_S, 1.0).round().astype(int)
        mostly = np.median(np.repeat(corners[known], looks, axis=0), axis=0)
        distance = np.linalg.norm(corners - mostly, axis=-1).mean(1)
        return np.asarray(np.nan_to_num(distance) > _AWAY * max(self._size))

    def _frame_corners(self) -> Floats:
        width, height = self._size
        return np.array([[0.0, 0.0], [width, 0.0], [0.0, height], [width, height]])

    def _look(self, grey: Array) -> Floats:
        """The similarity (2, 3) from the first picture to this one; NaN where it isn't known."""
        before, self._before = self._before, grey
        self._size = grey.shape[1], grey.shape[0]
        if self._reference is None or self._first is None or before is None:
            self._first = self._reference = _reference(grey, _STILL)
            return _STILL
        pose = _seen_from(self._reference, grey, self._pose)
        if pose is None:
            self._reference = _reference(before, self._pose)
            pose = _seen_from(self._reference, grey, self._pose)
        if pose is None:
            self._reference = _reference(grey, self._pose)
            return np.full((2, 3), np.nan)
        corners = self._frame_corners()
        if _distance(corners, pose, _STILL) > 0 and _is_back(self._first, grey):
            self._reference, pose = self._first, _STILL
        elif _distance(corners, pose, self._reference.pose) > _REFERENCE_PX:
            self._reference = _reference(grey, pose)
        self._pose = pose
        return pose


def in_words(spans_s: Iterable[tuple[float, float]]) -> list[str]:
    """From when to when, a text each."""
    return [f"{start:.1f} to {end:.1f} s" for start, end in spans_s]


def _small(rgb: Array) -> Array:
    factor = min(1.0, _SIDE / max(rgb.shape[:2]))
    small = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))


def _reference(grey: Array, pose: Floats) -> _Reference:
    points = cv2.goodFeaturesToTrack(grey, _POINTS, _QUALITY, _APART_PX)
    return _Reference(grey, np.zeros((0, 1, 2), np.float32) if points is None else points, pose)


def _seen_from(reference: _Reference, grey: Array, near: Floats) -> Floats | None:
    """The similarity from the first picture, which is near another one; None where none shows."""
    guess = _times(near, _inverse(reference.pose))
    old, new = _followed(reference, grey, guess)
    if len(old) < max(_LEAST_POINTS, _LEFT * len(reference.points)):
        return None
    if (np.linalg.norm(new - old, axis=1) < _STAY_PX).mean() >= _STAY:
        return reference.pose
    motion, inliers = cv2.estimateAffinePartial2D(old, new, ransacReprojThreshold=_ALIKE_PX)
    if motion is None or inliers.mean() < _GO:
        return None
    return _times(motion, reference.pose)


def _is_back(first: _Reference, grey: Array) -> bool:
    """Whether a picture shows what the first one does."""
    old, new = _followed(first, grey, _STILL)
    stay = np.linalg.norm(new - old, axis=1) < _STAY_PX
    return bool(stay.sum() >= max(_LEAST_POINTS, _RETURNED * len(first.points)))


def _followed(reference: _Reference, grey: Array, guess: Floats) -> tuple[Array, Array]:
    """The points (N, 2) of a reference that are found in a picture, there and here."""
    old = reference.points
    if not len(old):
        return old[:, 0], old[:, 0]
    start = np.ascontiguousarray(_moved(old[:, 0], guess)[:, None], np.float32)
    flags = cv2.OPTFLOW_USE_INITIAL_FLOW
    new, found, _ = cv2.calcOpticalFlowPyrLK(
        reference.grey, grey, old, start, winSize=_WINDOW, maxLevel=_LEVELS, flags=flags
    )
    back, returned, _ = cv2.calcOpticalFlowPyrLK(
        grey, reference.grey, new, old.copy(), winSize=_WINDOW, maxLevel=_LEVELS, flags=flags
    )
    is_there = (found[:, 0] > 0) & (returned[:, 0] > 0)
    is_there &= np.linalg.norm((back - old)[:, 0], axis=1) < _BACK_PX
    return old[is_there, 0], new[is_there, 0]


def _moved(points: Array, pose: Floats) -> Floats:
    return np.asarray(points @ pose[:, :2].T + pose[:, 2])


def _times(second: Floats, first: Floats) -> Floats:
    """The similarity (2, 3) that does one after the other."""
    return np.asarray(second @ np.vstack([first, [0.0, 0.0, 1.0]]))


def _inverse(pose: Floats) -> Floats:
    return np.asarray(cv2.invertAffineTransform(pose))


def _distance(points: Floats, a: Floats, b: Floats) -> float:
    """Mean distance in px of points (N, 2) after one and after the other."""
    return float(np.linalg.norm(_moved(points, a) - _moved(points, b), axis=1).mean())
