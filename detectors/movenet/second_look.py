"""A second look at people whom BlazePose sees, by MoveNet: by how much their points are to move.

The two networks learnt from other pictures. MoveNet's points are a little better, but it sees
the person in the middle of a crop. Where a point of the two is far apart, one of them sees another
person or takes left for right, and BlazePose is believed, whom the search and the regions follow.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.types import Floats, Picture
from detectors.blazepose.clearness import COCO
from detectors.blazepose.networks.models import Landmarks
from detectors.blazepose.networks.region import Region
from detectors.blazepose.turns import body_size
from detectors.movenet.model import MoveNet

CROP_SIDE = 1.3
"""The side of the square that MoveNet is shown, in the longer side of the keypoints' box."""
AGREED = 0.1
"""The distance of the two points of a joint, in the body's size, of which half is believed."""
SHARE, SHARE_HELD = 0.8, 0.5
"""How much of a difference is taken in its own frame, and where it holds for others."""


@dataclass(frozen=True)
class SecondLook:
    """A person as BlazePose sees them → by how much their points are to move.

    movenet: The network.
    share: How much of the difference is taken where both see the same.
    """

    movenet: MoveNet
    share: float

    def __call__(self, rgb: Picture, person: Landmarks) -> Floats:
        """Look at a person in a frame (H, W, 3).

        The difference d of a joint's points counts by the robust weight 1 / (1 + (|d| / AGREED)^4).

        Returns:
            (17, 2) of COCO-17's points, in the body's size.
        """
        found = self.movenet(rgb, region_around(person.xy[COCO], person.region.angle))
        apart = (found - person.xy[COCO]) / body_size(person)
        distance = np.linalg.norm(apart, axis=1, keepdims=True)
        shift: Floats = self.share * apart / (1 + (distance / AGREED) ** 4)
        return shift


def second_look(graph: Path, constants: Path, num_threads: int, every: int) -> SecondLook:
    """Make the look of MoveNet's files, of which one serves for `every` frames."""
    return SecondLook(MoveNet(graph, constants, num_threads), SHARE if every == 1 else SHARE_HELD)


def region_around(xy: Floats, angle: float) -> Region:
    """The square around points (K, 2) px that is turned by an angle and somewhat larger."""
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    low, high = (xy @ turn).min(0), (xy @ turn).max(0)
    middle = turn @ (low + high) / 2
    side = max(CROP_SIDE * float((high - low).max()), 1.0)
    return Region(float(middle[0]), float(middle[1]), side, angle)
