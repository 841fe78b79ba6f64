"""People of several views after corrections by hand: their rows with other numbers and sides.

No person is lifted again: the keypoints of all views, of which their 3D was made, are not kept.
Other track ids and sides change no position.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.skeletons import COCO_21
from core.types import Array, Floats
from pipeline.corrections.edits import SIDED, Contact, Corrections, Point
from pipeline.corrections.people import corrected_people
from pipeline.results.archive import PoseTable
from pipeline.results.detections import TrackRows

_IN_3D = {"big_toe": "toe"}  # joints that are called otherwise than their keypoints
_CONTACTS = {"heel": (0, 2), "big_toe": (1, 3)}


def _require_regrouping(corrections: Corrections) -> None:
    """`InputError` at the first edit that several views cannot have."""
    for number, edit in enumerate(corrections.edits, 1):
        if isinstance(edit, Point | Contact):
            raise InputError(
                f"corrections, edit {number} ({edit.kind}): of several views, people (split, merge,"
                " delete) and sides (swap) are corrected; for the others the keypoints of every"
                " view would be needed, and a result has those of the first"
            )


class RegroupedTable:
    """A `PoseTable` of the rows of another one that belong to people, with other ids and sides.

    Args:
        table: The other one.
        rows: (N,) those that stay.
        track_ids: (N,) whose they are.
        swapped: (N, K) keypoints that are exchanged with those of the other side.
    """

    def __init__(
        self,
        table: PoseTable,
        rows: NDArray[np.int64],
        track_ids: NDArray[np.int64],
        swapped: NDArray[np.bool_],
    ) -> None:
        self.table, self.rows = table, rows
        self.track_ids, self.swapped = track_ids, swapped
        self.keypoints, self.joints = table.keypoints, table.joints

    def __len__(self) -> int:
        return len(self.rows)

    def chunks(self, name: str) -> Iterator[Array]:
        """See `PoseTable`."""
        yield self.column(name)

    def column(self, name: str) -> Array:
        """See `PoseTable`."""
        if name == "track_id":
            return self.track_ids
        values = self.table.column(name)[self.rows]
        for joint in SIDED:
            of_row = self.swapped[:, COCO_21.index(f"left_{joint}")]
            pair = self._columns(name, joint)
            if pair is not None and of_row.any():
                left, right = pair
                values[of_row, left], values[of_row, right] = (
                    values[of_row, right], values[of_row, left].copy(),
                )  # fmt: skip
        return values

    def _columns(self, name: str, joint: str) -> tuple[int, int] | None:
        """The left and the right one of a joint in a column, None where it has no sides."""
        if name in ("keypoints_2d", "keypoint_scores", "observed"):
            return self.keypoints.index(f"left_{joint}"), self.keypoints.index(f"right_{joint}")
        if name == "contacts":
            return _CONTACTS.get(joint)
        own = _IN_3D.get(joint, joint)
        if name not in ("joints_camera_m", "joints_world_m", "joint_sigma_m"):
            return None
        if f"l_{own}" not in self.joints.joints:
            return None
        return self.joints.index(f"l_{own}"), self.joints.index(f"r_{own}")


def regrouped(
    table: PoseTable, corrections: Corrections, frame_indices: NDArray[np.int64], times_s: Floats
) -> tuple[RegroupedTable, list[TrackRows]]:
    """The rows of several views' people after corrections.

    Args:
        table: Their rows.
        corrections: People and sides.
        frame_indices: (F,) of all frames.
        times_s: (F,) seconds of these.

    Returns:
        The rows, and the people whose they are.

    Raises:
        InputError: An edit is none that several views can have, or names who or what is not there.
    """
    _require_regrouping(corrections)
    ids, frames = table.column("track_id"), table.column("frame_index")
    tracks = []
    for track_id in np.unique(ids).tolist():
        own = np.flatnonzero(ids == track_id)
        rows = np.stack([own, np.zeros_like(own)], 1).astype(np.int32)
        tracks.append(TrackRows(track_id, frames[own], np.full((len(own), 4), np.nan), rows, ()))
    people = corrected_people(tracks, corrections, frame_indices, times_s)
    track_ids = np.zeros(len(ids), np.int64)
    swapped = np.zeros((len(ids), len(COCO_21)), bool)
    for track in people:
        at = track.rows[:, 0]
        track_ids[at] = track.track_id
        if track.marks is not None:
            swapped[at] = track.marks.swapped[track.frame_indices]
    kept = np.flatnonzero(track_ids)
    regrouped_table = RegroupedTable(table, kept, track_ids[kept], swapped[kept])
    return regrouped_table, [replace(track, marks=None) for track in people]
