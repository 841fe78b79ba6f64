"""AlphaPose's `alphapose-results.json` (https://github.com/MVIG-SJTU/AlphaPose)."""

from typing import Any

from detectors.stored.base import StoredFormat
from detectors.stored.table import Row, StoredKeypoints, corners, make_table, numbers_of


def is_alphapose(content: Any) -> bool:
    """Whether parsed JSON is a list of people whose images are identified by name."""
    if not (isinstance(content, list) and content and isinstance(content[0], dict)):
        return False
    return "keypoints" in content[0] and isinstance(content[0].get("image_id"), str)


def read_alphapose(content: Any, video: str) -> StoredKeypoints:
    """Read people by the number in their image's name, `12.jpg` in a video.

    Its score of a person is not a probability and is left out.
    """
    numbers = numbers_of(person["image_id"] for person in content)
    rows = (
        Row(numbers[person["image_id"]], person["keypoints"], corners(person.get("box")))
        for person in content
    )
    return make_table("AlphaPose", rows, counts="pictures")


FORMATS = (StoredFormat(("AlphaPose",), "json", is_alphapose, read_alphapose),)
