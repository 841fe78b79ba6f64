"""One person's rows, some hundred at a time, with the rows before and after them.

So what needs a row's neighbours is computed in memory that does not grow with the video.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.skeletons import Skeleton
from core.types import Array
from pipeline.results.archive import PoseTable

COLUMNS = ("frame_index", "track_id", "time_s", "joints_world_m", "joint_sigma_m", "contacts")
"""What measures of motion need of a row."""


@dataclass(frozen=True)
class Stretch:
    """Rows of one person in frames that follow each other.

    columns, by name, arrays (T, …); own, which of the rows are this stretch's: those before and
    after are other ones', seen here as neighbours.
    """

    track_id: int
    skeleton: Skeleton
    columns: dict[str, Array]
    own: slice

    def __getitem__(self, name: str) -> Array:
        """A column (T, …)."""
        return self.columns[name]


def stretches(
    table: PoseTable, names: Sequence[str] = COLUMNS, track_id: int | None = None
) -> Iterator[Stretch]:
    """Go through a table once; each row is one stretch's own.

    Args:
        table: By frame, then track.
        names: The columns; `frame_index` and `track_id` are among them.
        track_id: Of the person to go through; None for everyone.

    Yields:
        Stretches of a person by time, those of several people mixed. They break where a person is
        out of view, so that neighbouring rows are of neighbouring frames.
    """
    waiting: dict[int, dict[str, Array]] = {}
    done: dict[int, int] = {}  # how many of the waiting rows were a stretch's own
    for chunk in zip(*(table.chunks(name) for name in names), strict=True):
        columns = dict(zip(names, chunk, strict=True))
        in_chunk = np.unique(columns["track_id"]).tolist()
        for person in in_chunk if track_id is None else [track_id] * (track_id in in_chunk):
            is_own = columns["track_id"] == person
            rows = {name: values[is_own] for name, values in columns.items()}
            if person in waiting:
                before = waiting[person]
                rows = {name: np.concatenate([before[name], rows[name]]) for name in names}
            parts = _without_breaks(rows)
            for number, (begin, part) in enumerate(parts):
                first = max(done.get(person, 0) - begin, 0)
                last = len(part["track_id"]) - (number == len(parts) - 1)
                if first < last:
                    yield Stretch(person, table.joints, part, slice(first, last))
            # the last row, whose neighbour is to come, and the one before it
            waiting[person] = {name: values[-2:] for name, values in parts[-1][1].items()}
            done[person] = len(waiting[person]["track_id"]) - 1
    for person, rows in waiting.items():
        yield Stretch(person, table.joints, rows, slice(done[person], len(rows["track_id"])))


def _without_breaks(rows: dict[str, Array]) -> list[tuple[int, dict[str, Array]]]:
    """A person's rows where they are out of view split up, each part with its first index."""
    breaks = np.flatnonzero(np.diff(rows["frame_index"]) != 1) + 1
    begins = [0, *breaks.tolist()]
    split = {name: np.split(values, breaks) for name, values in rows.items()}
    return [
        (begin, {name: parts[number] for name, parts in split.items()})
        for number, begin in enumerate(begins)
    ]
