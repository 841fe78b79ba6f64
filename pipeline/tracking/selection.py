"""Selection: which of the tracked people are kept, and in which order they are numbered."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from core.types import Floats
from pipeline.results.detections import TrackRows
from pipeline.tracking.options import PeopleOrder, TrackOptions


def _box_sizes(track: TrackRows) -> Floats:
    """(T, 2) px: width and height."""
    sizes: Floats = track.boxes_xyxy[:, 2:] - track.boxes_xyxy[:, :2]
    return sizes


# The key by which tracks are sorted; the smallest comes first.
_SORT_KEYS: dict[PeopleOrder, Callable[[TrackRows], float]] = {
    "prominent": lambda track: -float(_box_sizes(track)[:, 1].sum()),
    "longest": lambda track: -len(track),
    "largest": lambda track: -float(np.median(_box_sizes(track).prod(1))),
    "leftmost": lambda track: float(np.median(track.boxes_xyxy[:, [0, 2]].mean(1))),
}


def number_people(tracks: list[TrackRows], order: PeopleOrder) -> list[TrackRows]:
    """Number the people of a video.

    `prominent` sorts by the sum of box heights over all frames, so by how long and how large a
    person is seen; `longest` by the number of frames; `largest` by the area of the box and
    `leftmost` by its middle, both as the median over time.

    Args:
        tracks: All people of the video; their `track_id` is not used.
        order: Who comes first.

    Returns:
        The people in that order, numbered from 1.
    """
    in_order = sorted(tracks, key=_SORT_KEYS[order])
    return [replace(track, track_id=number) for number, track in enumerate(in_order, 1)]


def select_people(numbers: Iterable[int], options: TrackOptions) -> list[int]:
    """Choose those of a video's people that are asked for.

    Args:
        numbers: Of all people, in order.
        options: How many people or which numbers to keep.

    Returns:
        The numbers of the people to keep. They are kept when all have been grounded: who is asked
        for must not change where up and the floor are.
    """
    ids = options.person_id
    return [number for number in numbers if not ids or number in ids][: options.max_people]
