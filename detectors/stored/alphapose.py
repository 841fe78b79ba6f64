"""AlphaPose's `alphapose-results.json` (https://github.com/MVIG-SJTU/AlphaPose)."""

from typing import Any

from detectors.stored.table import Row, StoredKeypoints, corners, numbers_of, table


def is_alphapose(data: Any) -> bool:
    """Whether parsed JSON is a list of people whose images go by name."""
    if not (isinstance(data, list) and isinstance(data[0], dict) and "keypoints" in data[0]):
        return False
    return isinstance(data[0].get("image_id"), str)


def read_alphapose(data: Any) -> StoredKeypoints:
    """People by the number in their image's name, `12.jpg` in a video. Its score of a person is no probability."""
    numbers = numbers_of(person["image_id"] for person in data)
    rows = (
        Row(numbers[person["image_id"]], person["keypoints"], corners(person.get("box")))
        for person in data
    )
    return table("AlphaPose", rows, counts="pictures")
