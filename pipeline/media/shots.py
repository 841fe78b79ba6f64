"""Shots: where the picture cuts to another view."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from core.types import Floats, Frame, Picture

SIZE = 32
"""Pictures are compared as thumbnails of so many px square."""
MAX_CORRELATION = 0.6
"""Two frames whose thumbnails correlate less are of two shots. Measured: neighbouring frames of
hand-held and fixed cameras 0.76 and more, views of one room by two cameras 0.46 at most."""
MIN_DIFFERENCE = 10.0
"""Mean difference, of 255, below which noise in a dark picture is no cut."""

MIN_CONTRAST = 4.0
"""Standard deviation, of 255, below which a picture is a flash or black, and no view."""


def mark_cuts(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Mark the frames that begin another shot; each comes out after its successor came.

    A cut is a frame that differs from the one before it, and so does its successor: a flash, which
    is over after a frame, is none, nor are frames of one colour, however many: those before and
    behind them are compared. What fades into another view is not found.
    """
    before: Floats | None = None
    held: Frame | None = None
    held_thumbnail: Floats = np.zeros(0)
    for frame in frames:
        current = thumbnail(frame.rgb)
        if held is not None and held_thumbnail.std() < MIN_CONTRAST:
            yield held
        elif held is not None:
            is_other = differ(before, held_thumbnail)
            is_cut = is_other and differ(before, current)
            yield replace(held, starts_shot=True) if is_cut else held
            if is_cut or not is_other:
                before = held_thumbnail
        held, held_thumbnail = frame, current
    if held is not None:
        is_cut = held_thumbnail.std() >= MIN_CONTRAST and differ(before, held_thumbnail)
        yield replace(held, starts_shot=True) if is_cut else held


def thumbnail(rgb: Picture) -> Floats:
    """(SIZE, SIZE, 3) float32, 0…255."""
    step = max(min(rgb.shape[:2]) // (4 * SIZE), 1)
    sparse = np.ascontiguousarray(rgb[::step, ::step])
    small: Floats = cv2.resize(sparse, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)


def differ(a: Floats | None, b: Floats) -> bool:
    """Whether two thumbnails are of two shots; None is no picture, and differs from nothing."""
    if a is None or float(np.abs(a - b).mean()) < MIN_DIFFERENCE:
        return False
    x, y = a - a.mean((0, 1)), b - b.mean((0, 1))
    norm = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return norm == 0 or float((x * y).sum()) / norm < MAX_CORRELATION
