"""Colours, RGB, 0…255: one hue a track, light on the person's left side, full on the right."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from core.skeletons import Skeleton

Colour = tuple[int, int, int]

TEXT: Colour = (226, 230, 236)
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)


@dataclass(frozen=True)
class Theme:
    """The colours of the 3D view around people."""

    background: Colour
    floor: Colour
    grid: Colour
    grid_strong: Colour
    words: Colour


DARK = Theme((22, 25, 31), (42, 47, 57), (56, 63, 75), (92, 102, 119), (152, 161, 175))
LIGHT = Theme((247, 248, 250), (226, 230, 236), (207, 213, 222), (168, 177, 190), (84, 93, 107))
THEMES = {"dark": DARK, "light": LIGHT}

TRACK_HUES: tuple[Colour, ...] = (
    (255, 122, 46),
    (42, 157, 255),
    (60, 207, 110),
    (240, 76, 160),
    (250, 200, 40),
    (150, 112, 255),
    (34, 211, 205),
    (244, 72, 72),
)
"""Hues that stay apart on dark ground and on video; the first are the furthest apart."""


class Side(Enum):
    """Which half of the body a joint or a limb belongs to."""

    LEFT = "left"
    RIGHT = "right"
    MIDDLE = "middle"


def side_of(skeleton: Skeleton, joints: Sequence[int]) -> Side:
    """The side that joints are on, by their indices.

    Joints of the middle don't count: a limb from the middle outwards is of the side it ends on.
    """
    sides = {
        Side.LEFT if joint in skeleton.left else Side.RIGHT
        for joint in joints
        if _is_paired(skeleton, joint)
    }
    return sides.pop() if len(sides) == 1 else Side.MIDDLE


def _is_paired(skeleton: Skeleton, joint: int) -> bool:
    return joint in skeleton.left or joint in skeleton.right


@lru_cache(maxsize=256)
def track_colour(track_id: int, side: Side = Side.RIGHT) -> Colour:
    """A track's colour, the same in both panels and in every frame."""
    hue = TRACK_HUES[(track_id - 1) % len(TRACK_HUES)]
    return mix(hue, WHITE, {Side.LEFT: 0.62, Side.MIDDLE: 0.3, Side.RIGHT: 0.0}[side])


@lru_cache(maxsize=4096)
def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """`colour` with a `share` (0…1) of `other`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue
