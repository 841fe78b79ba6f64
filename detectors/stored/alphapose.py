"""AlphaPose's results (https://github.com/MVIG-SJTU/AlphaPose), of any `--format`.

The default is a list of people. `open` and `cmu` are a dictionary by picture, and in `sep-json` a
file for each picture: people or bodies in the order of OpenPose's COCO, which AlphaPose makes of
COCO's 17.
"""

from collections.abc import Mapping
from typing import Any

from core.skeletons import COCO_18
from detectors.stored.base import StoredFormat
from detectors.stored.table import Row, StoredKeypoints, corners, make_table, numbers_of

MADE_BY = "AlphaPose"
_PEOPLE = {"people": "pose_keypoints_2d", "bodies": "joints"}
"""The list of people in a picture, and the list of numbers in a person: of `open`, of `cmu`."""


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
    return make_table(MADE_BY, rows, counts="pictures")


def is_picture(content: Any) -> bool:
    """Whether parsed JSON is one picture of `open` or `cmu`."""
    if not isinstance(content, dict) or not str(content.get("version", "")).startswith(MADE_BY):
        return False
    return any(isinstance(content.get(people), list) for people in _PEOPLE)


def is_by_picture(content: Any) -> bool:
    """Whether parsed JSON has pictures of `open` or `cmu` by name."""
    return isinstance(content, dict) and bool(content) and all(map(is_picture, content.values()))


def read_pictures(pictures: Mapping[str, Any], video: str) -> StoredKeypoints:
    """Read pictures by the number in their name."""
    numbers = numbers_of(pictures)
    rows = (
        Row(numbers[name], person[joints])
        for name, picture in pictures.items()
        for people, joints in _PEOPLE.items()
        for person in picture.get(people, [])
    )
    return make_table(MADE_BY, rows, COCO_18.joints, counts="pictures")


FORMATS = (
    StoredFormat((MADE_BY,), "pictures", is_picture, read_pictures),
    StoredFormat((MADE_BY,), "json", is_by_picture, read_pictures),
    StoredFormat((MADE_BY,), "json", is_alphapose, read_alphapose),
)
