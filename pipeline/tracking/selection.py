"""Selection: which of the tracked people are kept, and in which order they are numbered."""

from collections.abc import Callable
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


def select_people(tracks: list[TrackRows], options: TrackOptions) -> list[TrackRows]:
    """Number the people of a video and keep those that are asked for.

    `prominent` sorts by the sum of box heights over all frames, so by how long and how large a
    person is seen; `longest` by the number of frames; `largest` by the area of the box and
    `leftmost` by its middle, both as the median over time.

    Args:
        tracks: All people of the video; their `track_id` is not used.
        options: The order, and how many people or which numbers to keep.

    Returns:
        The people that are kept, numbered from 1 in the order asked for. Numbers are given before
        people are left out, so `person_id` (2,) returns one track with number 2.
    """
    in_order = sorted(tracks, key=_SORT_KEYS[options.people_order])
    numbered = [replace(track, track_id=number) for number, track in enumerate(in_order, 1)]
    ids = options.person_id
    return [track for track in numbered if not ids or track.track_id in ids][: options.max_people]
