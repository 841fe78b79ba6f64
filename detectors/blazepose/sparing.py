"""The larger landmark model, sparingly: live, it is too slow to look at a person in every frame.

Where the smaller model sees a person, too, the two models' points differ little, and by nearly the
same from frame to frame. So one look in some frames serves: in those between, the smaller model's
points are moved by what the last look gave.
"""

from typing import NamedTuple

import numpy as np

from core.types import Floats, Picture
from detectors.blazepose.networks.choice import Networks
from detectors.blazepose.networks.models import HIPS, RADIUS, Landmarks
from detectors.blazepose.networks.region import Region
from detectors.blazepose.turns import body_size

EVERY = 4
"""Frames from one look of the larger model to the next."""
SURE_PRESENCE = 0.9
"""The presence from which the smaller model sees the same person. Measured: 0.99 and more of people
at desks, 0.4 and less of most who go out of the picture, whose points are then off by a third of
the body."""


class Gap(NamedTuple):
    """What the larger model gives beyond the smaller one.

    xy: (39, 2) in the body's size. visibility: (39,). metres: (39, 3).
    """

    xy: Floats
    visibility: Floats
    metres: Floats

    @classmethod
    def between(cls, smaller: Landmarks, larger: Landmarks) -> "Gap":
        """That of a person in one frame."""
        return cls(
            (larger.xy - smaller.xy) / body_size(smaller),
            larger.visibility - smaller.visibility,
            larger.metres - smaller.metres,
        )

    def bridged(self, smaller: Landmarks, region: Region) -> Landmarks:
        """A person in a region as the larger model would see them."""
        xy = smaller.xy + self.xy * body_size(smaller)
        return Landmarks(
            smaller.presence,
            xy,
            np.clip(smaller.visibility + self.visibility, 0.0, 1.0),
            smaller.metres + self.metres,
            region.toward(xy[HIPS], xy[RADIUS]),
        )


class Moved(NamedTuple):
    """What is known of a person whom the larger model sees sparingly.

    gap: None where the smaller model is not sure of them. frames: From the last frame in which both
    models looked.
    """

    gap: Gap | None
    frames: int


NOT_YET = Moved(None, EVERY)
"""That of a person at whom not both models have looked."""


def see_sparingly(
    networks: Networks, rgb: Picture, region: Region, moved: Moved
) -> tuple[Landmarks, Moved]:
    """See a person as the larger model does, who is hard to see.

    Args:
        networks: The models.
        rgb: (H, W, 3) the frame.
        region: Where the person is.
        moved: Since the frame before.
    """
    if networks.heavy is networks.landmarks:
        return networks.landmarks(rgb, region), moved
    gap, frames = moved.gap, moved.frames + 1
    is_due = frames >= EVERY
    if gap is None and not is_due:
        return networks.heavy(rgb, region), Moved(None, frames)
    smaller = networks.landmarks(rgb, region)
    is_sure = smaller.presence >= SURE_PRESENCE
    if gap is not None and is_sure and not is_due:
        return gap.bridged(smaller, region), Moved(gap, frames)
    larger = networks.heavy(rgb, region)
    return larger, Moved(Gap.between(smaller, larger) if is_sure else None, 0)
