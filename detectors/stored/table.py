"""What every file of stored keypoints becomes: one row a person and frame."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.numbered import number_in
from core.types import Floats, check_shape

BOX_MARGIN = 0.1
"""Of the longer side, around the points of somebody whose box the file does not have."""

FARTHEST_PX = 1e6
"""What lies further away is nowhere: some programs write such numbers for what they did not find."""


@dataclass(frozen=True)
class StoredKeypoints:
    """R people in all frames together, by frame, of K keypoints each.

    made_by is the format, for messages; numbers (R,) are those of the frames; keypoints (R, K, 3) px, px, score in 0…1,
    the place NaN where the score is 0; boxes (R, 5) corners in px and score in 0…1; joints the K names, None where the
    file does not say; size (width, height) px of the frames, None where it does not say.

    `counts` is what the numbers are: frames from 0, or pictures by the number in their names, which is the same in a
    video.
    """

    made_by: str
    numbers: NDArray[np.int64]
    keypoints: Floats
    boxes: Floats
    joints: tuple[str, ...] | None
    size: tuple[int, int] | None
    counts: Literal["frames", "pictures"]

    def __post_init__(self) -> None:
        people = len(self.numbers)
        check_shape("StoredKeypoints.keypoints", self.keypoints, (people, None, 3))
        check_shape("StoredKeypoints.boxes", self.boxes, (people, 5))


class Row(NamedTuple):
    """One person in one frame: K × (x, y, score) nested or flat; corners (x, y, x, y) of the box; its score."""

    number: int
    keypoints: Any
    box: Any = None
    score: Any = None


def table(
    made_by: str,
    rows: Iterable[Row],
    joints: Sequence[str] | None = None,
    size: tuple[int, int] | None = None,
    counts: Literal["frames", "pictures"] = "frames",
) -> StoredKeypoints:
    """Rows in any order → the table.

    People without a single keypoint are left out; a box or a score that a row lacks is made from its keypoints.
    `ValueError` or `TypeError` where rows hold no numbers or differ in length.
    """
    given = list(rows)
    flat = [np.asarray(row.keypoints, np.float32).ravel() for row in given]
    lengths = sorted({len(one) for one in flat})
    if len(lengths) > 1 or any(length % 3 for length in lengths):
        raise ValueError(
            f"people of {' and of '.join(map(str, lengths))} numbers, where each has x, y, score alike"
        )
    keypoints = np.array(flat, np.float32).reshape(len(given), lengths[0] // 3 if lengths else 0, 3)
    keypoints[..., 2] = np.clip(np.nan_to_num(keypoints[..., 2]), 0, 1)
    keypoints[~(np.abs(keypoints) < FARTHEST_PX).all(-1), 2] = 0
    keypoints[keypoints[..., 2] == 0, :2] = np.nan
    seen = np.any(keypoints[..., 2] > 0, axis=1).tolist()
    boxes = [
        _box(row, points)
        for row, points, there in zip(given, keypoints, seen, strict=True)
        if there
    ]
    numbers = np.array([row.number for row in given], np.int64)[seen]
    order = np.argsort(numbers, kind="stable")
    named = tuple(map(str, joints)) if joints is not None else None
    if given and named is not None and len(named) != keypoints.shape[1]:
        raise ValueError(f"{len(named)} names for {keypoints.shape[1]} keypoints")
    return StoredKeypoints(
        made_by, numbers[order], keypoints[seen][order], np.array(boxes, np.float32).reshape(-1, 5)[order], named, size,
        counts,
    )  # fmt: skip


def _box(row: Row, keypoints: Floats) -> list[float]:
    """Corners and score of a person with keypoints (K, 3)."""
    points = keypoints[keypoints[:, 2] > 0]
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    margin = BOX_MARGIN * max(float((high - low).max()), 1.0)
    box = np.concatenate([low - margin, high + margin])
    if row.box is not None:
        stored = np.asarray(row.box, np.float32).reshape(4)
        if (np.abs(stored) < FARTHEST_PX).all() and (stored[2:] > stored[:2]).all():
            box = stored
    score = (
        float(points[:, 2].mean())
        if row.score is None
        else float(np.clip(np.nan_to_num(row.score), 0, 1))
    )
    return [*box.tolist(), score]


def corners(box: Sequence[float] | None) -> list[float] | None:
    """(x, y, width, height) → (x, y, x, y)."""
    if box is None:
        return None
    x, y, width, height = box
    return [x, y, x + width, y + height]


def numbers_of(names: Iterable[str]) -> dict[str, int]:
    """The number in each picture's name; a picture alone needs none. Names are read, never opened."""
    found = {name: number_in(name) for name in names}
    if len(found) == 1:
        return {name: number or 0 for name, number in found.items()}
    missing = [name for name, number in found.items() if number is None]
    if missing:
        raise ValueError(f"no frame number in the name {missing[0]!r}")
    taken: dict[int | None, str] = {}
    for name, number in found.items():
        if taken.setdefault(number, name) != name:
            raise ValueError(f"{taken[number]!r} and {name!r} bear the same frame number")
    return {name: number for name, number in found.items() if number is not None}
