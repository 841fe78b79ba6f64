"""People in the 3D view: rounded limbs lit from above, drawn far to near, and their shadows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import compress

import cv2
import numpy as np
from numpy.typing import NDArray

from core.skeletons import Skeleton
from core.types import Floats, Picture
from pipeline.render.draw import (
    Mask,
    are_drawable,
    blend,
    disc,
    fixed_points,
    line,
    rounded_rectangle,
    text,
    text_width,
)
from pipeline.render.palette import BLACK, WHITE, Colour, Side, mix, side_of, track_colour
from pipeline.render.person import PersonInFrame
from pipeline.render.view import View, letter_size

LIMB_WIDTH_M = {
    "knee": 0.105,
    "ankle": 0.08,
    "elbow": 0.07,
    "wrist": 0.055,
    "spine": 0.12,
    "thorax": 0.12,
    "heel": 0.05,
    "toe": 0.05,
}
"""Thickness of the limb that ends at a joint, by the joint's name without its side."""

OTHER_LIMB_WIDTH_M = 0.07
HEAD_RADIUS_M = 0.105
SHADOW_DARKNESS = 0.5
"""How dark a shadow is, 0…1."""
SURE_SIGMA_M, UNSURE_SIGMA_M = 0.08, 0.25
"""One standard deviation of a joint up to which its limb is drawn in full, and from which on it is
faintest and its halo strongest."""
FAINTEST = 0.45
"""Share of the background in the limb of a joint that is not sure."""
HALO = 0.18
"""Opacity of the strongest halo."""
_COARSE = 4  # px of a picture for a px of what is blurred
NEAREST_M, FURTHEST_M = 0.3, 200.0
"""Before the camera: people with a joint nearer or further are not drawn."""


@dataclass(frozen=True)
class _Shape:
    """A limb, or the head where `end` is None, ready to draw.

    depth: Metres along the view.
    start: (2,) px; the head's centre.
    end: (2,) px.
    width: px; the head's diameter.
    colour: RGB, 0…255.
    """

    depth: float
    start: Floats
    end: Floats | None
    width: float
    colour: Colour


class FigurePainter:
    """Draws people into pictures of a view.

    Args:
        background: What they fade into.
    """

    def __init__(self, background: Colour) -> None:
        self._background = background

    def draw(self, image: Picture, view: View, people: Sequence[PersonInFrame]) -> None:
        """Draw people with their shadows and numbers.

        Args:
            image: (H, W, 3) RGB, the empty view; drawn into.
            view: The camera.
            people: Those without finite 3D are left out.
        """
        visible = [person for person in people if _is_before_camera(view, person.joints_world_m)]
        for person in visible:
            _draw_shadow(image, view, person)
        for person in visible:
            _draw_halo(image, view, person)
        shapes = [shape for person in visible for shape in self._shapes(view, person)]
        _draw_shapes(image, sorted(shapes, key=lambda shape: -shape.depth))  # painter's algorithm
        for person in visible:
            _draw_number(image, view, person)

    def _shapes(self, view: View, person: PersonInFrame) -> list[_Shape]:
        joints = person.joints_world_m
        points, depth, scale = view.pixels(joints), view.depth(joints), view.scale(joints)
        haze = ((depth / view.floor_distance_m - 0.5) / 2).clip(0, 1)
        uncertainty = _uncertainty(person.joint_sigma_m)
        shapes = []
        for parent, child, width_m, side in limbs_of(person.skeleton):
            colour = self._faded(
                track_colour(person.track_id, side), float(haze[child]), float(uncertainty[child])
            )
            middle = float(depth[parent] + depth[child]) / 2
            width = width_m * float(scale[parent] + scale[child]) / 2
            shapes.append(_Shape(middle, points[parent], points[child], width, colour))
        neck, top = person.skeleton.indices(("neck_base", "head_top"))
        middle_colour = track_colour(person.track_id, Side.MIDDLE)
        colour = self._faded(middle_colour, float(haze[top]), float(uncertainty[top]))
        centre = points[neck] * 0.45 + points[top] * 0.55
        diameter = 2 * HEAD_RADIUS_M * float(scale[top])
        shapes.append(_Shape(float(depth[top]), centre, None, diameter, colour))
        return shapes

    def _faded(self, colour: Colour, haze: float, uncertainty: float) -> Colour:
        """A colour that fades into the background: a little with distance, more if not sure."""
        kept = (1 - 0.35 * haze) * (1 - FAINTEST * uncertainty)
        return mix(colour, self._background, round(1 - kept, 2))


