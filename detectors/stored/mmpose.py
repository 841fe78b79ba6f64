"""MMPose's JSON: of 1.x the demos' and the inferencers', of 0.x that of `tools/test.py --out`.

https://mmpose.readthedocs.io/en/latest/user_guides/inference.html
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from detectors.stored.base import StoredFormat
from detectors.stored.table import Row, StoredKeypoints, make_table, numbers_of

MADE_BY = "MMPose"


def is_video(content: Any) -> bool:
    """Whether parsed JSON is from the demos (a dictionary), an inferencer or 0.x (lists)."""
    if isinstance(content, dict):
        return isinstance(content.get("instance_info"), list)
    return _is_list_with(content, "frame_id", "instances") or _is_list_with(content, "preds")


def is_picture(content: Any) -> bool:
    """Whether parsed JSON is an inferencer's of one picture: a list of people, maybe empty."""
    return content == [] or _is_list_with(content, "keypoints", "keypoint_scores")


def _is_list_with(content: Any, *keys: str) -> bool:
    """Whether parsed JSON is a list whose first entry has some keys."""
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], dict)
        and content[0].keys() >= set(keys)
    )


def read_video(content: Any, video: str) -> StoredKeypoints:
    """Read a video in one file.

    Demos count frames from 1 and name the joints; inferencers count from 0 and do not name them.
    """
    if isinstance(content, dict):
        names = content.get("meta_info", {}).get("keypoint_id2name")
        joints = [names[number] for number in sorted(names, key=int)] if names else None
        frames = content["instance_info"]
        return make_table(MADE_BY, _frame_rows(frames, first=1), joints, frames=len(frames))
    if "preds" in content[0]:
        return _read_0x(content)
    return make_table(MADE_BY, _frame_rows(content, first=0), frames=len(content))


def read_pictures(pictures: Mapping[str, Any], video: str) -> StoredKeypoints:
    """Read an inferencer's pictures by the name of the file."""
    numbers = numbers_of(pictures)
    rows = (row for name, people in pictures.items() for row in _rows(people, numbers[name]))
    return make_table(MADE_BY, rows, counts="pictures")


def _frame_rows(frames: Iterable[Any], first: int) -> Iterator[Row]:
    """The rows of a video's frames, which count from `first`."""
    for frame in frames:
        if "instances" in frame:
            yield from _rows(frame["instances"], int(frame["frame_id"]) - first)
        else:  # demos of a picture list its people where frames would be
            yield from _rows([frame], 0)


def _rows(people: Iterable[Any], number: int) -> Iterator[Row]:
    """The rows of a frame's people."""
    for person in people:
        xy = np.asarray(person["keypoints"], np.float32)
        if xy.ndim != 2 or xy.shape[1] != 2:
            raise ValueError(
                f"expected (keypoints, 2) px of a person, got {xy.shape}; 3D cannot be lifted again"
            )
        keypoints = np.column_stack([xy, np.asarray(person["keypoint_scores"], np.float32)])
        box = person.get("bbox")
        yield Row(
            number, keypoints, np.ravel(box) if box is not None else None, person.get("bbox_score")
        )


def _read_0x(batches: list[Any]) -> StoredKeypoints:
    """Read batches of people: preds (N, K, 3), boxes (N, 6), image_paths.

    A box is its centre in px, its size in units of 200 px, its area and its score.
    """
    numbers = numbers_of(name for batch in batches for name in batch["image_paths"])
    rows = []
    for batch in batches:
        for keypoints, box, name in zip(
            batch["preds"], batch["boxes"], batch["image_paths"], strict=True
        ):
            centre = np.array(box[:2])
            half = np.array(box[2:4]) * 100
            rows.append(Row(numbers[name], keypoints, [*centre - half, *centre + half], box[5]))
    return make_table(MADE_BY, rows, counts="pictures")


FORMATS = (
    StoredFormat((MADE_BY,), "pictures", is_picture, read_pictures),
    StoredFormat((MADE_BY,), "json", is_video, read_video),
)
