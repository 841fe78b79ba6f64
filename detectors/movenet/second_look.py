"""A second look at people whom BlazePose sees, by MoveNet, whose points are taken if both agree.

The two networks learnt from other pictures. MoveNet's points are a little better, but it sees
the person in the middle of a crop. Where the two disagree, one of them sees another person or takes
left for right, and BlazePose is believed, whom the search and the regions follow.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from core.types import Floats, Picture
from detectors.blazepose.clearness import COCO, LIMBS
from detectors.blazepose.models import Landmarks
from detectors.blazepose.region import Region
from detectors.movenet.model import MoveNet

CROP_SIDE = 1.3
"""The side of the square that MoveNet is shown, in the longer side of the keypoints' box."""
AGREED = 0.05
"""The mean distance of the limbs' points within which both agree, in the diagonal of their box."""


@dataclass(frozen=True)
class SecondLook:
    """People as BlazePose sees them → the same with better points."""

    movenet: MoveNet

    def __call__(self, rgb: Picture, person: Landmarks) -> Landmarks:
        """Look at a person in a frame (H, W, 3); only points of COCO-17 change."""
        found = self.movenet(rgb, region_around(person.xy[COCO], person.region.angle))
        xy = person.xy.copy()
        xy[COCO] = found
        apart = np.linalg.norm(xy[LIMBS] - person.xy[LIMBS], axis=1).mean()
        size = np.linalg.norm(np.ptp(person.xy[LIMBS], axis=0))
        return replace(person, xy=xy) if apart < AGREED * size else person


def region_around(xy: Floats, angle: float) -> Region:
    """The square around points (K, 2) px that is turned by an angle and somewhat larger."""
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    low, high = (xy @ turn).min(0), (xy @ turn).max(0)
    middle = turn @ (low + high) / 2
    side = max(CROP_SIDE * float((high - low).max()), 1.0)
    return Region(float(middle[0]), float(middle[1]), side, angle)
