"""Which part of which frame is searched for people: everything at times, little most of the time.

A finder sees people well who are a sixth of its window or more. So windows have five sizes: the
whole frame, squares of its shorter side, and three smaller ones for people far away.
"""

import math
from collections.abc import Sequence

import numpy as np

from detectors.blazepose.networks.boxes import SMALL_SIDE
from detectors.blazepose.networks.region import Region

FAR_SIDE, TINY_SIDE, FINE_SIDE = 0.6, SMALL_SIDE, 0.2
"""Sides of the smaller windows, in the frame's shorter side."""
MOST_WAITING = 12
"""Windows that wait, from which on no more do: people may be lost faster than that is searched."""
MIN_SIDE_PX = 24
"""No person is recognised in smaller squares."""
MIN_FINE_PX = 180
"""The smallest windows are worth their time where they are no smaller than this: people a fifth as
high, as they show, can still be made out."""
MAX_SQUARES = 150
"""Of a size in a frame: 136 in a panorama of 8:1, thousands in a strip."""
SMALL_PERSON = 0.4
"""The side of a person's region, in the frame's shorter side, below which there may be others who
are smaller still, and the two smallest windows are worth their time."""
OVERLAP = {1.0: 1 / 2, FAR_SIDE: 1 / 3, TINY_SIDE: 1 / 3, FINE_SIDE: 1 / 3}
"""How far neighbouring windows of a size overlap at least: a person no larger lies whole in one."""
INTERVAL, EMPTY_INTERVAL = 6, 2
"""Every so many frames a window is searched, while people are known or nobody is."""
INTERVAL_S = 0.2
"""And no more often than that while people are known: at 60 frames a second every twelfth frame."""
LOSS_INTERVAL, LOSS_SEARCHES = 4, 8
"""After a person was lost, the place is searched at once and every so many frames, so often."""
LOSS_SIDE = 2.0
"""The side of its window, in the person's region."""


class Search:
    """The schedule of one video's search.

    Args:
        fps: The video's frames a second.

    Attributes:
        interval: Every so many frames a window is searched, while people are known.
    """

    def __init__(self, fps: float) -> None:
        self.interval = max(INTERVAL, round(INTERVAL_S * fps))
        self._size = (0, 0)
        self._turn = 0
        self._since = 0
        self._is_first = False  # whether the last frame began a shot
        self._finer: list[list[Region]] = []  # what else may be searched then
        self._waiting: list[Region] = []  # windows that were too many for the last frame
        self._most: int | None = None  # for one frame
        self._losses: list[tuple[Region, int]] = []  # windows, and frames since the loss

    def due(
        self,
        size: tuple[int, int],
        known: Sequence[Region],
        is_new_shot: bool,
        most: int | None = None,
    ) -> list[Region]:
        """The windows to search in the next frame, whoever is seen in it.

        All but the smaller ones at the start of a shot; then where people were lost before, and at
        times one in turn.

        Args:
            size: The frame's width and height, px.
            known: The regions of the people who were seen in the frame before.
            is_new_shot: Whether a shot begins.
            most: How many at most; the others wait for the next frames.
        """
        self._most = most
        self._is_first = is_new_shot or size != self._size
        if self._is_first:
            self._size = size
            self._turn = self._since = 0
            self._losses = []
            self._waiting = [*coarse_windows(*size), *far_windows(*size)]
            self._finer = [tiny_windows(*size), fine_windows(*size)]
        else:
            if not self._waiting:
                self._finer = []
            due = self._in_turn(known)
            if len(self._waiting) < MOST_WAITING:
                self._waiting += due
        due = self._waiting[:most]
        self._waiting = self._waiting[len(due) :]
        return due

    def _in_turn(self, known: Sequence[Region]) -> list[Region]:
        """Windows where people were lost before, and at times one in turn."""
        due = [window for window, age in self._losses if age % LOSS_INTERVAL == 0]
        self._losses = [
            (window, age + 1)
            for window, age in self._losses
            if age < LOSS_INTERVAL * (LOSS_SEARCHES - 1)
        ]
        self._since += 1
        if self._since >= (self.interval if known else EMPTY_INTERVAL):
            self._since = 0
            windows = in_turn(*self._levels(known))
            due.append(windows[self._turn % len(windows)])
            self._turn += 1
        return due

    def put_off(self, windows: Sequence[Region]) -> None:
        """Let windows that were due for the last frame wait: it was not searched."""
        self._waiting = [*windows, *self._waiting]

    def lost(self, regions: Sequence[Region]) -> list[Region]:
        """The windows to search in this frame for people who were seen in the one before."""
        if self._is_first:  # everything is searched
            return []
        windows = [inside(region, self._size) for region in regions]
        self._losses += [(window, 1) for window in windows]
        return windows

    def also_due(self, known: Sequence[Region]) -> list[Region]:
        """The next smaller windows, if a shot begins and those found in it are small, or none are.

        The smallest are many: they wait for their turns where no person is known.
        """
        if self._waiting or not self._finer or not self._has_small(known):
            return []
        windows = self._finer.pop(0)
        windows = windows if known or self._finer else []
        if self._most is None:
            return windows
        self._waiting = windows
        return []

    def least_side(self, known: Sequence[Region]) -> float:
        """The least side in px of windows that are worth their time, beside `known` people."""
        return 0.0 if self._has_small(known) else TINY_SIDE * min(self._size)

    def _levels(self, known: Sequence[Region]) -> list[list[Region]]:
        """The windows of each size that is worth its time."""
        levels = [coarse_windows(*self._size), far_windows(*self._size)]
        if self._has_small(known):
            levels += [tiny_windows(*self._size), fine_windows(*self._size)]
        return levels

    def _has_small(self, known: Sequence[Region]) -> bool:
        """Whether somebody is small, or nobody is known."""
        sides = [region.side for region in known]
        return min(sides, default=0.0) < SMALL_PERSON * min(self._size)


