"""People of an earlier result whose rows stay as they are when others are lifted again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.runs import consecutive_runs
from core.types import Array, Intrinsics
from pipeline.results.archive import PoseTable
from pipeline.results.detections import TrackRows
from pipeline.results.measures import PersonPart
from pipeline.results.rows import COLUMNS, person_row


@dataclass(frozen=True)
class KeptPeople:
    """The rows of some people of a result, one person in memory at a time.

    table: The result's rows. tracks: Those of these people. frame_indices: (F,) of the video.
    """

    table: PoseTable
    tracks: Sequence[TrackRows]
    frame_indices: NDArray[np.int64]

    def track_ids(self) -> list[NDArray[np.int64]]:
        """The track id of each row (N,), an array a person."""
        return [np.full(len(own), track.track_id) for own, track in self._with_frames()]

    def frames(self) -> list[NDArray[np.int64]]:
        """The frame of each row (N,), an array a person."""
        return [own for own, _ in self._with_frames()]

    def __iter__(self) -> Iterator[Array]:
        """Rows (N,) of `person_row`, person after person."""
        ids = self.table.column("track_id")
        for track in self.tracks:
            is_own = ids == track.track_id
            rows = np.zeros(is_own.sum(), person_row(self.table.keypoints, self.table.joints))
            for name in COLUMNS:
                rows[name] = self.table.column(name)[is_own]
            for side in range(4):
                rows["box_xyxy"][:, side] = np.interp(
                    rows["frame_index"], track.frame_indices, track.boxes_xyxy[:, side]
                )
            yield rows

    def parts(self, rows: Array, fps: float, intrinsics: Intrinsics) -> Iterator[PersonPart]:
        """The stretches of one person's rows (N,), as from iterating, as measures get them."""
        in_video = np.searchsorted(self.frame_indices, rows["frame_index"])
        for start, stop in consecutive_runs(in_video):
            own = rows[start:stop]
            joints = own["joints_world_m"].astype(np.float64)
            contacts = own["contacts"].astype(bool)
            yield PersonPart(own, self.table.joints, joints, contacts, fps, intrinsics)

    def _with_frames(self) -> Iterator[tuple[NDArray[np.int64], TrackRows]]:
        ids, frames = self.table.column("track_id"), self.table.column("frame_index")
        return ((frames[ids == track.track_id], track) for track in self.tracks)
