"""How clearly a person is seen: which points, how well, and whether it takes the larger model."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.skeletons import BLAZEPOSE_33, COCO_17
from core.types import Floats, Picture
from detectors.blazepose.networks.models import Landmarks

COCO = BLAZEPOSE_33.indices(COCO_17.joints)
FEET = ("left_foot_index", "left_heel", "right_foot_index", "right_heel")
KEYPOINTS = [*COCO, *BLAZEPOSE_33.indices(FEET)]
"""The landmarks of COCO-21; BlazePose's foot index is the tip of the big toe."""
LIMBS = [COCO[joint] for joint in range(COCO_17.index("left_shoulder"), len(COCO_17))]

MIN_PRESENCE = 0.3
"""The presence below which a known person is lost. It is low: the landmark model gives little to
people half hidden or upside down, and more soon after."""
CUT_JOINTS = 3
"""A person with so many joints of limbs outside the picture is hard to see."""
UNCLEAR, CLEAR = 0.6, 0.75
"""The clearness of limbs below which a person is hard to see, and above which no more."""


def is_hard(person: Landmarks, rgb: Picture, was_hard: bool) -> bool:
    """Whether a person is hard to see: cut by the picture's border, or with unclear limbs.

    Args:
        person: The landmarks.
        rgb: (H, W, 3) the frame.
        was_hard: Whether they were in the frame before; it seldom changes.
    """
    is_cut = int(outside(person.xy[LIMBS], rgb).sum()) >= CUT_JOINTS
    return is_cut or clearness(person, rgb) < (CLEAR if was_hard else UNCLEAR)


def clearness(person: Landmarks, rgb: Picture) -> float:
    """The mean visibility of the limbs' joints that lie in a frame (H, W, 3); 0 if none does."""
    seen = person.visibility[LIMBS][~outside(person.xy[LIMBS], rgb)]
    return float(seen.mean()) if len(seen) else 0.0


def keypoint_scores(person: Landmarks, rgb: Picture, points: Sequence[int]) -> Floats:
    """The scores of landmarks: the model's visibility, 0 outside the frame.

    The model's `presence` of a point is not used: it says that the point lies in the crop, hidden
    or not, which visibility implies.

    Args:
        person: The landmarks.
        rgb: (H, W, 3) the frame.
        points: (K,) which landmarks.

    Returns:
        (K,) in 0…1.
    """
    return np.where(outside(person.xy[points], rgb), 0.0, person.visibility[points])


def outside(xy: Floats, rgb: Picture) -> NDArray[np.bool_]:
    """(K,) whether points (K, 2) px lie outside a frame (H, W, 3)."""
    return np.asarray(((xy < 0) | (xy > (rgb.shape[1], rgb.shape[0]))).any(1))
