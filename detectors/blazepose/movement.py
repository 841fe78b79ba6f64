"""Where something moves before a camera that stands still: people are looked for there.

A small person fills too little of the windows that come round, and those that would fit are too
many to be searched often. What moves and is no one known says where such a window pays.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Array, Floats, Picture
from detectors.blazepose.networks.region import Region

SHORTER_PX = 270
"""The shorter side of the small pictures that are compared."""
MIN_DIFFERENCE = 12
"""The grey levels, of 255, by which a pixel that moves differs."""
MAX_SHARE = 0.2
"""Where a larger share of the pixels differs, the camera moves."""
GAP_PX = 2
"""Pixels of a small picture that are no further from each other move together."""
MIN_AREA_PX, MAX_SIDE = 36, 0.35
"""The least area, in pixels of the small picture with half the gap around, and the largest side, in
the picture's shorter side, of something that moves. What is larger fills the windows that come
round."""
WINDOW_SIDE, MIN_WINDOW_PX = 1.6, 80
"""A window's side, in the longer side of what moves, and its least."""
KNOWN_MARGIN = 0.1
"""By which a known person's box is widened on each side, in its longer side."""
MAX_WINDOWS = 3
"""That are searched for one frame: what moves takes turns."""


class Movement:
    """Compares frames of one video with earlier ones.

    Args:
        interval: Every so many frames.
    """

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._since = 0
        self._turn = 0
        self._grey = np.zeros((0, 0), np.uint8)
        self._known: list[Floats] = []  # boxes, when `_grey` was taken

    def due(
        self, rgb: Picture, known: Sequence[Floats], least_side: float, is_new_shot: bool
    ) -> list[Region]:
        """The windows to search in the next frame: around what moved, away from known people.

        Args:
            rgb: (H, W, 3) the frame.
            known: The boxes (4,) px of the people who were seen in the frame before.
            least_side: Of a window, px.
            is_new_shot: Whether a shot begins.
        """
        self._since += 1
        if self._since < self._interval and not is_new_shot:
            return []
        self._since = 0
        scale = min(SHORTER_PX / min(rgb.shape[:2]), 1.0)
        before, boxes = self._grey, [*known, *self._known]
        self._grey, self._known = small_and_grey(rgb, scale), list(known)
        if is_new_shot or before.shape != self._grey.shape:
            return []
        found = moving_boxes(before, self._grey, [box * scale for box in boxes])
        windows = [around(box / scale) for box in found]
        free = [
            window
            for window in windows
            if window.side >= least_side and not any(overlaps(window, box) for box in known)
        ]
        turns = range(self._turn, self._turn + min(len(free), MAX_WINDOWS))
        self._turn += len(turns)
        return [free[turn % len(free)] for turn in turns]


def small_and_grey(rgb: Picture, scale: float) -> NDArray[np.uint8]:
    """A frame (H, W, 3), grey and scaled."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def moving_boxes(
    before: NDArray[np.uint8], after: NDArray[np.uint8], known: Sequence[Floats]
) -> list[Floats]:
    """Boxes (4,) px around what differs between two grey pictures (H, W), the largest first.

    Args:
        before, after: The pictures.
        known: Boxes (4,) px in which nothing is looked for.

    Returns:
        None where so much differs that the camera moves.
    """
    moving = (cv2.absdiff(before, after) > MIN_DIFFERENCE).astype(np.uint8)
    if moving.mean() > MAX_SHARE:
        return []
    for box in known:
        margin = KNOWN_MARGIN * (box[2:] - box[:2]).max()
        x0, y0, x1, y1 = np.append(box[:2] - margin, box[2:] + margin).clip(0).round().astype(int)
        moving[y0:y1, x0:x1] = 0
    near: Array = np.ones((2 * GAP_PX + 1,) * 2, np.uint8)
    _, _, rows, _ = cv2.connectedComponentsWithStats(cv2.dilate(moving, near))
    x, y, width, height, area = rows[1:].T  # the first is what does not move
    sides = np.maximum(width, height)
    boxes = np.stack([x, y, x + width, y + height], 1).astype(np.float64)
    fits = (area >= MIN_AREA_PX) & (sides < MAX_SIDE * min(after.shape))
    return [boxes[row] for row in np.argsort(-sides, kind="stable") if fits[row]]


def around(box: Floats) -> Region:
    """The window around a box (4,) px of what moves."""
    middle = (box[:2] + box[2:]) / 2
    side = max(WINDOW_SIDE * float((box[2:] - box[:2]).max()), MIN_WINDOW_PX)
    return Region(float(middle[0]), float(middle[1]), side, 0.0)


def overlaps(window: Region, box: Floats) -> bool:
    """Whether an upright window and a box (4,) px have something in common."""
    middle = np.array([window.x, window.y])
    low, high = middle - window.side / 2, middle + window.side / 2
    return bool((box[:2] < high).all() and (box[2:] > low).all())
