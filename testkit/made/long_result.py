"""A result of many minutes in `poses.npz`, made and read in little memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.skeletons import COCO_21, H36M_21, Skeleton
from core.types import Array
from pipeline.results.archive import POSES, ArchiveTable, write_poses
from pipeline.results.result import Result
from pipeline.results.rows import pose_row
from testkit.made.array_results import Actor, array_result

_FPS = 30
_CHUNK_ROWS = 3000


class _MadeTable:
    """One person in every frame, whose joints go round; a `PoseTable` without a row in memory."""

    def __init__(self, rows: int) -> None:
        self.keypoints: Skeleton = COCO_21
        self.joints: Skeleton = H36M_21
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    def chunks(self, name: str) -> Iterator[Array]:
        """See `PoseTable`."""
        kind = pose_row(self.keypoints, self.joints)[name]
        for start in range(0, self._rows, _CHUNK_ROWS):
            frames = np.arange(start, min(start + _CHUNK_ROWS, self._rows))
            times = (frames / _FPS).reshape(-1, *[1] * len(kind.shape))
            whole = np.broadcast_to(times, (len(frames), *kind.shape))
            match name:
                case "frame_index":
                    values = frames
                case "track_id":
                    values = np.ones(len(frames))
                case "time_s":
                    values = whole
                case _ if kind.base == np.bool_:
                    values = whole % 1 < 0.6
                case _:
                    values = 0.5 + 0.4 * np.sin(
                        whole + np.arange(whole[0].size).reshape(kind.shape)
                    )
            yield values.astype(kind.base)

    def column(self, name: str) -> Array:
        """See `PoseTable`."""
        return np.concatenate(list(self.chunks(name)))


def long_result(folder: Path, minutes: float) -> Result:
    """A result as `load_result` gives it, of one person at 30 frames a second."""
    frames = round(minutes * 60 * _FPS)
    write_poses(folder / POSES, _MadeTable(frames), {})
    ends = np.array([0, frames - 1])
    times = np.zeros(frames)
    times[-1] = (frames - 1) / _FPS
    short = array_result(folder, [Actor(ends, np.zeros((2, 21, 3)))], times)
    return Result(folder, short.report, ArchiveTable(folder / POSES))
