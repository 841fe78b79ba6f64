"""Correct left/right swaps: detectors exchange a person's sides for some frames, with high scores.

One path through all frames says for each half of the body where the sides are exchanged. It is
found by dynamic programming (Viterbi, IEEE Trans. Information Theory, 1967):

    states   s_t = 0: as detected, s_t = 1: exchanged
    minimise Σ_t c · s_t + Σ_t Σ_k=1…K [s_t ≠ s_t-k] (change_tk - stay_tk) / k

stay_tk and change_tk are how far the half's keypoints move from frame t - k to t, in body sizes,
if both frames have the same sides and if one is exchanged. c is the price of a frame that differs
from the detector, so what lasts stays as detected. Frames that are not neighbours count, since a
detector that is unsure puts both legs on one for a frame or two, which says nothing of sides.
"""

from bisect import bisect_left
from collections import deque
from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_17, COCO_21
from core.types import Floats

MIN_SCORE = 0.1
"""A keypoint with a lower score counts as not seen: BlazePose gives points outside the picture, at
scores near 0."""

_PRICE_PER_S = 0.9  # c, for a second of frames, in body sizes
_LAGS = 3  # K
_MAX_INTERVAL_S = 0.17  # people turn around between frames that are further apart
_HALVES = (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
_WITH_HALVES = (("eye", "ear"), ("big_toe", "heel"))
"""Exchanged with a half, without deciding: a face moves too little, and few detectors see feet."""

_ENDS = 1 << _LAGS  # of paths, see `_CheapestPath`
_SIDES = np.arange(2 * _ENDS)[:, None] >> np.arange(_LAGS, -1, -1) & 1  # (2 ends, K + 1) states


def correct_side_swaps(
    keypoints: Floats, scores: Floats, keypoints_3d: Floats, times_s: Floats
) -> tuple[Floats, Floats, Floats]:
    """Exchange left and right back where a detector took one for the other.

    Upper and lower body are decided separately. In corrected frames the detector's 3D, which is of
    a person who faces the other way, becomes NaN.

    Args:
        keypoints: (T, K, 2) px of one person (COCO_21 or COCO_17), NaN = not seen.
        scores: (T, K) in 0…1; below `MIN_SCORE` a keypoint decides nothing.
        keypoints_3d: (T, K, 3) the detector's own 3D, NaN where it has none.
        times_s: (T,) seconds, rising.

    Returns:
        keypoints, scores and keypoints_3d as given, with their sides corrected.
    """
    keypoints, scores, keypoints_3d = keypoints.copy(), scores.copy(), keypoints_3d.copy()
    seen = (scores >= MIN_SCORE) & ~np.isnan(keypoints[..., 0])
    points = np.where(seen[..., None], keypoints, np.nan)
    size = _body_size(points[:, : len(COCO_17)])
    for half, sides in zip(_HALVES, _exchanged(keypoints.shape[1]), strict=True):
        swapped = _swapped_frames(points[:, _pairs(half)], size, times_s)
        for values in (keypoints, scores):
            values[np.ix_(swapped, sides.ravel())] = values[np.ix_(swapped, sides[:, ::-1].ravel())]
        keypoints_3d[swapped] = np.nan
    return keypoints, scores, keypoints_3d


@cache
def _exchanged(keypoints: int) -> list[NDArray[np.int64]]:
    """For each half, the pairs (N, 2) that are exchanged, of so many keypoints."""
    every = [_pairs(half + also) for half, also in zip(_HALVES, _WITH_HALVES, strict=True)]
    return [pairs[pairs.max(1) < keypoints] for pairs in every]


@cache
def _pairs(parts: tuple[str, ...]) -> NDArray[np.int64]:
    """(N, 2) indices of the left and the right keypoint of each part."""
    return np.array(
        [[COCO_21.index(f"{side}_{part}") for side in ("left", "right")] for part in parts]
    )


def _swapped_frames(pairs: Floats, size: float, times_s: Floats) -> NDArray[np.bool_]:
    """(T,) the states of the cheapest path, for pairs (T, N, 2, 2) px of a body of `size` px."""
    frames = len(pairs)
    points = _complex(pairs)
    gains = np.zeros((frames, _LAGS))
    for lag in range(1, min(_LAGS, frames - 1) + 1):
        elapsed_s = times_s[lag:] - times_s[:-lag]
        gains[lag:, lag - 1] = _gains(points[lag:], points[:-lag], elapsed_s, lag * size)
    price = _PRICE_PER_S * float(np.median(np.diff(times_s))) if frames > 1 else 0.0
    path = _CheapestPath()
    for steps in _step_costs(gains, price):
        path.append(steps)
    swapped = np.zeros(frames, bool)
    swapped[path.changes()] = True
    return swapped


def _complex(pairs: Floats) -> NDArray[np.complex128]:
    """(…, N, 2) of pairs (…, N, 2, 2) px: distances are absolute values."""
    return np.asarray(pairs[..., 0] + 1j * pairs[..., 1])


def _gains(
    now: NDArray[np.complex128],
    before: NDArray[np.complex128],
    elapsed_s: Floats,
    unit: Floats | float,
) -> Floats:
    """The gains change - stay of points (T, …, N, 2) to those before: (T, …), in units of px."""
    gain = (np.abs(now - before[..., ::-1]) - np.abs(now - before)).sum(-1) / unit
    gain[elapsed_s > _MAX_INTERVAL_S] = 0.0
    return np.asarray(np.nansum(gain, -1))


def _step_costs(gains: Floats, price: float) -> list[list[float]]:
    """The costs of the steps of `_CheapestPath` at gains (T, K)."""
    costs: list[list[float]] = (
        gains @ (_SIDES[:, 1:] != _SIDES[:, :1]).T + price * _SIDES[:, 0]
    ).tolist()
    return costs


class _CheapestPath:
    """The cheapest path of states through frames that are added one by one.

    A path's last K states are the bits of a number n, its end, the latest one highest. The steps
    2n and 2n + 1, of K + 1 bits, lead to n from the ends that their lower K bits are.
    """

    def __init__(self) -> None:
        self._costs: list[list[float]] = []  # of each frame's steps
        self._totals: list[list[float]] = []  # [t][n], the cost of the cheapest path to n
        self._path: list[int] = []  # its ends when `changes` was asked last, -1 in new frames

    def append(self, costs: list[float]) -> None:
        """Add a frame with the costs of its steps; to the first one no frame leads."""
        if self._totals:
            last = self._totals[-1] * 2
            self._totals.append([
                min(last[n] + costs[n], last[n + 1] + costs[n + 1]) for n in range(0, 2 * _ENDS, 2)
            ])  # fmt: skip
        else:
            self._totals.append(costs[::2])
        self._costs.append(costs)
        self._path.append(-1)

    def changes(self) -> list[int]:
        """The frames in which the path's state is another than last time, or 1 in new ones.

        From the cheapest end along the cheaper steps, back to where the path meets that of before.
        """
        changed = []
        end = self._totals[-1].index(min(self._totals[-1]))
        for t in range(len(self._path) - 1, -1, -1):
            before, self._path[t] = self._path[t], end
            if end == before:
                break
            if _is_swapped(end) != _is_swapped(before):
                changed.append(t)
            if t:
                last, step = self._totals[t - 1] * 2, 2 * end
                costs = self._costs[t]
                step += last[step + 1] + costs[step + 1] < last[step] + costs[step]
                end = step % _ENDS
        return changed

    def drop(self, frames: int) -> None:
        """Drop so many of the first frames."""
        for values in (self._costs, self._totals, self._path):
            del values[:frames]


def _is_swapped(end: int) -> bool:
    """The latest state of a path's end."""
    return end >= _ENDS // 2


class OnlineSides:
    """One person's frames of late, in which sides are corrected as by `correct_side_swaps`.

    The path goes on from frame to frame, and only what a new one changes is computed. A frame is
    compared in the body's size, and priced by the interval, that are the medians when it comes.
    """

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._rows: list[Floats] = []  # (K, 3) px and score, with sides corrected
        self._boxes: list[list[float] | None] = []  # their sides, px; None where none is seen
        self._paths = [_CheapestPath() for _ in _HALVES]
        self._recent: deque[tuple[float, NDArray[np.complex128]]] = deque(maxlen=_LAGS)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, time_s: float, keypoints: Floats, scores: Floats) -> bool:
        """Add a frame, which may change the sides of earlier ones.

        Args:
            time_s: Its time.
            keypoints: (K, 2) px of COCO_21 or COCO_17, NaN = not seen.
            scores: (K,) in 0…1; below `MIN_SCORE` a keypoint decides nothing.

        Returns:
            Whether sides are exchanged in it.
        """
        seen = np.where((scores >= MIN_SCORE)[:, None], keypoints, np.nan)
        self._times_s.append(time_s)
        intervals = np.diff(self._times_s)
        price = _PRICE_PER_S * float(np.median(intervals)) if len(intervals) else 0.0
        self._rows.append(np.concatenate([keypoints, scores[:, None]], 1))
        body = seen[: len(COCO_17)]
        body = body[~np.isnan(body[:, 0])]
        self._boxes.append(np.ptp(body, 0).tolist() if len(body) else None)
        boxes = [box for box in self._boxes if box is not None]
        size = _larger_median(np.array(boxes)) if boxes else 1.0
        points = _complex(seen[[_pairs(half) for half in _HALVES]])
        gains = np.zeros((_LAGS, len(_HALVES)))
        if count := len(self._recent):
            before_s, before = (np.array(values) for values in zip(*self._recent, strict=True))
            units = np.arange(1, count + 1)[:, None, None] * size
            gains[:count] = _gains(points, before, time_s - before_s, units)
        self._recent.appendleft((time_s, points))
        costs = _step_costs(gains.T, price)
        is_swapped = False
        for path, steps, sides in zip(self._paths, costs, _exchanged(len(keypoints)), strict=True):
            path.append(steps)
            for frame in path.changes():
                row = self._rows[frame]
                row[sides.ravel()] = row[sides[:, ::-1].ravel()]
                is_swapped = is_swapped or frame == len(self._rows) - 1
        return is_swapped

    def drop_before(self, time_s: float, spare: int = 0) -> None:
        """Drop the frames before a time, but for the last ones of these."""
        dropped = max(bisect_left(self._times_s, time_s) - spare, 0)
        for values in (self._times_s, self._rows, self._boxes):
            del values[:dropped]
        for path in self._paths:
            path.drop(dropped)

    @property
    def last(self) -> Floats:
        """(K, 3) px and scores of the last frame."""
        return self._rows[-1]

    def arrays(self) -> tuple[Floats, Floats, Floats]:
        """Times (T,), keypoints (T, K, 2) px and scores (T, K)."""
        rows = np.concatenate(self._rows).reshape(len(self._rows), -1, 3)
        return np.array(self._times_s), rows[..., :2], rows[..., 2]


def _body_size(points: Floats) -> float:
    """The larger side, median over frames, of the box around points (T, 17, 2) px, at least 1."""
    seen = points[~np.isnan(points).all((1, 2))]
    return _larger_median(np.nanmax(seen, 1) - np.nanmin(seen, 1)) if len(seen) else 1.0


def _larger_median(sides: Floats) -> float:
    """The larger of the medians of sides (T, 2) px, at least 1."""
    return max(float(np.median(sides, axis=0).max()), 1.0)
