"""Which part of which frame is searched for people: everything at times, little most of the time.

A finder sees people well who are an eighth of its window or more. So windows have three sizes: the
whole frame, squares of its shorter side, and smaller ones for people far away.
"""

import math
from collections.abc import Sequence

import numpy as np

from detectors.blazepose.region import Region

FAR_SIDE = 0.6
"""Sides of the windows for people far away, in the frame's shorter side."""
OVERLAP = {1.0: 1 / 2, FAR_SIDE: 1 / 3}
"""How far neighbouring windows of a size overlap at least: a person no larger lies whole in one."""
INTERVAL, EMPTY_INTERVAL = 4, 2
"""Every so many frames a window is searched, while people are known or nobody is."""
LOSS_INTERVAL, LOSS_SEARCHES = 3, 4
"""After a person was lost, the place is searched at once and every so many frames, so often."""
LOSS_SIDE = 2.0
"""The side of its window, in the person's region."""


class Search:
    """The schedule of one video's search."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._windows: list[Region] = []
        self._turn = 0
        self._since = 0
        self._losses: list[tuple[Region, int]] = []  # windows, and frames since the loss

    def due(
        self, size: tuple[int, int], lost: Sequence[Region], is_empty: bool, is_new_shot: bool
    ) -> list[Region]:
        """The windows to search in the next frame.

        All of them at the start of a shot; then where people were just lost; else one in turn.

        Args:
            size: The frame's width and height, px.
            lost: The regions of people who were seen in the frame before and no more.
            is_empty: Whether no other person is known.
            is_new_shot: Whether a shot begins.
        """
        if is_new_shot or size != self._size:
            self._size = size
            self._windows = in_turn(coarse_windows(*size), far_windows(*size))
            self._turn = self._since = 0
            self._losses = []
            return [*coarse_windows(*size), *far_windows(*size)]
        self._losses += [(inside(region, size), 0) for region in lost]
        due = [window for window, age in self._losses if age % LOSS_INTERVAL == 0]
        self._losses = [
            (window, age + 1)
            for window, age in self._losses
            if age < LOSS_INTERVAL * (LOSS_SEARCHES - 1)
        ]
        self._since += 1
        if not due and self._since >= (EMPTY_INTERVAL if is_empty else INTERVAL):
            self._since = 0
            due = [self._windows[self._turn % len(self._windows)]]
            self._turn += 1
        return due


def coarse_windows(width: int, height: int) -> list[Region]:
    """The whole frame, and squares of its shorter side unless it is one; size in px."""
    whole = Region(width / 2, height / 2, max(width, height), 0.0)
    return [whole] if width == height else [whole, *squares(width, height, 1.0)]


def far_windows(width: int, height: int) -> list[Region]:
    """Smaller squares, for people far away; size in px."""
    return squares(width, height, FAR_SIDE)


def squares(width: int, height: int, share: float) -> list[Region]:
    """Squares that cover a frame of a size in px, evenly, row by row.

    Args:
        width, height: The frame's, px.
        share: The squares' side in the frame's shorter side, a key of `OVERLAP`.
    """
    side = share * min(width, height)
    step = side * (1 - OVERLAP[share])
    x, y = (
        np.linspace(side / 2, length - side / 2, math.ceil((length - side) / step - 1e-9) + 1)
        for length in (width, height)
    )
    return [Region(float(column), float(row), side, 0.0) for row in y for column in x]


def in_turn(coarse: list[Region], far: list[Region]) -> list[Region]:
    """Coarse windows and far ones in turn, until each was there: the coarse ones come round first.

    Two that are near in time lie far apart.
    """
    count = max(len(coarse), len(far))
    stride = next(s for s in range(max(len(far) // 2, 1), count + 2) if math.gcd(s, len(far)) == 1)
    return [
        window
        for i in range(count)
        for window in (coarse[i % len(coarse)], far[i * stride % len(far)])
    ]


def inside(region: Region, size: tuple[int, int]) -> Region:
    """The window around a person's region, moved into the frame as far as it goes in.

    Args:
        region: Where the person was.
        size: The frame's width and height, px.
    """
    side = min(LOSS_SIDE * region.side, max(size))
    x, y = (
        length / 2 if side >= length else min(max(middle, side / 2), length - side / 2)
        for middle, length in zip((region.x, region.y), size, strict=True)
    )
    return Region(x, y, side, 0.0)
