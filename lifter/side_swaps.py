"""Correct left/right swaps: detectors exchange a person's sides for some frames, with high scores.

One path through all frames says for each half of the body where the sides are exchanged. It is
found by dynamic programming (Viterbi, IEEE Trans. Information Theory, 1967):

    states   s_t = 0: as detected, s_t = 1: exchanged
    minimise Σ_t c · s_t + Σ_t [s_t = s_t+1] stay_t + [s_t ≠ s_t+1] change_t

stay_t and change_t are how far the half's keypoints move from frame t to the next, in body sizes,
if both frames have the same sides and if one is exchanged. c is the price of a frame that differs
from the detector, so what lasts stays as detected.
"""

import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_17, COCO_21
from core.types import Floats

MIN_SCORE = 0.1
"""A keypoint with a lower score counts as not seen: BlazePose gives points outside the picture, at
scores near 0."""

_PRICE_PER_S = 0.3  # c, for a second of frames, in body sizes
_MAX_INTERVAL_S = 0.1  # people turn around between frames that are further apart
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
    stay, change = (
        np.linalg.norm(pairs[:-1] - pairs[1:, :, order], axis=-1).sum(-1)
        for order in ([0, 1], [1, 0])
    )  # (T - 1, N) px each
    intervals = np.diff(times_s)
    valid = ~np.isnan(stay) & (intervals <= _MAX_INTERVAL_S)[:, None]
    # gains[t] = change_t - stay_t: what an exchange between frames t and t + 1 costs more
    gains = np.where(valid, change - stay, 0.0).sum(1) / size
    price = _PRICE_PER_S * float(np.median(intervals)) if len(intervals) else 0.0

    # Forward: with C(s) the cost of the cheapest path that ends in state s, only the difference
    # d = C(1) - C(0) decides. stay_t is common to both states, so
    #   C'(0) = C(0) + min(0, d + gain),  C'(1) = C(0) + min(d, gain) + c
    difference = price
    from_other = np.zeros((len(gains), 2), bool)  # whether the best path to (t + 1, s) changes
    for t, gain in enumerate(gains.tolist()):
        from_other[t] = difference + gain < 0, gain - difference < 0
        difference = min(difference, gain) - min(0.0, difference + gain) + price

    # Backward: from the cheaper of the last two states along the remembered choices.
    state = int(difference < 0)
    swapped = np.zeros(len(pairs), bool)
    for t in range(len(pairs) - 1, -1, -1):
        swapped[t] = bool(state)
        if t:
            state ^= int(from_other[t - 1, state])
    return swapped


def _body_size(points: Floats) -> float:
    """The larger side, median over frames, of the box around points (T, 17, 2) px; 1 if none."""
    seen = points[~np.isnan(points).all((1, 2))]
    if not len(seen):
        return 1.0
    sides = np.nanmax(seen, 1) - np.nanmin(seen, 1)
    return float(np.median(sides, axis=0).max())
