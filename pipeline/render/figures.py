"""People in the 3D view: rounded limbs lit from above, drawn far to near, and their shadows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from core.skeletons import Skeleton
from core.types import Floats, Picture
from pipeline.render.draw import blend, disc, is_drawable, line, rounded_rectangle, text, text_width
from pipeline.render.palette import (
    BACKGROUND,
    BLACK,
    WHITE,
    Colour,
    Side,
    mix,
    side_of,
    track_colour,
)
from pipeline.render.person import PersonInFrame
from pipeline.render.scene import Stage

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


@dataclass(frozen=True)
class _Shape:
    """A limb, or the head where `end` is None, ready to draw.

    depth: Along the view, as of `Projection.depth`; larger is further.
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
    """Draws people into a stage's picture, projecting with the stage's camera.

    Args:
        stage: What they stand on.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        depths = stage.projection.depth(stage.bounds.corners)
        self._near, self._far = float(depths.min()), float(depths.max())

    def draw(self, image: Picture, people: Sequence[PersonInFrame]) -> None:
        """Draw people with their shadows and numbers.

        Args:
            image: (H, W, 3) RGB, the stage's picture or a copy of it; drawn into.
            people: Those without finite 3D are left out.
        """
        visible = [person for person in people if self._is_before_camera(person.joints_world_m)]
        self._draw_shadows(image, visible)
        for person in visible:
            self._draw_halo(image, person)
        shapes = [shape for person in visible for shape in self._shapes(person)]
        for shape in sorted(shapes, key=lambda shape: -shape.depth):  # painter's algorithm
            if is_drawable(shape.start, image) and (
                shape.end is None or is_drawable(shape.end, image)
            ):
                _draw_shape(image, shape)
        for person in visible:
            self._draw_number(image, person)

    def _is_before_camera(self, joints: Floats) -> bool:
        """False for NaN, and for joints so far out of bounds that they reach the camera."""
        return bool((self._stage.projection.depth(joints) > 0.3 * self._near).all())

    def _shapes(self, person: PersonInFrame) -> list[_Shape]:
        joints, projection = person.joints_world_m, self._stage.projection
        points = projection.pixels(joints)
        depth = projection.depth(joints)
        scale = projection.scale(joints)
        uncertainty = _uncertainty(person.joint_sigma_m)
        shapes = []
        for parent, child, width_m, side in limbs_of(person.skeleton):
            middle = float(depth[parent] + depth[child]) / 2
            colour = self._faded(track_colour(person.track_id, side), middle, uncertainty[child])
            width = width_m * float(scale[parent] + scale[child]) / 2
            shapes.append(_Shape(middle, points[parent], points[child], width, colour))
        neck, top = person.skeleton.indices(("neck_base", "head_top"))
        middle_colour = track_colour(person.track_id, Side.MIDDLE)
        colour = self._faded(middle_colour, float(depth[top]), uncertainty[top])
        centre = points[neck] * 0.45 + points[top] * 0.55
        diameter = 2 * HEAD_RADIUS_M * float(scale[top])
        shapes.append(_Shape(float(depth[top]), centre, None, diameter, colour))
        return shapes

    def _faded(self, colour: Colour, depth: float, uncertainty: float) -> Colour:
        """A colour that fades into the background: a little with distance, more if not sure."""
        share = 0.35 * min(max((depth - self._near) / (self._far - self._near), 0.0), 1.0)
        return mix(colour, BACKGROUND, round(1 - (1 - share) * (1 - FAINTEST * uncertainty), 2))

    def _draw_halo(self, image: Picture, person: PersonInFrame) -> None:
        """A faint cloud around limbs that are not sure, one standard deviation wide."""
        uncertainty, sigma_m = _uncertainty(person.joint_sigma_m), person.joint_sigma_m
        if not uncertainty.any():
            return
        mask = np.zeros((image.shape[0] // 2, image.shape[1] // 2), np.uint8)  # it is blurred
        points = self._stage.projection.pixels(person.joints_world_m) / 2
        scale = self._stage.projection.scale(person.joints_world_m) / 2
        for parent, child, width_m, _ in sorted(
            limbs_of(person.skeleton), key=lambda limb: float(uncertainty[limb[1]])
        ):
            ends = (points[parent], points[child])
            if uncertainty[child] and all(is_drawable(end, mask) for end in ends):
                width = (width_m + 2 * float(sigma_m[child])) * float(scale[child])
                level = round(255 * HALO * float(uncertainty[child]))
                line(mask, *ends, (level, level, level), width)
        mask = cv2.GaussianBlur(mask, (0, 0), image.shape[0] / 180)
        x, y, width, height = (2 * side for side in cv2.boundingRect(mask))
        if width and height:
            cut = mask[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2]
            blend(image, cv2.resize(cut, (width, height)), x, y, track_colour(person.track_id))

    def _draw_shadows(self, image: Picture, people: Sequence[PersonInFrame]) -> None:
        """Darken the floor straight below every limb, softly, which shows where a person stands."""
        if not people:
            return
        # at half size: it is blurred anyway
        mask = np.zeros((image.shape[0] // 2, image.shape[1] // 2), np.uint8)
        for person in people:
            below = person.joints_world_m * [1.0, 1.0, 0.0]
            points = self._stage.projection.pixels(below) / 2
            scale = self._stage.projection.scale(below) / 2
            for parent, child, width_m, _ in limbs_of(person.skeleton):
                if is_drawable(points[parent], mask) and is_drawable(points[child], mask):
                    width = 1.3 * width_m * float(scale[child])
                    line(mask, points[parent], points[child], WHITE, width)
        mask = cv2.GaussianBlur(mask, (0, 0), image.shape[0] / 300)
        x, y, width, height = (2 * side for side in cv2.boundingRect(mask))
        if width and height:
            cut = mask[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2]
            shade = cv2.resize(cut, (width, height))
            under = image[y : y + height, x : x + width]
            light = 1 - SHADOW_DARKNESS / 255 * shade[..., None].astype(np.float32)
            under[:] = (under * light).astype(np.uint8)

    def _draw_number(self, image: Picture, person: PersonInFrame) -> None:
        """The person's number above their head."""
        top = self._stage.projection.pixels(
            person.joints_world_m[person.skeleton.index("head_top")]
        )
        if not is_drawable(top, image):
            return
        size = max(11, image.shape[0] // 48)
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
