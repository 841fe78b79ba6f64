"""Which side is left: detectors exchange a person's left and right for some frames, and are sure of it."""

import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_17
from core.types import Floats

_PRICE_PER_S = 0.3
"""What it costs to take a detector's left for right, in body sizes a second: what lasts is as the detector says."""
_MAX_STEP_S = 0.1
"""Between frames further apart people turn around."""
_HALVES = (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
_WITH_UPPER = ("eye", "ear")  # they move too little to tell


def settle_sides(
    keypoints: Floats, scores: Floats, keypoints_3d: Floats, times_s: Floats, min_score: float
) -> tuple[Floats, Floats, Floats]:
    """One person's detections with left and right exchanged back where a detector had taken one for the other.

    keypoints (T, 17, 2) px, scores (T, 17), keypoints_3d (T, 17, 3), times_s (T,), COCO-17, NaN = not seen; returned
    are the first three. Upper and lower body each keep the sides that let them move least from frame to frame, at a
    price for every frame that differs from the detector's (Viterbi, 1967). Where that is so the detector's 3D, which
    is of a person who faces the other way, becomes NaN.
    """
    keypoints, scores, keypoints_3d = keypoints.copy(), scores.copy(), keypoints_3d.copy()
    known = (scores >= min_score) & ~np.isnan(keypoints[..., 0])
    points = np.where(known[..., None], keypoints, np.nan)
    for half, also in zip(_HALVES, (_WITH_UPPER, ()), strict=True):
        wrong = _exchanged(points[:, _pairs(half)], points, times_s)
        sides = _pairs(half + also)
        for values in (keypoints, scores):
            values[np.ix_(wrong, sides.ravel())] = values[np.ix_(wrong, sides[:, ::-1].ravel())]
        keypoints_3d[wrong] = np.nan
    return keypoints, scores, keypoints_3d


def _pairs(parts: tuple[str, ...]) -> NDArray[np.int64]:
    """(N, 2) left and right keypoints."""
    return np.array(
        [[COCO_17.index(f"{side}_{part}") for side in ("left", "right")] for part in parts]
    )


def _exchanged(pairs: Floats, points: Floats, times_s: Floats) -> NDArray[np.bool_]:
    """(T,) where pairs (T, N, 2, 2) px are the wrong way round; points (T, 17, 2) px say how large the person is."""
    stay, change = (
        np.linalg.norm(pairs[:-1] - pairs[1:, :, order], axis=-1).sum(-1)
        for order in ([0, 1], [1, 0])
    )
    size = _size(points)
    steps = np.diff(times_s)
    told = ~np.isnan(stay) & (steps <= _MAX_STEP_S)[:, None]
    gains = np.where(told, change - stay, 0.0).sum(1) / size
    lead = _PRICE_PER_S * float(np.median(steps)) if len(steps) else 0.0
    price = lead
    # Two states a frame; all that counts is by how much the path that ends exchanged costs more than the other.
    came_from_other = np.zeros((len(gains), 2), bool)
    for t, gain in enumerate(gains.tolist()):
        came_from_other[t] = lead + gain < 0, gain - lead < 0
        lead = min(lead, gain) - min(0.0, lead + gain) + price
    state, wrong = int(lead < 0), np.zeros(len(pairs), bool)
    for t in range(len(pairs) - 1, -1, -1):
        wrong[t] = bool(state)
        if t:
            state ^= int(came_from_other[t - 1, state])
    return wrong


def _size(points: Floats) -> float:
    """The median over frames of the larger side of the box around points (T, K, 2)."""
    seen = points[~np.isnan(points).all((1, 2))]
    return (
        float(np.median(np.nanmax(seen, 1) - np.nanmin(seen, 1), axis=0).max())
        if len(seen)
        else 1.0
    )
