"""Everybody of a video in 3D: rows on disk by frame, then track, and in memory what is said of them all."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.camera import project
from core.skeletons import H36M_17
from core.types import Array, Floats, Intrinsics, WorldPoses
from lifter.bones import bone_spans
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from pipeline.export.npz import ROW
from pipeline.grounding.contacts import Bools, planted_speeds
from pipeline.render.person import PersonInFrame
from pipeline.results.spool import Spool

PERSON_ROW = np.dtype(
    [*((name, ROW[name]) for name in ROW.names or ()), ("box_xyxy", np.float32, (4,))]
)
"""One person in one frame: what `poses.npz` says of them, and their box in px."""

_VIEWED_ROWS = 5000  # of a person that tell how much room they take


@dataclass
class _Mean:
    """Of numbers that come bit by bit, with their spread."""

    total: Any = 0.0
    squares: Any = 0.0
    count: int = 0

    def add(self, values: Floats) -> None:
        """(N, …) more of them."""
        values = values.astype(np.float64)
        self.total, self.squares = self.total + values.sum(0), self.squares + (values**2).sum(0)
        self.count += len(values)

    @property
    def value(self) -> float | None:
        """None where there are none."""
        return float(self.total / self.count) if self.count else None

    @property
    def spread(self) -> Floats:
        """(…) standard deviations over means."""
        mean = self.total / self.count
        return np.asarray(np.sqrt(np.maximum(self.squares / self.count - mean**2, 0.0)) / mean)


@dataclass
class PersonSeen:
    """In how many frames a person was seen, and in how many not seen for a moment, from the first to the last."""

    track_id: int
    first_frame: int
    last_frame: int = 0
    frames_seen: int = 0
    frames_bridged: int = 0
    bones: _Mean = field(default_factory=_Mean)


class People:
    """Rows of `PERSON_ROW`, put in order as they are added; R in all."""

    def __init__(
        self, frames: list[NDArray[np.int64]], track_ids: list[NDArray[np.int64]], fps: float, intrinsics: Intrinsics,
        grounding: str, folder: Path | None = None,
    ) -> None:  # fmt: skip
        """`frames` and `track_ids` are those of all rows that will be added, in the order in which they will be;
        `grounding` says how up and floor were found."""
        self.grounding = grounding
        self._fps, self._intrinsics = fps, intrinsics
        numbers = np.concatenate([np.zeros(0, np.int64), *track_ids])
        indices = np.concatenate([np.zeros(0, np.int64), *frames])
        order = np.lexsort((numbers, indices))
        self._frames, self._track_ids = indices[order], numbers[order]
        self._places = np.argsort(order)
        self._added = 0
        self.rows = Spool(PERSON_ROW, folder)
        self.persons: dict[int, PersonSeen] = {}
        self._reprojection, self._skate = _Mean(), _Mean()

    def __len__(self) -> int:
        """How many people there are."""
        return len(self.persons)

    def close(self) -> None:
        """The rows are gone."""
        self.rows.close()

    def add(self, rows: Array) -> None:
        """The next rows (N,), of one person."""
        places = self._places[self._added : self._added + len(rows)]
        self._added += len(rows)
        for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(places) != 1) + 1):
            if len(run):
                self.rows.write(int(places[run[0]]), rows[run])
        if len(rows):
            self._tell(rows)

    def stood(self, joints_world_m: Floats, planted: Bools) -> None:
        """How somebody of joints (T, 17, 3) stood with planted feet (T, 2), for `foot_skate_m_s`."""
        self._skate.add(planted_speeds(joints_world_m, planted, self._fps))

    def _tell(self, rows: Array) -> None:
        first = rows[0]
        person = self.persons.setdefault(
            int(first["track_id"]), PersonSeen(int(first["track_id"]), int(first["frame_index"]))
        )
        seen = int(rows["observed"].any(1).sum())
        person.last_frame = int(rows["frame_index"][-1])
        person.frames_seen += seen
        person.frames_bridged += len(rows) - seen
        joints = rows["joints_camera_m"].astype(np.float64)
        person.bones.add(bone_spans(joints)[:, 1:])
        at = project(joints + rows["root_camera_m"][:, None], self._intrinsics)[:, LIMBS_OUT]
        off = np.linalg.norm(at - rows["keypoints_2d"][:, LIMBS_IN], axis=-1)
        self._reprojection.add(off[rows["observed"][:, LIMBS_IN]])

    def in_frame(self, frame_index: int) -> list[PersonInFrame]:
        """Those who are there in one frame of the video, as the pictures want them."""
        rows = self.rows.read(
            *np.searchsorted(self._frames, (frame_index, frame_index + 1)).tolist()
        )
        return [
            PersonInFrame(
                int(row["track_id"]), row["box_xyxy"], row["keypoints_2d"], row["keypoint_scores"],
                row["joints_world_m"],
            )
            for row in rows
        ]  # fmt: skip

    def worlds(self) -> Iterator[WorldPoses]:
        """Person after person, of those who are there for long not every row: enough to know the room they take."""
        for track_id in self.persons:
            own = np.flatnonzero(self._track_ids == track_id)
            own = own[:: len(own) // _VIEWED_ROWS + 1]
            rows = np.concatenate(
                [self.rows.read(place, place + 1)["joints_world_m"] for place in own.tolist()]
            )
            yield WorldPoses(rows, "a choice of rows", H36M_17)

    @property
    def reprojection_error_px(self) -> float | None:
        """Mean distance between observed limb keypoints and the lifted joints seen through the camera."""
        return self._reprojection.value

    @property
    def bone_spread(self) -> float | None:
        """How much bones change their length: standard deviation over mean, averaged over bones and people."""
        return (
            float(np.mean([person.bones.spread.mean() for person in self.persons.values()]))
            if self.persons
            else None
        )

    @property
    def foot_skate_m_s(self) -> float | None:
        """Mean speed at which planted feet move across the floor; None if none stands."""
        return self._skate.value
