"""People in the 3D view: rounded limbs with light from above, drawn far to near, and their shadows on the floor."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from core.skeletons import H36M_17, Skeleton
from core.types import Floats
from pipeline.render.draw import Picture, disc, fits, line, plate, text, text_width
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
}
"""Thickness of the limb that ends at a joint, by the joint's name without its side; 0.07 for the others."""

HEAD_RADIUS_M = 0.105
SHADOW = 0.5
"""How dark a shadow is, 0…1."""


@dataclass(frozen=True)
class _Part:
    """A limb, or the head where `end` is None, ready to draw: px; `depth` for the order."""

    depth: float
    start: Floats
    end: Floats | None
    width: float
    colour: Colour


class FigurePainter:
    """Draws people into a stage's picture, projecting with the stage's camera."""

    def __init__(self, stage: Stage, skeleton: Skeleton = H36M_17) -> None:
        self._stage, self._skeleton = stage, skeleton
        self._limbs = [
            (
                parent,
                child,
                LIMB_WIDTH_M.get(_without_side(skeleton.joints[child]), 0.07),
                side_of(skeleton, (child,)),
            )
            for parent, child in skeleton.bones
            if skeleton.joints[child] != "head_top"
        ]
        self._head = skeleton.indices(("neck_base", "head_top"))
        depths = stage.projection.depth(stage.bounds.corners)
        self._near, self._far = float(depths.min()), float(depths.max())

    def draw(self, image: Picture, people: Sequence[PersonInFrame]) -> None:
        """People without finite 3D are left out."""
        seen = [person for person in people if self._is_before_camera(person.joints_world_m)]
        self._draw_shadows(image, seen)
        parts = [part for person in seen for part in self._parts(person)]
        for part in sorted(parts, key=lambda part: -part.depth):
            if fits(part.start, image) and (part.end is None or fits(part.end, image)):
                _draw_part(image, part)
        for person in seen:
            self._draw_name(image, person)

    def _is_before_camera(self, joints: Floats) -> bool:
        """False for NaN, and for one who strayed so far out of bounds that the camera would stand among their limbs."""
        return bool((self._stage.projection.depth(joints) > 0.3 * self._near).all())

    def _parts(self, person: PersonInFrame) -> list[_Part]:
        joints, projection = person.joints_world_m, self._stage.projection
        points, depth, scale = (
            projection.pixels(joints),
            projection.depth(joints),
            projection.scale(joints),
        )
        parts = []
        for parent, child, width_m, side in self._limbs:
            middle = float(depth[parent] + depth[child]) / 2
            colour = self._in_haze(track_colour(person.track_id, side), middle)
            width = width_m * float(scale[parent] + scale[child]) / 2
            parts.append(_Part(middle, points[parent], points[child], width, colour))
        neck, top = self._head
        colour = self._in_haze(track_colour(person.track_id, Side.MIDDLE), float(depth[top]))
        centre = points[neck] * 0.45 + points[top] * 0.55
        parts.append(
            _Part(float(depth[top]), centre, None, 2 * HEAD_RADIUS_M * float(scale[top]), colour)
        )
        return parts

    def _in_haze(self, colour: Colour, depth: float) -> Colour:
        """Far people fade a little into the background."""
        share = (depth - self._near) / (self._far - self._near)
        return mix(colour, BACKGROUND, round(0.35 * min(max(share, 0.0), 1.0), 2))

    def _draw_shadows(self, image: Picture, people: Sequence[PersonInFrame]) -> None:
        """Darken the floor straight below every limb, softly: where a person stands is then plain to see."""
        if not people:
            return
        mask = np.zeros(
            (image.shape[0] // 2, image.shape[1] // 2), np.uint8
        )  # half size: it is blurred anyway
        for person in people:
            below = person.joints_world_m * [1.0, 1.0, 0.0]
            points, scale = (
                self._stage.projection.pixels(below) / 2,
                self._stage.projection.scale(below) / 2,
            )
            for parent, child, width_m, _ in self._limbs:
                if fits(points[parent], mask) and fits(points[child], mask):
                    width = 1.3 * width_m * float(scale[child])
                    line(mask, points[parent], points[child], WHITE, width)
        mask = cv2.GaussianBlur(mask, (0, 0), image.shape[0] / 300)
        x, y, width, height = (2 * side for side in cv2.boundingRect(mask))
        if width and height:
            shade = cv2.resize(
                mask[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2], (width, height)
            )
            darkened = image[y : y + height, x : x + width]
            darkened[:] = (
                darkened * (1 - SHADOW / 255 * shade[..., None].astype(np.float32))
            ).astype(np.uint8)

    def _draw_name(self, image: Picture, person: PersonInFrame) -> None:
        top = self._stage.projection.pixels(person.joints_world_m[self._head[1]])
        if not fits(top, image):
            return
        size = max(11, image.shape[0] // 48)
        name = str(person.track_id)
        width = text_width(name, size, bold=True) + size
        x, y = top[0] - width / 2, top[1] - 2.1 * size
        plate(
            image, x, y - size * 0.7, width, round(1.4 * size), track_colour(person.track_id), 0.95
        )
        text(image, name, x + size / 2, y, size, BLACK, bold=True)


def _draw_part(image: Picture, part: _Part) -> None:
    """Edge, body and a lighter stripe towards the light."""
    edge, light = mix(part.colour, BLACK, 0.6), mix(part.colour, WHITE, 0.35)
    lift = np.array([-0.12, -0.2]) * part.width
    if part.end is None:
        disc(image, part.start, part.width / 2 + 1.2, edge)
        disc(image, part.start, part.width / 2, part.colour)
        disc(image, part.start + lift, part.width / 5, light)
    else:
        line(image, part.start, part.end, edge, part.width + 2.4)
        line(image, part.start, part.end, part.colour, part.width)
        line(image, part.start + lift, part.end + lift, light, part.width / 4)


def _without_side(joint: str) -> str:
    return joint.removeprefix("l_").removeprefix("r_")
