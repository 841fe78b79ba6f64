"""What Python callers get: people with their arrays, the report, the files.

    from pipeline.results.result import load_result
    result = load_result("output/clip")
    result.people[0].joints_world_m  # (T, J, 3) metres

Arrays are read when asked for; a result of an hour costs no memory until then.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.skeletons import Skeleton
from core.types import Array, Floats
from pipeline.results.archive import POSES, ArchiveTable, PoseTable
from pipeline.results.report import Report, read_report
from pipeline.results.report_parts import PersonReport


@dataclass(frozen=True)
class Person:
    """One person of a result, T rows by frame.

    Every array is read from disk each time it is asked for. K keypoints of `Result.keypoints`,
    J joints of `Result.joints`. NaN = not known.
    """

    report: PersonReport
    _table: PoseTable

    @property
    def track_id(self) -> int:
        """The person's number, from 1."""
        return self.report.track_id

    @property
    def frame_indices(self) -> NDArray[np.int64]:
        """(T,) frames of the video in which the person has a row."""
        return self._own("frame_index")

    @property
    def times_s(self) -> NDArray[np.float64]:
        """(T,) seconds, presentation times of these frames."""
        return self._own("time_s")

    @property
    def keypoints_2d(self) -> Floats:
        """(T, K, 2) px, after gap filling and smoothing."""
        return self._own("keypoints_2d")

    @property
    def keypoint_scores(self) -> Floats:
        """(T, K) in 0…1; of a video, 0 where a keypoint was filled in."""
        return self._own("keypoint_scores")

    @property
    def observed(self) -> NDArray[np.bool_]:
        """(T, K) False where a keypoint was filled in."""
        return self._own("observed")

    @property
    def joints_camera_m(self) -> Floats:
        """(T, J, 3) metres relative to the pelvis, camera axes: x right, y down, z forward."""
        return self._own("joints_camera_m")

    @property
    def root_camera_m(self) -> Floats:
        """(T, 3) metres, the pelvis in camera space."""
        return self._own("root_camera_m")

    @property
    def joints_world_m(self) -> Floats:
        """(T, J, 3) metres, z up, floor at 0."""
        return self._own("joints_world_m")

    @property
    def joint_sigma_m(self) -> Floats:
        """(T, J) metres, one standard deviation of a joint's position relative to the pelvis."""
        return self._own("joint_sigma_m")

    @property
    def contacts(self) -> NDArray[np.bool_]:
        """(T, 4) what is on the ground: left heel, left toe, right heel, right toe."""
        return self._own("contacts")

    def _own(self, name: str) -> Array:
        is_own = self._table.column("track_id") == self.track_id
        return np.asarray(self._table.column(name)[is_own])


@dataclass(frozen=True)
class Result:
    """A video's result: where it lies, what is said of it, and its rows."""

    folder: Path
    report: Report
    table: PoseTable

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Everyone in it, by track id."""
        return tuple(Person(person, self.table) for person in self.report.people)

    @property
    def keypoints(self) -> Skeleton:
        """The skeleton of the 2D keypoints."""
        return self.table.keypoints

    @property
    def joints(self) -> Skeleton:
        """The skeleton of the 3D joints."""
        return self.table.joints

    @property
    def stem(self) -> str:
        """What the result's files are named after: the video's name without its ending."""
        return self.report.stem

    @property
    def source(self) -> Path:
        """The video that this is of, which may be gone.

        A path that was given from another folder than the present one is looked for from each
        folder above the result, too.
        """
        path = self.report.video.path
        from_above = (folder / path for folder in self.folder.absolute().parents)
        return next((found for found in (path, *from_above) if found.exists()), path)

    @property
    def files(self) -> dict[str, Path]:
        """The result's files by name."""
        return {name: self.folder / name for name in self.report.files}


def load_result(folder: str | Path) -> Result:
    """A result that was made before.

    Args:
        folder: The folder that holds `report.json`.

    Raises:
        InputError: There is no whole result in it.
    """
    folder = Path(folder)
    report = read_report(folder)
    return Result(folder, report, ArchiveTable(folder / POSES))
