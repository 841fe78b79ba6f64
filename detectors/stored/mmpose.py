"""MMPose's JSON: of 1.x the demos' and the inferencers', of 0.x that of `tools/test.py --out`.

https://mmpose.readthedocs.io/en/latest/user_guides/inference.html
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from detectors.stored.table import Row, StoredKeypoints, numbers_of, table

MADE_BY = "MMPose"


def is_mmpose(data: Any) -> bool:
    """Whether parsed JSON is from the demos (a dictionary), an inferencer or 0.x (lists)."""
    if isinstance(data, dict):
        return isinstance(data.get("instance_info"), list)
    return (
        is_people(data)
        or _is_list_with(data, "frame_id", "instances")
        or _is_list_with(data, "preds")
    )


def is_people(data: Any) -> bool:
    """Whether parsed JSON is what an inferencer says of one picture; a picture without people is an empty list."""
    return data == [] or _is_list_with(data, "keypoints", "keypoint_scores")


def _is_list_with(data: Any, *keys: str) -> bool:
    return (
        isinstance(data, list)
        and bool(data)
        and isinstance(data[0], dict)
        and data[0].keys() >= set(keys)
    )


def read_mmpose(data: Any) -> StoredKeypoints:
    """A video in one file. Demos count frames from 1 and name the joints, inferencers count from 0 and do not."""
    if isinstance(data, dict):
        names = data.get("meta_info", {}).get("keypoint_id2name")
        joints = [names[number] for number in sorted(names, key=int)] if names else None
        return table(MADE_BY, _frames(data["instance_info"], first=1), joints)
    return _read_0x(data) if "preds" in data[0] else table(MADE_BY, _frames(data, first=0))


def read_pictures(pictures: Mapping[str, Any]) -> StoredKeypoints:
    """What an inferencer says of pictures, by the name of the file."""
    numbers = numbers_of(pictures)
    rows = (row for name, people in pictures.items() for row in _people(people, numbers[name]))
    return table(MADE_BY, rows, counts="pictures")


def _frames(frames: Iterable[Any], first: int) -> Iterator[Row]:
    for frame in frames:
        if "instances" in frame:
            yield from _people(frame["instances"], int(frame["frame_id"]) - first)
        else:  # demos of a picture list its people where frames would be
            yield from _people([frame], 0)


def _people(people: Iterable[Any], number: int) -> Iterator[Row]:
    for person in people:
        places = np.asarray(person["keypoints"], np.float32)
        if places.ndim != 2 or places.shape[1] != 2:
            raise ValueError(
                f"expected (keypoints, 2) px of a person, got {places.shape}; 3D cannot be lifted again"
            )
        keypoints = np.column_stack([places, np.asarray(person["keypoint_scores"], np.float32)])
        box = person.get("bbox")
        yield Row(
            number, keypoints, np.ravel(box) if box is not None else None, person.get("bbox_score")
        )


def _read_0x(batches: list[Any]) -> StoredKeypoints:
    """Batches of people: preds (N, K, 3), boxes (N, 6): centre, size in 200 px, area, score; the picture of each."""
    numbers = numbers_of(name for batch in batches for name in batch["image_paths"])
    rows = []
    for batch in batches:
        for keypoints, box, name in zip(
            batch["preds"], batch["boxes"], batch["image_paths"], strict=True
        ):
            centre, half = np.array(box[:2]), np.array(box[2:4]) * 100
            rows.append(Row(numbers[name], keypoints, [*centre - half, *centre + half], box[5]))
    return table(MADE_BY, rows, counts="pictures")
