"""People in the video: box, number and 2D skeleton, drawn at the size the picture is shown."""

import numpy as np

from core.skeletons import COCO_17, COCO_21
from core.types import Floats, Picture
from pipeline.render.draw import (
    are_drawable,
    disc,
    fixed_points,
    line,
    rounded_rectangle,
    text,
    text_width,
)
from pipeline.render.palette import BLACK, mix, side_of, track_colour
from pipeline.render.person import PersonInFrame

SURE_SCORE, SHOWN_SCORE = 0.6, 0.3
"""A keypoint scored below `SURE_SCORE` is drawn thin; below `SHOWN_SCORE` it is left out."""

_LINKS = (
    ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"),
    ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"),
    ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
)  # fmt: skip
"""Keypoints joined by a line: a trunk and four limbs, where COCO's tree starts at the nose. The
face gets dots."""
_FOOT = (("ankle", "heel"), ("heel", "big_toe"), ("big_toe", "ankle"))
_FOOT_LINKS = tuple((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in _FOOT)
"""A triangle each, thinner: a foot is small."""

LINKS = tuple(
    (COCO_21.index(a), COCO_21.index(b), side_of(COCO_21, COCO_21.indices((a, b))), width)
    for links, width in ((_LINKS, 4.0), (_FOOT_LINKS, 2.5))
    for a, b in links
)
_UNSURE_WIDTH = 1.5
_SIDES = [side_of(COCO_21, (joint,)) for joint in range(len(COCO_21))]
_FACE = frozenset(COCO_21.indices(("nose", "left_eye", "right_eye", "left_ear", "right_ear")))
_SMALL = _FACE | frozenset(COCO_21.indices(COCO_21.joints[len(COCO_17) :]))
"""Keypoints with a smaller dot: those of the face and the feet."""


def draw_person(image: Picture, person: PersonInFrame, scale: float) -> None:
    """Draw a person's box, number and 2D skeleton.

    Args:
        image: (H, W, 3) RGB, the frame times `scale`; drawn into.
        person: Their box and keypoints in px of the frame.
        scale: px of the image for a px of the frame.
    """
    unit = image.shape[0] / 720  # sizes are chosen for pictures of 720 px
    _draw_box(image, person.box_xyxy * scale, person.track_id, unit)
    points, scores = person.keypoints_xy * scale, person.keypoint_scores
    is_shown = (scores >= SHOWN_SCORE) & are_drawable(points, image)
    fixed = fixed_points(np.where(is_shown[:, None], points, 0.0))
    strokes = [
        (fixed[a], fixed[b], track_colour(person.track_id, side), shown * unit)
        for a, b, side, width in LINKS
        if is_shown[a] and is_shown[b]
        for shown in [_UNSURE_WIDTH if min(scores[a], scores[b]) < SURE_SCORE else width]
    ]
    # all edges first: they must not cut into a neighbouring limb
    for start, end, colour, width in strokes:
        line(image, start, end, mix(colour, BLACK, 0.65), width + 2 * unit)
    for start, end, colour, width in strokes:
        line(image, start, end, colour, width)
    for joint in np.flatnonzero(is_shown).tolist():
        colour = track_colour(person.track_id, _SIDES[joint])
        radius = (2.0 if joint in _SMALL or scores[joint] < SURE_SCORE else 3.8) * unit
        disc(image, fixed[joint], radius + unit, mix(colour, BLACK, 0.65))
        disc(image, fixed[joint], radius, colour)


def _draw_box(image: Picture, box: Floats, track_id: int, unit: float) -> None:
    """A thin frame with strong corners, and the person's number on its top left one."""
    if not np.isfinite(box).all():
        return
    height, width = image.shape[:2]
    x0, y0, x1, y1 = np.clip(box, 1, [width - 1, height - 1, width - 1, height - 1])
    corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    colour, arm = track_colour(track_id), min(x1 - x0, y1 - y0) * 0.16
    way = np.roll(corners, -1, 0) - corners
    along = way / np.linalg.norm(way, axis=1, keepdims=True).clip(1e-6) * arm
    sides = np.stack([corners, corners + way, corners + along, corners + way - along], 1)
    for start, end, after_start, before_end in fixed_points(sides):
        line(image, start, end, colour, 1)
        line(image, start, after_start, colour, 3 * unit)
        line(image, end, before_end, colour, 3 * unit)
    size = max(11, round(15 * unit))
    name = str(track_id)
    tag_width = text_width(name, size, bold=True) + size
    top = max(y0 - 1.6 * size, 2)
    rounded_rectangle(image, x0, top, tag_width, round(1.4 * size), colour, 0.95)
    text(image, name, x0 + size / 2, top + 0.7 * size, size, BLACK, bold=True)
