"""What a live run leaves: the usual files, whole whenever it ends, in memory that does not grow.

Poses go to a file of rows as they come; the exports are made of it at the end.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from core.errors import OutputError
from core.skeletons import COCO_21, Skeleton
from core.types import Array, Intrinsics, Picture, VideoInfo
from lifter.side_swaps import MIN_SCORE
from pipeline.export.base import ExportOptions, write_exports
from pipeline.live.moment import LiveBody, Moment
from pipeline.media.encoding.encoders import LIVE_SOFTWARE
from pipeline.media.options import EncoderName
from pipeline.media.video_writer import VideoWriter
from pipeline.results.archive import POSES, ArchiveTable, SpoolTable
from pipeline.results.measures import Measurement, PersonPart
from pipeline.results.person_table import PersonSummary
from pipeline.results.report import Report
from pipeline.results.report_parts import StanceReport
from pipeline.results.result import Result
from pipeline.results.rows import pose_row
from pipeline.results.spool import Spool
from pipeline.results.staging import staged
from pipeline.results.stances import stances_by_person
from pipeline.results.verdicts.evidence import gather_evidence
from pipeline.results.verdicts.questions import verdicts

_MEASURED_ROWS = 2000  # at once
_LONGEST_STEP_S = 0.5  # rows farther apart are before and after an absence


class Recorder:
    """Writes into a folder until `finish`; a block that ends without it leaves nothing behind."""

    def __init__(
        self, folder: Path, info: VideoInfo, joints: Skeleton, encoder: EncoderName = "libx264"
    ) -> None:
        """Write nothing yet.

        Args:
            folder: The folder of the results.
            info: The source's size and rate; its path's name begins the files' names.
            joints: The skeleton of the joints.
            encoder: What encodes the video.
        """
        self._encoder: EncoderName = encoder
        self._folder, self._info, self._joints = folder, info, joints
        self._undo = ExitStack()
        self.people: dict[int, PersonSummary] = {}
        self.frames = self.pictures = 0
        self.last_s = 0.0

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self._partial = undo.enter_context(staged(self._folder))
            self._rows = undo.enter_context(
                closing(Spool(pose_row(COCO_21, self._joints), self._folder))
            )
            self._video = undo.enter_context(ExitStack())
            self._undo = undo.pop_all()
        self._writer: VideoWriter | None = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.__exit__(kind, error, trace)

    def add_poses(self, moment: Moment) -> None:
        """Add everyone in one frame; `OutputError` where the disk refuses."""
        self.frames += 1
        self.last_s = moment.frame.time_s
        rows = np.zeros(len(moment.people), self._rows.dtype)
        for row, body in zip(rows, moment.people, strict=True):
            _fill(row, moment, body)
            track_id = body.in_frame.track_id
            person = self.people.setdefault(track_id, PersonSummary(track_id, moment.frame.index))
            person.last_frame = moment.frame.index
            person.frames_seen += 1
        try:
            self._rows.append(rows)
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(f"{self._folder}: cannot write there ({reason})") from error

    def add_picture(self, picture: Picture, time_s: float) -> None:
        """Add a picture (H, W, 3) RGB to the video."""
        if self._writer is None:
            path = self._partial / f"{self._info.path.name}_3d.mp4"
            self._writer = self._video.enter_context(
                VideoWriter(
                    path, self._info, sound=False, encoder=self._encoder, software=LIVE_SOFTWARE
                )
            )
        self._writer.write(picture, time_s)
        self.pictures += 1

    def measures(self, intrinsics: Intrinsics) -> dict[str, float | None]:
        """All measures of what was recorded so far."""
        measurement = Measurement()
        for rows in self._by_person():
            world = rows["joints_world_m"].astype(np.float64)
            elapsed_s = float(rows["time_s"][-1] - rows["time_s"][0])
            fps = (len(rows) - 1) / elapsed_s if elapsed_s else self._info.fps
            measurement.add(
                PersonPart(rows, self._joints, world, rows["contacts"], fps, intrinsics)
            )
        return measurement.values()

    def stances(self) -> dict[int, tuple[StanceReport, ...]]:
        """When the feet of those recorded so far were on the ground, by track id."""
        return stances_by_person(SpoolTable(self._rows, self._joints))

    def finish(self, report: Report, options: ExportOptions) -> None:
        """Make the files whole; they get their names when the block ends.

        Args:
            report: All but the files.
            options: Which exports to write, and how.
        """
        self._video.close()
        table = SpoolTable(self._rows, self._joints)
        report = replace(report, verdicts=verdicts(gather_evidence(report, table)))
        draft = Result(self._partial, report, table)
        exported = write_exports(draft, options.formats, self._partial, options)
        whole = options.measured(report, draft.table).exported(exported.names, exported.lines)
        self._report = whole.write(self._partial)

    @property
    def result(self) -> Result:
        """What was recorded, after the block has ended."""
        return Result(self._folder, self._report, ArchiveTable(self._folder / POSES))

    def _by_person(self) -> Iterator[Array]:
        """The rows recorded so far, some at a time, of one person without a break each."""
        for start in range(0, len(self._rows), _MEASURED_ROWS):
            rows = self._rows.read(start, start + _MEASURED_ROWS)
            for track_id in np.unique(rows["track_id"]):
                own = rows[rows["track_id"] == track_id]
                breaks = np.flatnonzero(np.diff(own["time_s"]) > _LONGEST_STEP_S) + 1
                yield from np.split(own, breaks)


def _fill(row: Any, moment: Moment, body: LiveBody) -> None:
    """Fill a row of `pose_row`."""
    person = body.in_frame
    row["frame_index"] = moment.frame.index
    row["track_id"] = person.track_id
    row["time_s"] = moment.frame.time_s
    row["keypoints_2d"] = person.keypoints_xy
    row["keypoint_scores"] = person.keypoint_scores
    row["observed"] = person.keypoint_scores >= MIN_SCORE
    row["joints_camera_m"] = body.camera.joints_m[0]
    row["root_camera_m"] = body.camera.root_m[0]
    row["joints_world_m"] = person.joints_world_m
    row["joint_sigma_m"] = person.joint_sigma_m
    row["contacts"] = body.contacts
