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
    for half, also in zip(_HALVES, _WITH_HALVES, strict=True):
        swapped = _swapped_frames(points[:, _pairs(half)], size, times_s)
        sides = _pairs(half + also)
        sides = sides[sides.max(1) < keypoints.shape[1]]
        for values in (keypoints, scores):
            values[np.ix_(swapped, sides.ravel())] = values[np.ix_(swapped, sides[:, ::-1].ravel())]
        keypoints_3d[swapped] = np.nan
    return keypoints, scores, keypoints_3d


def _pairs(parts: tuple[str, ...]) -> NDArray[np.int64]:
    """(N, 2) indices of the left and the right keypoint of each part."""
    return np.array(
        [[COCO_21.index(f"{side}_{part}") for side in ("left", "right")] for part in parts]
    )


def _swapped_frames(pairs: Floats, size: float, times_s: Floats) -> NDArray[np.bool_]:
    """(T,) the states of the cheapest path, for pairs (T, N, 2, 2) px of a body of `size` px."""
    frames = len(pairs)
    points = pairs[..., 0] + 1j * pairs[..., 1]  # (T, N, 2), whose distances are absolute values
    gains = np.zeros((frames, _LAGS))  # gains[t, k - 1] = (change_tk - stay_tk) / k
    for lag in range(1, min(_LAGS, frames - 1) + 1):
        now, before = points[lag:], points[:-lag]
        gain = (np.abs(now - before[..., ::-1]) - np.abs(now - before)).sum(-1) / (lag * size)
        gain[times_s[lag:] - times_s[:-lag] > _MAX_INTERVAL_S] = 0.0
        gains[lag:, lag - 1] = np.nansum(gain, 1)
    price = _PRICE_PER_S * float(np.median(np.diff(times_s))) if frames > 1 else 0.0

    # A path's last K states are the bits of a number n, its end, the latest one highest. The steps
    # 2n and 2n + 1, of K + 1 bits, lead to n from the ends that their lower K bits are.
    ends = 2**_LAGS
    sides = np.arange(2 * ends)[:, None] >> np.arange(_LAGS, -1, -1) & 1  # (2 ends, K + 1)
    costs = (gains @ (sides[:, 1:] != sides[:, :1]).T + price * sides[:, 0]).tolist()

    # Forward: totals[t][n], the cost of the cheapest path to n
    totals = [[price * side for side in sides[::2, 0].tolist()]]
    for steps in costs[1:]:
        last = totals[-1] * 2
        totals.append([
            min(last[n] + steps[n], last[n + 1] + steps[n + 1]) for n in range(0, 2 * ends, 2)
        ])  # fmt: skip

    # Backward: from the cheapest end along the cheaper steps
    swapped = np.zeros(frames, bool)
    end = int(np.argmin(totals[-1]))
    for t in range(frames - 1, -1, -1):
        swapped[t] = end >= ends / 2
        if t:
            last, step = totals[t - 1] * 2, 2 * end
            step += last[step + 1] + costs[t][step + 1] < last[step] + costs[t][step]
            end = step % ends
    return swapped


def _body_size(points: Floats) -> float:
    """The larger side, median over frames, of the box around points (T, 17, 2) px, at least 1."""
    seen = points[~np.isnan(points).all((1, 2))]
    if not len(seen):
        return 1.0
    sides = np.nanmax(seen, 1) - np.nanmin(seen, 1)
    return max(float(np.median(sides, axis=0).max()), 1.0)
