"""Whether two regions, boxes or sets of landmarks are of one person."""

from dataclasses import replace

import numpy as np

from core.skeletons import BLAZEPOSE_33
from core.types import Floats, Picture
from detectors.blazepose.networks.models import Landmarks, iou
from detectors.blazepose.networks.region import Region

BODY = slice(0, len(BLAZEPOSE_33))

SAME_CENTRE, SAME_SIDE = 0.15, 1.5
"""Two regions are of one person if their centres are closer than this share of the larger side, and
the sides differ by less than this factor."""
SAME_BODY = 0.06
"""Two sets of landmarks are of one person if their median distance is less than this share of a
region's side."""
SAME_BOX = 0.5
"""The IoU from which a box is a known person's."""
IN_REGION = 0.2
"""The part of a person's points that lie in a region from which they are painted out there."""
ALONE_SIDE = 2.0
"""The side of a square in which no one else is around who is alone, in their region's side."""
BOX_MARGIN = 0.08
"""Share of the box's longer side. The points end at the eyes, the wrists and the toes, people do
not."""


def unknown(found: Floats, people: list[Landmarks], rgb: Picture) -> list[Floats]:
    """Those of a window's boxes (N, 4) px that are not of `people`.

    A person has one box; of two that overlap them it is the one that does so more.
    """
    if not people:
        return list(found)
    own = np.array([box_around(person.xy[BODY], rgb) for person in people])
    overlaps = np.array([iou(box, own) for box in found]).reshape(len(found), len(people))
    nearest = overlaps.argmax(1)
    return [
        box
        for box, overlap, person in zip(found, overlaps, nearest, strict=True)
        if overlap[person] < SAME_BOX or overlap[person] < overlaps[:, person].max()
    ]


def shared(a: Landmarks, b: Landmarks) -> float:
    """The share of points, 0…1, at which two people have the same one at the same place."""
    distance = np.linalg.norm(a.xy[BODY] - b.xy[BODY], axis=1)
    return float(np.mean(distance < SAME_BODY * max(a.region.side, b.region.side)))


def is_in(region: Region, person: Landmarks) -> bool:
    """Whether a good part of a person lies in a region."""
    points = region.to_region(person.xy[BODY])
    return float(((points > 0) & (points < 1)).all(1).mean()) >= IN_REGION


def is_alone(region: Region, people: list[Landmarks]) -> bool:
    """Whether none of `people` comes into a region, or as near to it as it is large."""
    wide = replace(region, side=ALONE_SIDE * region.side)
    points = [wide.to_region(person.xy[BODY]) for person in people]
    return not any(((xy > 0) & (xy < 1)).all(1).any() for xy in points)


def plausibility(a: Landmarks, b: Landmarks) -> float:
    """How likely two sets of landmarks are of two people: clear ones, who share no points."""
    clear = sum(person.presence * float(person.visibility[BODY].mean()) for person in (a, b))
    return clear - 2 * shared(a, b)


def is_known(region: Region, people: list[Landmarks]) -> bool:
    """Whether a region is that of one of `people`."""
    return any(
        region.distance(known) < SAME_CENTRE * max(region.side, known.side)
        and max(region.side, known.side) < SAME_SIDE * min(region.side, known.side)
        for known in (person.region for person in people)
    )


def same_body(a: Landmarks, b: Landmarks) -> bool:
    """Whether two sets of landmarks are of one person."""
    distance = float(np.median(np.linalg.norm(a.xy[BODY] - b.xy[BODY], axis=1)))
    return distance < SAME_BODY * max(a.region.side, b.region.side)


def is_one_of(person: Landmarks, people: list[Landmarks]) -> bool:
    """Whether a person is among others already."""
    return any(same_body(person, other) for other in people)


def fit(box: Floats, person: Landmarks, rgb: Picture) -> float:
    """The IoU, 0…1, of a box (4,) px with that of a person's landmarks."""
    return float(iou(box, box_around(person.xy[BODY], rgb)[None])[0])


def box_around(xy: Floats, rgb: Picture) -> Floats:
    """The box around points, with a margin, inside the frame.

    Args:
        xy: (K, 2) px.
        rgb: (H, W, 3) the frame.

    Returns:
        (4,) px: x0, y0, x1, y1.
    """
    low, high = xy.min(0), xy.max(0)
    margin = BOX_MARGIN * (high - low).max()
    height, width = rgb.shape[:2]
    box: Floats = np.clip(
        np.concatenate([low - margin, high + margin]), 0, [width, height, width, height]
    )
    return box
