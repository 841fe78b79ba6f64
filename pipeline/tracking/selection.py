"""Which people of a video are wanted, and in what order they are numbered."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from core.types import Floats
from pipeline.tracking.tracker import Followed

PeopleOrder = Literal["prominent", "longest", "largest", "leftmost"]


def _sizes(track: Followed) -> Floats:
    sizes: Floats = track.boxes_xyxy[:, 2:] - track.boxes_xyxy[:, :2]
    return sizes


# What makes somebody come early, the smallest first.
_KEYS: dict[PeopleOrder, Callable[[Followed], float]] = {
    "prominent": lambda track: -float(_sizes(track)[:, 1].sum()),
    "longest": lambda track: -len(track),
    "largest": lambda track: -float(np.median(_sizes(track).prod(1))),
    "leftmost": lambda track: float(np.median(track.boxes_xyxy[:, [0, 2]].mean(1))),
}
PEOPLE_ORDERS: tuple[PeopleOrder, ...] = tuple(_KEYS)


def select_people(
    tracks: list[Followed], order: PeopleOrder, most: int | None = None, ids: tuple[int, ...] = ()
) -> list[Followed]:  # fmt: skip
    """The wanted people, numbered from 1 in `order`: `most` first ones, or those with the numbers `ids`.

    `prominent` is by the heights of boxes summed over frames: who is seen long and large. `longest` is by frames,
    `largest` by the area of their box and `leftmost` by its middle, both the median over time.
    """
    numbered = [
        replace(track, track_id=i) for i, track in enumerate(sorted(tracks, key=_KEYS[order]), 1)
    ]
    return [track for track in numbered if not ids or track.track_id in ids][:most]
