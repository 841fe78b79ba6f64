"""The 3D view's floor: a grid in metres that fades into the distance, its numbers on the border."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from core.types import Floats, Picture
from pipeline.render.draw import lines, text, text_width
from pipeline.render.palette import Colour, Theme, mix
from pipeline.render.view import View, letter_size

STEPS_M = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
MAX_STEPS = 14
"""Strong lines are the first of `STEPS_M` apart at which at most so many fit across the view's
middle on the floor; weak ones lie halfway between them."""
NEAREST, CLEAR, FURTHEST = 0.1, 0.8, 2.6
"""Times the distance at which the view's middle meets the floor: lines begin, fade, end."""
_LEVELS = 6  # of fading
_LOWEST_M = 0.05  # of a camera that sees the floor from above
_STRIP_PX = 32  # pixels are repeated four times as fast in strips
_STILL_PX = 0.02  # a view that moves less is the same


class Floor:
    """Draws the empty view, and again only when the view has changed.

    Args:
        theme: Its colours.
        legend: Draws what stands in every picture.
    """

    def __init__(
        self, theme: Theme, legend: Callable[[Picture, Theme], None] | None = None
    ) -> None:
        self._theme, self._legend = theme, legend
        self._drawn: tuple[View, Picture] | None = None
        self._step_m = STEPS_M[0]

    def picture(self, view: View) -> Picture:
        """The empty view (H, W, 3) RGB; the same array as before where the view stands still."""
        if self._drawn is None or not _is_same(self._drawn[0], view):
            picture = self._draw(view)
            if self._legend is not None:
                self._legend(picture, self._theme)
            self._drawn = view, picture
        return self._drawn[1]

    def _draw(self, view: View) -> Picture:
        lens, theme = view.lens, self._theme
        share = _fade(view, _row_depths(view, np.arange(lens.height) + 0.5))[:, None]
        rows = np.array(theme.floor) * (1 - share) + np.array(theme.background) * share
        column = np.round(rows).astype(np.uint8)[:, None]
        strip = cv2.repeat(column, 1, _STRIP_PX)
        image: Picture = cv2.repeat(strip, 1, lens.width // _STRIP_PX + 1)[:, : lens.width]
        if view.position[2] < _LOWEST_M:
            return image
        across_m = view.floor_distance_m * lens.width / lens.focal
        fitting = (step_m for step_m in STEPS_M if across_m <= MAX_STEPS * step_m)
        self._step_m = max(self._step_m, next(fitting, STEPS_M[-1]))  # it never goes to and fro
        low, high = _seen_floor(view)
        for from_m, colour in ((self._step_m / 2, theme.grid), (0.0, theme.grid_strong)):
            ends = np.concatenate(
                [_lines(low, high, self._step_m, from_m, axis) for axis in (0, 1)]
            )
            _draw_lines(image, view, ends, colour, theme.background)
        letter = letter_size(lens.height)
        for words, x, y in _numbers(view, low, high, self._step_m):
            text(image, words, x - text_width(words, letter) / 2, y, letter, theme.words)
        return image


def _is_same(before: View, view: View) -> bool:
    """Whether two views show the same picture."""
    if before.lens != view.lens or not np.array_equal(before.axes, view.axes):
        return False
    moved_m = float(np.abs(before.position - view.position).max())
    return moved_m * view.lens.focal < _STILL_PX * view.floor_distance_m


def _row_depths(view: View, rows: Floats) -> Floats:
    """(…,) px from the top → metres along the view to the floor there, infinite above it."""
    slope = (view.lens.centre[1] - rows) / view.lens.focal
    falls = -(view.axes[2, 2] + slope * view.axes[1, 2])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((falls > 0) & (view.position[2] > 0), view.position[2] / falls, np.inf)


def _fade(view: View, depths: Floats) -> Floats:
    """(…,) from 0, clear, to 1, gone, by metres along the view."""
    share = (depths / view.floor_distance_m - CLEAR) / (FURTHEST - CLEAR)
    return np.asarray(share.clip(0, 1))


def _draw_lines(
    image: Picture, view: View, ends: Floats, colour: Colour, background: Colour
) -> None:
    """Draw lines, whose ends (L, 2, 3) m are given, in pieces that fade into the background."""
    depths = view.depth(ends)
    limits = view.floor_distance_m * np.array([NEAREST, *np.linspace(CLEAR, FURTHEST, _LEVELS + 1)])
    length = depths[:, 1] - depths[:, 0]
    length = np.where(np.abs(length) < 1e-9, 1e-9, length)
    cuts = ((limits - depths[:, :1]) / length[:, None]).clip(0, 1)  # (L, levels + 2) shares of it
    pixels = view.pixels(ends[:, :1] + cuts[..., None] * (ends[:, 1:] - ends[:, :1]))
    for level in range(_LEVELS + 1):
        is_there = cuts[:, level] != cuts[:, level + 1]
        share = round(max(level - 0.5, 0) / _LEVELS, 2)
        pieces = pixels[is_there, level : level + 2]
        lines(image, pieces, mix(colour, background, share), 1)


def _lines(low: Floats, high: Floats, step_m: float, from_m: float, axis: int) -> Floats:
    """(L, 2, 3) m: ends of a rectangle's lines, every `step_m` of x (0) or y (1) from `from_m`."""
    other = 1 - axis
    marks = _marks(low[axis] - from_m, high[axis] - from_m, step_m) + from_m
    ends = np.zeros((len(marks), 2, 3))
    ends[:, :, axis] = marks[:, None]
    ends[:, :, other] = low[other], high[other]
    return ends


def _seen_floor(view: View) -> tuple[Floats, Floats]:
    """Corners (2,) m of the rectangle around the floor that is seen as far as `FURTHEST`."""
    near, far = view.floor_distance_m * np.array([NEAREST, FURTHEST])
    half = view.lens.width / 2 / view.lens.focal
    across = np.array([[depth * side * half for side in (-1, 1)] for depth in (near, far)])
    level = view.axes[2, :2] / np.hypot(*view.axes[2, :2])  # the view's direction on the floor
    along = np.array([near, far]) / np.cos(np.arcsin(view.axes[2, 2]))
    corners = (
        view.position[:2] + along[:, None, None] * level + across[..., None] * view.axes[0, :2]
    ).reshape(-1, 2)
    return corners.min(0), corners.max(0)


def _marks(low: float, high: float, step_m: float) -> Floats:
    """Multiples of `step_m` from `low` to `high`."""
    return np.arange(np.ceil(low / step_m), np.floor(high / step_m) + 1) * step_m + 0.0


def _numbers(
    view: View, low: Floats, high: Floats, step_m: float
) -> Iterator[tuple[str, float, float]]:
    """The strong lines' metres where they leave the picture, and px of the words' middles.

    x stands along the bottom and y up the right side, or the other way round where the view is
    turned so far.
    """
    letter, lens = letter_size(view.lens.height), view.lens
    below = 0 if abs(view.axes[0, 0]) >= abs(view.axes[0, 1]) else 1
    right, up, forward = view.axes
    row = lens.height - letter
    slope = (lens.centre[1] - row) / lens.focal
    depth = float(_row_depths(view, np.array(row)))
    middle = view.position + depth * (forward + slope * up)
    marks = _marks(low[below], high[below], step_m)
    columns = lens.centre[0] + lens.focal * (marks - middle[below]) / (depth * right[below])
    for mark, column in zip(marks, columns, strict=True):
        if letter < column < lens.width - 4 * letter:
            yield f"{mark:g}", float(column), row
    # on the right side, with t and s the slopes across and up, j the axis and d the depth:
    # position_j + d (f + t r + s u)_j = mark, and height + d (f + s u)_z = 0
    beside = 1 - below
    column = lens.width - 1.5 * letter
    aim = forward[beside] + (column - lens.centre[0]) / lens.focal * right[beside]
    marks = _marks(low[beside], high[beside], step_m)
    gap, height = view.position[beside] - marks, view.position[2]
    slopes = (height * aim - gap * forward[2]) / (gap * up[2] - height * up[beside])
    rows = lens.centre[1] - lens.focal * slopes
    previous = float(lens.height)
    is_clear = _row_depths(view, rows) < view.floor_distance_m * FURTHEST / 2
    clear = zip(rows[is_clear].tolist(), marks[is_clear].tolist(), strict=True)
    for row, mark in sorted(clear, reverse=True):
        if row < previous - 1.7 * letter:
            yield f"{mark:g}", column, row
            previous = row