def _is_before_camera(view: View, joints: Floats) -> bool:
    """False for NaN, and for joints so far out of bounds that they reach the camera."""
    depth = view.depth(joints)
    return bool(((depth > NEAREST_M) & (depth < FURTHEST_M)).all())


def _draw_halo(image: Picture, view: View, person: PersonInFrame) -> None:
    """A faint cloud around limbs that are not sure, one standard deviation wide."""
    uncertainty, sigma_m = _uncertainty(person.joint_sigma_m), person.joint_sigma_m
    if not uncertainty.any():
        return
    points, scale = view.pixels(person.joints_world_m), view.scale(person.joints_world_m)
    limbs, widths_m = _limbs_as_arrays(person.skeleton)
    order = np.argsort(uncertainty[limbs[:, 1]], kind="stable")
    order = order[uncertainty[limbs[order, 1]] > 0]
    ends, child = limbs[order], limbs[order, 1]
    widths = (widths_m[order] + 2 * sigma_m[child]) * scale[child]
    levels = np.round(255 * HALO * uncertainty[child])
    found = _cloud(image, points[ends], widths, levels, image.shape[0] / 90)
    if found is not None:
        mask, left, top = found
        blend(image, mask, left, top, track_colour(person.track_id))


def _draw_shadow(image: Picture, view: View, person: PersonInFrame) -> None:
    """Darken the floor straight below every limb, softly, which shows where a person stands."""
    below = person.joints_world_m * [1.0, 1.0, 0.0]
    points, scale = view.pixels(below), view.scale(below)
    limbs, widths_m = _limbs_as_arrays(person.skeleton)
    is_seen = (scale[limbs] > 0).all(1)
    ends = limbs[is_seen]
    widths = 1.3 * widths_m[is_seen] * scale[ends[:, 1]]
    levels = np.full(len(ends), 255.0)
    found = _cloud(image, points[ends], widths, levels, image.shape[0] / 150)
    if found is not None:
        mask, left, top = found
        blend(image, (mask * SHADOW_DARKNESS).astype(np.uint8), left, top, BLACK)


def _cloud(
    image: Picture, ends: Floats, widths: Floats, levels: Floats, blur: float
) -> tuple[Mask, int, int] | None:
    """Lines, blurred by `blur` px: a mask, and where in the image its left and top are.

    It covers no more of the image than the lines do. Being blurred, it is drawn at a quarter of the
    size.

    Args:
        image: What the mask is for.
        ends: (L, 2, 2) px of the lines' starts and ends.
        widths: (L,) px.
        levels: (L,) of the mask, 0…255.
        blur: px, a standard deviation.
    """
    are_near = are_drawable(ends, image).all(1)
    if not are_near.any():
        return None
    ends, widths, levels = ends[are_near], widths[are_near], levels[are_near]
    height, width = image.shape[:2]
    margin = widths.max() / 2 + 3 * blur
    low = np.maximum(ends.min((0, 1)) - margin, 0).astype(int)
    high = np.minimum(ends.max((0, 1)) + margin, (width, height)).astype(int)
    columns, rows = (high - low + _COARSE - 1) // _COARSE
    if columns < 1 or rows < 1:
        return None
    mask = np.zeros((rows, columns), np.uint8)
    lines = zip(
        fixed_points((ends - low) / _COARSE), (widths / _COARSE).tolist(), levels.tolist(),
        strict=True,
    )  # fmt: skip
    for (start, end), thickness, level in lines:
        line(mask, start, end, (level, level, level), thickness)
    mask = cv2.GaussianBlur(mask, (0, 0), blur / _COARSE)
    whole = cv2.resize(mask, (_COARSE * int(columns), _COARSE * int(rows)))
    return whole, int(low[0]), int(low[1])


