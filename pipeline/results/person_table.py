"""All people of a video, as rows on disk by frame, then track."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.runs import add_span, true_runs
from core.skeletons import COCO_21, Skeleton
from core.types import Array
from pipeline.results.rows import person_row
from pipeline.results.spool import Spool

_ONE_SWAP_S = 0.2  # exchanges of sides that are closer are one


@dataclass
class PersonSummary:
    """When a person is in the video: first and last frame, frames detected, frames bridged.

    side_swaps: when left and right were exchanged back, (start, stop) seconds; None where rows do
    not say.
    """

    track_id: int
    first_frame: int
    last_frame: int = 0
    frames_seen: int = 0
    frames_bridged: int = 0
    side_swaps: list[tuple[float, float]] | None = None

    def add(self, rows: Array) -> None:
        """Count rows (N,) that have the fields `frame_index` and `observed`.

        Those of `person_row` also say where sides were exchanged.
        """
        seen = int(rows["observed"].any(1).sum())
        self.last_frame = int(rows["frame_index"][-1])
        self.frames_seen += seen
        self.frames_bridged += len(rows) - seen
        if "is_side_swapped" in (rows.dtype.names or ()):
            swaps = self.side_swaps = self.side_swaps or []
            for start, stop in true_runs(rows["is_side_swapped"]):
                begin, end = (float(rows["time_s"][row]) for row in (start, stop - 1))
                add_span(swaps, begin, end, _ONE_SWAP_S)
                swaps[-1] = (round(swaps[-1][0], 3), round(swaps[-1][1], 3))


class PersonTable:
    """Rows of `person_row` that are added person by person, and kept by frame, then track."""

    def __init__(
        self,
        frame_indices: Sequence[NDArray[np.int64]],
        track_ids: Sequence[NDArray[np.int64]],
        joints: Skeleton,
        folder: Path | None = None,
    ) -> None:
        """Make an empty table.

        Args:
            frame_indices: Those of all rows that will be added, in the order in which they will be.
            track_ids: The same rows' track ids.
            joints: The skeleton of their joints; that of their keypoints is COCO-21.
            folder: Where the rows' file lies; None for where temporary files go.
        """
        numbers = np.concatenate([np.zeros(0, np.int64), *track_ids])
        indices = np.concatenate([np.zeros(0, np.int64), *frame_indices])
        order = np.lexsort((numbers, indices))
        self._frames = indices[order]
        self._positions = np.argsort(order)  # of each row to come, in the table
        self._added = 0
        self.joints = joints
        self.rows = Spool(person_row(COCO_21, joints), folder)
        self.persons: dict[int, PersonSummary] = {}

    def close(self) -> None:
        """Delete the rows."""
        self.rows.close()

    def add(self, rows: Array) -> None:
        """Add the next rows (N,), which are of one person."""
        if not len(rows):
            return
        positions = self._positions[self._added : self._added + len(rows)]
        self._added += len(rows)
        for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(positions) != 1) + 1):
            self.rows.write(int(positions[run[0]]), rows[run])
        track_id, first_frame = int(rows["track_id"][0]), int(rows["frame_index"][0])
        self.persons.setdefault(track_id, PersonSummary(track_id, first_frame)).add(rows)

    def in_frame(self, frame_index: int) -> Array:
        """The rows (N,) of one frame of the video, by track id."""
        start, stop = np.searchsorted(self._frames, (frame_index, frame_index + 1)).tolist()
        return self.rows.read(start, stop)
