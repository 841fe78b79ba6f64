"""The detections of a video, and one person's among them.

Tracks are references into the detections, which lie on disk: a track is read a part at a time.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.skeletons import Skeleton
from core.types import Array, Detections, Floats, Track
from pipeline.results.rows import detection_row
from pipeline.results.spool import Spool

BRIDGED_S = 1.5
"""A longer absence ends a stretch: its frames stay without the person."""


class DetectionSequence(Protocol):
    """The detections of a video's frames, one by one: a list, or a `DetectionSpool`."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Detections: ...

    def __iter__(self) -> Iterator[Detections]: ...


class StoredDetections(DetectionSequence, Protocol):
    """Detections on disk."""

    def close(self) -> None:
        """Delete the detections."""


class DetectionSpool:
    """The detections of a video's frames on disk; a few bytes a frame in memory."""

    def __init__(self, skeleton: Skeleton, folder: Path | None = None) -> None:
        """Make an empty sequence.

        Args:
            skeleton: The one skeleton that all detections have.
            folder: Where the file lies; None for where temporary files go.
        """
        self.skeleton = skeleton
        self._rows = Spool(detection_row(skeleton), folder)
        self._frames, self._starts, self._stops = array("q"), array("q"), array("q")
        self._added: dict[int, list[tuple[int, int]]] = {}  # more rows of a few frames

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Detections:
        index = range(len(self))[index]
        rows = self._rows.read(self._starts[index], self._stops[index])
        if index in self._added:
            rows = np.concatenate([rows, *(self._rows.read(*run) for run in self._added[index])])
        return Detections(
            self._frames[index], rows["box"], rows["box_score"], rows["keypoints"], rows["scores"],
            rows["keypoints_3d"], self.skeleton,
        )  # fmt: skip

    def __iter__(self) -> Iterator[Detections]:
        return (self[index] for index in range(len(self)))

    def close(self) -> None:
        """Delete the detections."""
        self._rows.close()

    def append(self, detections: Detections) -> None:
        """Add the next frame's detections.

        Raises:
            ValueError: They have another skeleton than this sequence.
        """
        start, stop = self._write(detections)
        self._frames.append(detections.frame_index)
        self._starts.append(start)
        self._stops.append(stop)

    def add(self, index: int, detections: Detections) -> None:
        """Add people to the frame at an index of the sequence, behind those who are there.

        Raises:
            ValueError: They have another skeleton than this sequence.
        """
        self._added.setdefault(index, []).append(self._write(detections))

    def _write(self, detections: Detections) -> tuple[int, int]:
        """Write rows; from where to where they lie."""
        if detections.skeleton != self.skeleton:
            raise ValueError(
                f"expected detections of {self.skeleton.name}, got {detections.skeleton.name}"
            )
        start = len(self._rows)
        rows = np.zeros(len(detections), self._rows.dtype)
        rows["box"], rows["box_score"] = detections.boxes_xyxy, detections.box_scores
        rows["keypoints"], rows["scores"] = detections.keypoints_xy, detections.keypoint_scores
        rows["keypoints_3d"] = detections.keypoints_3d
        self._rows.append(rows)
        return start, len(self._rows)

    @property
    def frame_indices(self) -> Array:
        """(F,) int64."""
        return np.array(self._frames, dtype=np.int64)


@dataclass(frozen=True)
class Marks:
    """What was corrected by hand of one person. L: the last frame's index + 1; K keypoints.

    points: (frame, keypoint) → (x, y) px. swapped (L, K) bool: keypoints that are exchanged with
    those of the other side. contacts (L, 4) int8: as in `pose_row`, 1 on, -1 off the ground, 0 as
    found. starts: frames that are not bridged to the one before.
    """

    swapped: NDArray[np.bool_]
    contacts: NDArray[np.int8]
    points: Mapping[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    starts: frozenset[int] = frozenset()

    def is_same(self, other: "Marks | None") -> bool:
        """Whether the same was corrected."""
        return (
            other is not None
            and self.points == other.points
            and self.starts == other.starts
            and np.array_equal(self.swapped, other.swapped)
            and np.array_equal(self.contacts, other.contacts)
        )


@dataclass(frozen=True)
class TrackRows:
    """One person through a video, as references into its detections.

    frame_indices (T,) int64, strictly rising: the frames in which the person is detected.
    boxes_xyxy (T, 4) px. rows (T, 2) int32: index into `detections`, row in these. marks: what was
    corrected by hand, None for nothing.
    """

    track_id: int
    frame_indices: NDArray[np.int64]
    boxes_xyxy: Floats
    rows: NDArray[np.int32]
    detections: DetectionSequence
    marks: Marks | None = None

    def __len__(self) -> int:
        return len(self.frame_indices)

    def is_same(self, other: "TrackRows") -> bool:
        """Whether the same detections of the same video were corrected in the same way."""
        marks = self.marks.is_same(other.marks) if self.marks else other.marks is None
        return marks and np.array_equal(self.rows, other.rows)

    def stretch_starts(self, detected_s: Floats) -> NDArray[np.int64]:
        """The rows, but the first, before which the person was away.

        Args:
            detected_s: (T,) seconds of `frame_indices`.
        """
        is_start = np.diff(detected_s) > BRIDGED_S
        if self.marks is not None and self.marks.starts:
            starts = np.array(sorted(self.marks.starts))
            is_start |= np.diff(np.searchsorted(starts, self.frame_indices, side="right")) > 0
        return np.flatnonzero(is_start) + 1

    def part(self, start: int, stop: int) -> Track:
        """The rows `start` to `stop` - 1 with all that was detected, read from disk."""
        found = [(self.detections[index], row) for index, row in self.rows[start:stop]]
        return Track(
            self.track_id,
            self.frame_indices[start:stop],
            self.boxes_xyxy[start:stop],
            np.stack([frame.keypoints_xy[row] for frame, row in found]),
            np.stack([frame.keypoint_scores[row] for frame, row in found]),
            np.stack([frame.keypoints_3d[row] for frame, row in found]),
            found[0][0].skeleton,
        )