def _draw_number(image: Picture, view: View, person: PersonInFrame) -> None:
    """The person's number above their head."""
    top = view.pixels(person.joints_world_m[person.skeleton.index("head_top")])
    if not are_drawable(top, image):
        return
    size = letter_size(image.shape[0])
    name, colour = str(person.track_id), track_colour(person.track_id)
    width, height = text_width(name, size, bold=True) + size, round(1.4 * size)
    x, y = top[0] - width / 2, top[1] - 2.1 * size
    rounded_rectangle(image, x, y - size * 0.7, width, height, colour, 0.95)
    text(image, name, x + size / 2, y, size, BLACK, bold=True)


@cache
def limbs_of(skeleton: Skeleton) -> tuple[tuple[int, int, float, Side], ...]:
    """The limbs to draw: parent joint, child joint, width in metres, side of the body.

    A foot is a triangle: ankle, heel and toe.
    """
    ends = [
        (parent, child) for parent, child in skeleton.bones if skeleton.joints[child] != "head_top"
    ]
    if "l_toe" in skeleton.joints:
        ends += [(skeleton.index(f"{side}_heel"), skeleton.index(f"{side}_toe")) for side in "lr"]
    return tuple(
        (parent, child, _limb_width_m(skeleton.joints[child]), side_of(skeleton, (child,)))
        for parent, child in ends
    )


@cache
def _limbs_as_arrays(skeleton: Skeleton) -> tuple[NDArray[np.int64], Floats]:
    """Parents and children (L, 2), and widths (L,) in metres."""
    parents, children, widths_m, _ = zip(*limbs_of(skeleton), strict=True)
    return np.stack([parents, children], 1), np.array(widths_m)


def _uncertainty(sigma_m: Floats) -> Floats:
    """(J,) from 0 for a joint that is sure, or of which that is not known, to 1 (`*_SIGMA_M`)."""
    share = (np.nan_to_num(sigma_m) - SURE_SIGMA_M) / (UNSURE_SIGMA_M - SURE_SIGMA_M)
    return np.asarray(share.clip(0, 1))


def _draw_shapes(image: Picture, shapes: Sequence[_Shape]) -> None:
    """In their order: edge, body and a lighter stripe towards the light."""
    if not shapes:
        return
    ends = np.array([(one.start, one.start if one.end is None else one.end) for one in shapes])
    lifts = np.outer([one.width for one in shapes], [-0.12, -0.2])
    are_near = np.asarray(are_drawable(ends, image).all(1))
    ends = np.where(are_near[:, None, None], ends, 0.0)
    lines = zip(shapes, fixed_points(ends), fixed_points(ends + lifts[:, None]), strict=True)
    for shape, (start, end), (lifted, lifted_end) in compress(lines, are_near):
        edge, light = mix(shape.colour, BLACK, 0.6), mix(shape.colour, WHITE, 0.35)
        if shape.end is None:
            disc(image, start, shape.width / 2 + 1.2, edge)
            disc(image, start, shape.width / 2, shape.colour)
            disc(image, lifted, shape.width / 5, light)
        else:
            line(image, start, end, edge, shape.width + 2.4)
            line(image, start, end, shape.colour, shape.width)
            line(image, lifted, lifted_end, light, shape.width / 4)


def _limb_width_m(joint: str) -> float:
    """Thickness of the limb that ends at a joint, metres."""
    name = joint.removeprefix("l_").removeprefix("r_")
    return LIMB_WIDTH_M.get(name, OTHER_LIMB_WIDTH_M)
