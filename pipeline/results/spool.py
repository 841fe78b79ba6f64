"""What grows with a video's length lies on disk: rows in files that have no name and end with the run.

They are read and written, not mapped: mapped pages would count as the process's memory.
"""

import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from core.skeletons import COCO_17
from core.types import Array, Detections

_KEYPOINTS = len(COCO_17)
_DETECTED = np.dtype(
    [
        ("box", np.float32, (4,)),
        ("box_score", np.float32),
        ("keypoints", np.float32, (_KEYPOINTS, 2)),
        ("scores", np.float32, (_KEYPOINTS,)),
        ("keypoints_3d", np.float32, (_KEYPOINTS, 3)),
    ]
)
"""One person in one frame, as in `Detections`."""


class Spool:
    """A list of rows of one `dtype`, in a file in `folder`, else where temporary files go."""

    def __init__(self, dtype: np.dtype[np.void], folder: Path | None = None) -> None:
        self.dtype = dtype
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - `close` closes it
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def close(self) -> None:
        """The rows are gone."""
        self._file.close()

    def append(self, rows: Array) -> None:
        """Add (N,) rows at the end."""
        self.write(self._length, rows)

    def write(self, start: int, rows: Array) -> None:
        """Put (N,) rows from `start` on, over what is there."""
        self._file.seek(start * self.dtype.itemsize)
        self._file.write(rows.tobytes())
        self._length = max(self._length, start + len(rows))

    def read(self, start: int, stop: int) -> Array:
        """Rows `start` to `stop` - 1, to keep and to change."""
        self._file.seek(start * self.dtype.itemsize)
        size = max(min(stop, self._length) - start, 0) * self.dtype.itemsize
        return np.frombuffer(bytearray(self._file.read(size)), self.dtype)


class SeenPeople(Protocol):
    """The detections of a video's frames, one by one: a list, or a `DetectionSpool`."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: int, /) -> Detections: ...

    def __iter__(self) -> Iterator[Detections]: ...


class DetectionSpool:
    """The detections of a video's frames, COCO-17, on disk; a few bytes a frame in memory."""

    def __init__(self, folder: Path | None = None) -> None:
        self._rows = Spool(_DETECTED, folder)
        self._frames, self._starts = array("q"), array("q", [0])

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, place: int) -> Detections:
        rows = self._rows.read(self._starts[place], self._starts[place + 1])
        return Detections(
            self._frames[place], rows["box"], rows["box_score"], rows["keypoints"], rows["scores"],
            rows["keypoints_3d"], COCO_17,
        )  # fmt: skip

    def __iter__(self) -> Iterator[Detections]:
        return (self[place] for place in range(len(self)))

    def close(self) -> None:
        """The detections are gone."""
        self._rows.close()

    def append(self, found: Detections) -> None:
        """Add the next frame's."""
        rows = np.zeros(len(found), _DETECTED)
        rows["box"], rows["box_score"], rows["keypoints"] = (
            found.boxes_xyxy,
            found.box_scores,
            found.keypoints_xy,
        )
        rows["scores"], rows["keypoints_3d"] = found.keypoint_scores, found.keypoints_3d
        self._rows.append(rows)
        self._frames.append(found.frame_index)
        self._starts.append(len(self._rows))

    @property
    def frame_indices(self) -> Array:
        """(F,) int64."""
        return np.array(self._frames, dtype=np.int64)