def coarse_windows(width: int, height: int) -> list[Region]:
    """The whole frame, and squares of its shorter side unless it is one; size in px."""
    whole = Region(width / 2, height / 2, max(width, height), 0.0)
    return [whole] if width == height else [whole, *squares(width, height, 1.0)]


def far_windows(width: int, height: int) -> list[Region]:
    """Smaller squares, for people far away; size in px."""
    return squares(width, height, FAR_SIDE)


def tiny_windows(width: int, height: int) -> list[Region]:
    """Squares for people who are small; size in px."""
    return squares(width, height, TINY_SIDE)


def fine_windows(width: int, height: int) -> list[Region]:
    """The smallest squares; none in a small frame; size in px."""
    is_fine_enough = FINE_SIDE * min(width, height) >= MIN_FINE_PX
    return squares(width, height, FINE_SIDE) if is_fine_enough else []


def squares(width: int, height: int, share: float) -> list[Region]:
    """Squares that cover a frame of a size in px, evenly, row by row.

    None where they would be smaller than `MIN_SIDE_PX`, or more than `MAX_SQUARES`.

    Args:
        width, height: The frame's, px.
        share: The squares' side in the frame's shorter side, a key of `OVERLAP`.
    """
    side = share * min(width, height)
    if side < MIN_SIDE_PX:
        return []
    step = side * (1 - OVERLAP[share])
    columns, rows = (math.ceil((length - side) / step - 1e-9) + 1 for length in (width, height))
    if columns * rows > MAX_SQUARES:
        return []
    x = np.linspace(side / 2, width - side / 2, columns)
    y = np.linspace(side / 2, height - side / 2, rows)
    return [Region(float(column), float(row), side, 0.0) for row in y for column in x]


def in_turn(*levels: list[Region]) -> list[Region]:
    """Windows of each size in turn until each was there: the larger, the sooner round again.

    Two of a size that are near in time lie far apart.
    """
    levels = tuple(filter(None, levels))
    count = max(map(len, levels))
    orders = [scattered(len(level)) for level in levels]
    return [
        level[order[i % len(order)]]
        for i in range(count)
        for level, order in zip(levels, orders, strict=True)
    ]


def scattered(count: int) -> list[int]:
    """The numbers below `count` in an order in which neighbours lie far apart."""
    stride = next(s for s in range(count // 2 + 1, count + 2) if math.gcd(s, count) == 1)
    return [i * stride % count for i in range(count)]


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
