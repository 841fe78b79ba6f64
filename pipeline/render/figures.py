"""People in the 3D view: rounded limbs lit from above, drawn far to near, and their shadows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from core.skeletons import Skeleton
from core.types import Floats, Picture
from pipeline.render.draw import (
    Mask,
    blend,
    disc,
    is_drawable,
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
        for shape in sorted(shapes, key=lambda shape: -shape.depth):  # painter's algorithm
            if is_drawable(shape.start, image) and (
                shape.end is None or is_drawable(shape.end, image)
            ):
                _draw_shape(image, shape)
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
    strokes = [
        _Stroke(
            points[parent], points[child], (width_m + 2 * float(sigma_m[child])) * scale[child],
            round(255 * HALO * float(uncertainty[child])),
        )
        for parent, child, width_m, _ in sorted(
            limbs_of(person.skeleton), key=lambda limb: float(uncertainty[limb[1]])
        )
        if uncertainty[child]
    ]  # fmt: skip
    found = _cloud(image, strokes, image.shape[0] / 90)
    if found is not None:
        mask, left, top = found
        blend(image, mask, left, top, track_colour(person.track_id))


def _draw_shadow(image: Picture, view: View, person: PersonInFrame) -> None:
    """Darken the floor straight below every limb, softly, which shows where a person stands."""
    below = person.joints_world_m * [1.0, 1.0, 0.0]
    points, scale = view.pixels(below), view.scale(below)
    strokes = [
        _Stroke(points[parent], points[child], 1.3 * width_m * float(scale[child]), 255)
        for parent, child, width_m, _ in limbs_of(person.skeleton)
        if scale[parent] > 0 and scale[child] > 0
    ]
    found = _cloud(image, strokes, image.shape[0] / 150)
    if found is not None:
        mask, left, top = found
        blend(image, (mask * SHADOW_DARKNESS).astype(np.uint8), left, top, BLACK)


@dataclass(frozen=True)
class _Stroke:
    """A line of a mask: from start (2,) to end (2,) px, its width in px, its level 0…255."""

    start: Floats
    end: Floats
    width: float
    level: int


def _cloud(image: Picture, strokes: Sequence[_Stroke], blur: float) -> tuple[Mask, int, int] | None:
    """Strokes, blurred by `blur` px: a mask, and where in the image its left and top are.

    It covers no more of the image than the strokes do. Being blurred, it is drawn at a quarter of
    the size.
    """
    strokes = [
        stroke
        for stroke in strokes
        if is_drawable(stroke.start, image) and is_drawable(stroke.end, image)
    ]
    if not strokes:
        return None
    height, width = image.shape[:2]
    ends = np.array([(stroke.start, stroke.end) for stroke in strokes]).reshape(-1, 2)
    margin = max(stroke.width for stroke in strokes) / 2 + 3 * blur
    low = np.maximum(ends.min(0) - margin, 0).astype(int)
    high = np.minimum(ends.max(0) + margin, (width, height)).astype(int)
    columns, rows = (high - low + _COARSE - 1) // _COARSE
    if columns < 1 or rows < 1:
        return None
    mask = np.zeros((rows, columns), np.uint8)
    for stroke in strokes:
        level = (stroke.level, stroke.level, stroke.level)
        start, end = ((point - low) / _COARSE for point in (stroke.start, stroke.end))
        line(mask, start, end, level, stroke.width / _COARSE)
    mask = cv2.GaussianBlur(mask, (0, 0), blur / _COARSE)
    whole = cv2.resize(mask, (_COARSE * int(columns), _COARSE * int(rows)))
    return whole, int(low[0]), int(low[1])


def _draw_number(image: Picture, view: View, person: PersonInFrame) -> None:
    """The person's number above their head."""
    top = view.pixels(person.joints_world_m[person.skeleton.index("head_top")])
    if not is_drawable(top, image):
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


def _uncertainty(sigma_m: Floats) -> Floats:
    """(J,) from 0 for a joint that is sure, or of which that is not known, to 1 (`*_SIGMA_M`)."""
    share = (np.nan_to_num(sigma_m) - SURE_SIGMA_M) / (UNSURE_SIGMA_M - SURE_SIGMA_M)
    return np.asarray(share.clip(0, 1))


def _draw_shape(image: Picture, shape: _Shape) -> None:
    """Edge, body and a lighter stripe towards the light."""
    edge, light = mix(shape.colour, BLACK, 0.6), mix(shape.colour, WHITE, 0.35)
    lift = np.array([-0.12, -0.2]) * shape.width
    if shape.end is None:
        disc(image, shape.start, shape.width / 2 + 1.2, edge)
        disc(image, shape.start, shape.width / 2, shape.colour)
        disc(image, shape.start + lift, shape.width / 5, light)
    else:
        line(image, shape.start, shape.end, edge, shape.width + 2.4)
        line(image, shape.start, shape.end, shape.colour, shape.width)
        line(image, shape.start + lift, shape.end + lift, light, shape.width / 4)


def _limb_width_m(joint: str) -> float:
    """Thickness of the limb that ends at a joint, metres."""
    name = joint.removeprefix("l_").removeprefix("r_")
    return LIMB_WIDTH_M.get(name, OTHER_LIMB_WIDTH_M)
