"""How alike two sightings of people are, from boxes and COCO-17 keypoints alone: place, size, pose, proportions."""

import numpy as np

from core.skeletons import COCO_17
from core.types import Floats

# https://cocodataset.org/#keypoints-eval: the spread of human annotations, per keypoint, in parts of the person's size
_SIGMAS = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000

_TORSO = COCO_17.indices(("left_shoulder", "right_shoulder", "left_hip", "right_hip"))
# Lengths in parts of stature (Drillis and Contini, 1966), between the places where detectors put the keypoints.
_LIMBS = (("shoulder", "hip", 0.288), ("hip", "knee", 0.245), ("knee", "ankle", 0.246),
          ("shoulder", "elbow", 0.186), ("elbow", "wrist", 0.146))  # fmt: skip
LIMBS = len(_LIMBS)
_SHARES = np.array([[share] for *_, share in _LIMBS])  # (L, 1)
_SIDES = ("left", "right")
_ENDS = np.array(
    [[COCO_17.indices((f"{side}_{a}", f"{side}_{b}")) for side in _SIDES] for a, b, _ in _LIMBS]
)
_LONG = 70.0  # percentile: seen at a slant a limb is shorter, never longer
_SEEN = 0.3  # keypoints with a lower score are guesses


def iou(a: Floats, b: Floats) -> float:
    """Intersection over union of two boxes (4,) xyxy."""
    overlap = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0).prod()
    union = (a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - overlap
    return float(overlap / union) if union > 0 else 0.0


def oks(a: Floats, b: Floats, weights: Floats, area: float, ease: float = 1.0) -> float:
    """Object keypoint similarity, 0…1, of two poses (17, 2) px of people of `area` px².

    `weights` (17,) say how much each keypoint counts; NaN keypoints do not. `ease` widens what is taken for alike, in
    parts of how much annotators disagree. 0 where no keypoint counts.
    """
    distance2 = ((a - b) ** 2).sum(-1) / (2 * max(area, 1.0) * (2 * _SIGMAS * ease) ** 2)
    counted = np.where(np.isnan(distance2), 0.0, weights)
    if not counted.any():
        return 0.0
    return float((np.exp(-np.nan_to_num(distance2)) * counted).sum() / counted.sum())


def place_of(keypoints: Floats, box: Floats) -> Floats:
    """(2,) px: the middle of the torso, which limbs do not move; that of the box where no torso is seen."""
    torso = keypoints[_TORSO]
    known = torso[~np.isnan(torso).any(1)]
    middle: Floats = known.mean(0) if len(known) else (box[:2] + box[2:]) / 2
    return middle


def limb_lengths(keypoints: Floats, scores: Floats) -> Floats:
    """(…, 5) statures in px that torso, thighs, shins, upper arms and forearms of (…, 17, 2) px stand for.

    The longer one of left and right; NaN where neither is seen.
    """
    ends = keypoints[..., _ENDS, :]  # (…, L, side, end, 2)
    lengths = np.linalg.norm(ends[..., 0, :] - ends[..., 1, :], axis=-1) / _SHARES
    seen = (scores[..., _ENDS] >= _SEEN).all(-1) & ~np.isnan(lengths)
    longer = np.where(seen, lengths, -np.inf).max(-1)
    return np.where(np.isinf(longer), np.nan, longer)


def stature_px(lengths: Floats, box: Floats) -> float:
    """How tall somebody with these `limb_lengths` (5,) would stand in the picture, whatever they do and hide.

    The box (4,) tells it where limbs do not.
    """
    known = lengths[~np.isnan(lengths)]
    return float(np.percentile(known, _LONG) if len(known) else np.linalg.norm(box[2:] - box[:2]))
