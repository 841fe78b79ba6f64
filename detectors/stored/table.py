"""What every file of stored keypoints becomes: one row for each person and frame."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.files import number_in
from core.types import Floats, check_shape, is_missing

BOX_MARGIN = 0.1
"""Margin around the keypoints of a person without a stored box, as a share of their longer side."""

Counts = Literal["frames", "pictures"]


@dataclass(frozen=True)
class StoredKeypoints:
    """R people in all frames together, by frame, of K keypoints each.

    made_by: The format, for messages.
    numbers: (R,) the numbers of the frames.
    keypoints: (R, K, 3) x px, y px, score in 0…1; x and y are NaN where the score is 0.
    boxes: (R, 5) x0, y0, x1, y1 px, score in 0…1.
    joints: The names of the K keypoints, None where the file does not have them.
    size: (width, height) px of the frames, None where the file does not have it.
    counts: What `numbers` are: frames from 0, or pictures by the number in their names, which is
        the same in a video.
    frames: How many frames the file is about, with people or without; None where that is unknown.
    people_without_score: How many people were left out because no keypoint has a score above 0.
    is_smoothed: Whether the keypoints were smoothed in time before.
    """

    made_by: str
    numbers: NDArray[np.int64]
    keypoints: Floats
    boxes: Floats
    joints: tuple[str, ...] | None
    size: tuple[int, int] | None
    counts: Counts
    frames: int | None = None
    people_without_score: int = 0
    is_smoothed: bool = False

    def __post_init__(self) -> None:
        people = len(self.numbers)
        check_shape("StoredKeypoints.keypoints", self.keypoints, (people, None, 3))
        check_shape("StoredKeypoints.boxes", self.boxes, (people, 5))


class Row(NamedTuple):
    """One person in one frame, as a file has them.

    number: The frame's.
    keypoints: K times x px, y px, score; nested or flat.
    box: x0, y0, x1, y1 px; None where the file has none.
    score: That of the box; None where the file has none.
    """

    number: int
    keypoints: Any
    box: Any = None
    score: Any = None


def make_table(
    made_by: str,
    rows: Iterable[Row],
    joints: Sequence[str] | None = None,
    size: tuple[int, int] | None = None,
    counts: Counts = "frames",
    frames: int | None = None,
    is_smoothed: bool = False,
) -> StoredKeypoints:
    """Make the table of rows in any order.

    People without a single keypoint are left out. A box or a score that a row lacks is made from
    its keypoints.

    Args:
        made_by, joints, size, counts, frames, is_smoothed: As in `StoredKeypoints`.
        rows: The people.

    Raises:
        ValueError, TypeError: Rows hold no numbers or differ in length.
    """
    given = list(rows)
    flat = [np.asarray(row.keypoints, np.float32).ravel() for row in given]
    lengths = sorted({len(one) for one in flat})
    if len(lengths) > 1 or any(length % 3 for length in lengths):
        raise ValueError(
            f"people of {' and of '.join(map(str, lengths))} numbers, where each has x, y, score"
            " alike"
        )
    keypoints = np.array(flat, np.float32).reshape(len(given), lengths[0] // 3 if lengths else 0, 3)
    keypoints[..., 2] = np.clip(np.nan_to_num(keypoints[..., 2]), 0, 1)
    is_known = ~is_missing(keypoints[..., :2])
    people_without_score = int((is_known.any(1) & ~(keypoints[..., 2] > 0).any(1)).sum())
    keypoints[~is_known, 2] = 0
    keypoints[keypoints[..., 2] == 0, :2] = np.nan
    has_keypoints = np.any(keypoints[..., 2] > 0, axis=1).tolist()
    boxes = [
        _box(row, points)
        for row, points, is_kept in zip(given, keypoints, has_keypoints, strict=True)
        if is_kept
    ]
    numbers = np.array([row.number for row in given], np.int64)[has_keypoints]
    order = np.argsort(numbers, kind="stable")
    names = tuple(map(str, joints)) if joints is not None else None
    if given and names is not None and len(names) != keypoints.shape[1]:
        raise ValueError(f"{len(names)} names for {keypoints.shape[1]} keypoints")
    return StoredKeypoints(
        made_by,
        numbers[order],
        keypoints[has_keypoints][order],
        np.array(boxes, np.float32).reshape(-1, 5)[order],
        names,
        size,
        counts,
        frames,
        people_without_score,
        is_smoothed,
    )


def _box(row: Row, keypoints: Floats) -> list[float]:
    """The box (5,) of a person with keypoints (K, 3), corners and score."""
    points = keypoints[keypoints[:, 2] > 0]
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    margin = BOX_MARGIN * max(float((high - low).max()), 1.0)
    box = np.concatenate([low - margin, high + margin])
    if row.box is not None:
        stored = np.asarray(row.box, np.float32).reshape(4)
        # A box that begins where "not found" is was made of such keypoints, too.
        if not is_missing(stored.reshape(2, 2)).any() and (stored[2:] > stored[:2]).all():
            box = stored
    score = (
        float(points[:, 2].mean())
        if row.score is None
        else float(np.clip(np.nan_to_num(row.score), 0, 1))
    )
    return [*box.tolist(), score]


def corners(box: Sequence[float] | None) -> list[float] | None:
    """(x, y, width, height) → (x0, y0, x1, y1)."""
    if box is None:
        return None
    x, y, width, height = box
    return [x, y, x + width, y + height]


def numbers_of(names: Iterable[str]) -> dict[str, int]:
    """Find the number in each picture's name, which is read and never opened.

    Raises:
        ValueError: A name has no number, though it is not the only one, or shares it with another.
    """
    found = {name: number_in(name) for name in names}
    if len(found) == 1:
        return {name: number or 0 for name, number in found.items()}
    missing = [name for name, number in found.items() if number is None]
    if missing:
        raise ValueError(f"no frame number in the name {missing[0]!r}")
    by_number: dict[int | None, str] = {}
    for name, number in found.items():
        if by_number.setdefault(number, name) != name:
            raise ValueError(f"{by_number[number]!r} and {name!r} bear the same frame number")
    return {name: number for name, number in found.items() if number is not None}
