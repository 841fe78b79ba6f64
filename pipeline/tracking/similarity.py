"""Similarity and size of people in the picture, from boxes and COCO-17 keypoints alone."""

import numpy as np

from core.skeletons import COCO_17
from core.types import Floats

# σ of each COCO-17 keypoint: the spread of human annotations as a share of the person's size,
# https://cocodataset.org/#keypoints-eval
_SIGMAS = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000

BODY = slice(len(COCO_17))
"""Those of COCO-21 that people are compared by: not every detector sees feet."""
_TORSO = COCO_17.indices(("left_shoulder", "right_shoulder", "left_hip", "right_hip"))
# Lengths as shares of stature (Drillis and Contini, "Body Segment Parameters", 1966), measured
# between the points where detectors put the keypoints.
_LIMBS = (("shoulder", "hip", 0.288), ("hip", "knee", 0.245), ("knee", "ankle", 0.246),
          ("shoulder", "elbow", 0.186), ("elbow", "wrist", 0.146))  # fmt: skip
LIMBS = len(_LIMBS)
_LIMB_SHARES = np.array([[share] for *_, share in _LIMBS])  # (L, 1)
_SIDES = ("left", "right")
_LIMB_ENDS = np.array(  # (L, side, end)
    [[COCO_17.indices((f"{side}_{a}", f"{side}_{b}")) for side in _SIDES] for a, b, _ in _LIMBS]
)
_STATURE_PERCENTILE = 70.0  # above the median: foreshortening makes limbs shorter, never longer
_MIN_SCORE = 0.3  # keypoints with a lower score are guesses


def iou(a: Floats, b: Floats) -> float:
    """Intersection over union, 0…1, of two boxes (4,) xyxy."""
    overlap = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0).prod()
    union = (a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - overlap
    return float(overlap / union) if union > 0 else 0.0


def oks(a: Floats, b: Floats, weights: Floats, area: float, tolerance: float = 1.0) -> float:
    """Object keypoint similarity (OKS) of two poses, as COCO's keypoint evaluation defines it.

        OKS = Σ wᵢ exp(-dᵢ² / (2 s² kᵢ²)) / Σ wᵢ,    kᵢ = 2 σᵢ · tolerance

    with dᵢ the distance between the two keypoints i and s² the area of the person.
    https://cocodataset.org/#keypoints-eval

    Args:
        a, b: Keypoints (17, 2) px; NaN keypoints do not count.
        weights: wᵢ (17,); COCO has 1 where a keypoint is annotated, else 0.
        area: s², px².
        tolerance: Factor on the spread σᵢ of human annotations; 1 is COCO's.

    Returns:
        0…1; 0 where no keypoint counts.
    """
    distance2 = ((a - b) ** 2).sum(-1) / (2 * max(area, 1.0) * (2 * _SIGMAS * tolerance) ** 2)
    counted = np.where(np.isnan(distance2), 0.0, weights)
    if not counted.any():
        return 0.0
    return float((np.exp(-np.nan_to_num(distance2)) * counted).sum() / counted.sum())


def torso_center(keypoints: Floats, box: Floats) -> Floats:
    """The mean of shoulders and hips, which does not move with the limbs.

    Args:
        keypoints: (K, 2) px, COCO-17 or -21; NaN keypoints do not count.
        box: (4,) xyxy px; its center stands in where no keypoint of the torso is known.

    Returns:
        (2,) px.
    """
    torso = keypoints[_TORSO]
    known = torso[~np.isnan(torso).any(1)]
    center: Floats = known.mean(0) if len(known) else (box[:2] + box[2:]) / 2
    return center


def limb_lengths(keypoints: Floats, scores: Floats) -> Floats:
    """Lengths of torso, thigh, shin, upper arm and forearm, each as the stature it implies.

    Args:
        keypoints: (…, K, 2) px, COCO-17 or -21.
        scores: (…, K); keypoints below 0.3 do not count.

    Returns:
        (…, 5) px: the length over the limb's share of stature, of the longer one of left and right;
        NaN where neither is seen.
    """
    ends = keypoints[..., _LIMB_ENDS, :]  # (…, L, side, end, 2)
    lengths = np.linalg.norm(ends[..., 0, :] - ends[..., 1, :], axis=-1) / _LIMB_SHARES
    seen = (scores[..., _LIMB_ENDS] >= _MIN_SCORE).all(-1) & ~np.isnan(lengths)
    longer = np.where(seen, lengths, -np.inf).max(-1)
    return np.where(np.isinf(longer), np.nan, longer)


def stature_px(lengths: Floats, box: Floats) -> float:
    """The height in the picture of a person standing upright, whatever their pose and what hides.

    Args:
        lengths: `limb_lengths` (5,), px.
        box: (4,) xyxy px; its diagonal stands in where no limb is seen.
    """
    known = lengths[~np.isnan(lengths)]
    if not len(known):
        return float(np.linalg.norm(box[2:] - box[:2]))
    return float(np.percentile(known, _STATURE_PERCENTILE))
