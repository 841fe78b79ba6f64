"""What a live run leaves: the usual files, whole whenever it ends, in memory that does not grow.

Poses go to a file of rows as they come; `poses.npz` is made of it at the end, a piece at a time.
"""

import json
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from core.errors import OutputError
from core.types import VideoInfo
from pipeline.export.npz import ROW, write_npz
from pipeline.lifting.resampling import MIN_SCORE
from pipeline.live.moment import LiveBody, Moment
from pipeline.media.video_writer import VideoWriter
from pipeline.render.draw import Picture
from pipeline.results.spool import Spool
from pipeline.results.staging import REPORT, staged


@dataclass
class Seen:
    """When a person was there."""

    first_frame: int
    last_frame: int
    frames_seen: int = 0


class Recorder:
    """Writes into `folder` until `finish`; without it nothing is left behind. `OutputError` where it cannot."""

    def __init__(self, folder: Path, info: VideoInfo) -> None:
        self._folder, self._info = folder, info
        self._undo = ExitStack()
        self.people: dict[int, Seen] = {}
        self.frames = 0
        self.last_s = 0.0

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self._partial = undo.enter_context(staged(self._folder))
            self._rows = undo.enter_context(closing(Spool(ROW, self._folder)))
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

    def poses(self, moment: Moment) -> None:
        """Add everyone in one frame."""
        self.frames += 1
        self.last_s = moment.frame.time_s
        rows = np.zeros(len(moment.people), ROW)
        for row, body in zip(rows, moment.people, strict=True):
            _fill(row, moment, body)
            seen = self.people.setdefault(body.in_frame.track_id, Seen(moment.frame.index, 0))
            seen.last_frame = moment.frame.index
            seen.frames_seen += 1
        try:
            self._rows.append(rows)
        except OSError as error:
            raise OutputError(
                f"{self._folder}: cannot write there ({error.strerror or error})"
            ) from error

    def picture(self, picture: Picture, time_s: float) -> None:
        """Add (H, W, 3) RGB to the video."""
        if self._writer is None:
            path = self._partial / f"{self._info.path.name}_3d.mp4"
            self._writer = self._video.enter_context(VideoWriter(path, self._info, sound=False))
        self._writer.write(picture, time_s)

    def finish(self, metadata: dict[str, Any], report: dict[str, Any]) -> None:
        """Make the files whole; they get their names when the block ends."""
        self._video.close()
        write_npz(self._partial / "poses.npz", self._rows, metadata)
        files = {file.name: file.stat().st_size for file in self._partial.iterdir()}
        (self._partial / REPORT).write_text(json.dumps({**report, "files": files}, indent=1) + "\n")


def _fill(row: Any, moment: Moment, body: LiveBody) -> None:
    person = body.in_frame
    row["frame_index"], row["track_id"], row["time_s"] = (
        moment.frame.index,
        person.track_id,
        moment.frame.time_s,
    )
    row["keypoints_2d"], row["keypoint_scores"] = person.keypoints_xy, person.keypoint_scores
    row["observed"] = person.keypoint_scores >= MIN_SCORE
    row["joints_camera_m"], row["root_camera_m"] = body.camera.joints_m[0], body.camera.root_m[0]
    row["joints_world_m"] = person.joints_world_m
