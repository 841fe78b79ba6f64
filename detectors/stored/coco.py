"""COCO's keypoint results (https://cocodataset.org/#format-results), alone or with images and
categories."""

from typing import Any

from detectors.stored.base import StoredFormat
from detectors.stored.table import Row, StoredKeypoints, corners, make_table, numbers_of


def is_coco(content: Any) -> bool:
    """Whether parsed JSON is a data set with annotations or a list of results.

    Results identify images by number; AlphaPose's, which are similar otherwise, by name.
    """
    if isinstance(content, dict):
        return isinstance(content.get("annotations"), list)
    if not (isinstance(content, list) and content and isinstance(content[0], dict)):
        return False
    first = content[0]
    return {"image_id", "keypoints"} <= first.keys() and not isinstance(first["image_id"], str)


def read_coco(content: Any, video: str) -> StoredKeypoints:
    """Read people by image: the number in its name if `images` has names, else its id.

    Categories name the joints. An annotation's visibility is 0, 1 (hidden) or 2: all but 0 is a
    position that an annotator marked, with full confidence.
    """
    data = {"annotations": content} if isinstance(content, list) else content
    joints = _category_joints(data.get("categories", []))
    names = {image["id"]: str(image["file_name"]) for image in data.get("images", [])}
    numbers = numbers_of(names.values())
    rows = (
        Row(
            numbers[names[person["image_id"]]] if names else int(person["image_id"]),
            person["keypoints"],
            corners(person.get("bbox")),
            person.get("score"),
        )
        for person in data["annotations"]
        if person.get("keypoints") and (joints is None or person["category_id"] in joints)
    )
    named = next(iter(joints.values())) if joints else None
    return make_table("COCO", rows, named, counts="pictures")


def _category_joints(categories: list[Any]) -> dict[int, list[str]] | None:
    """The names of people's joints by category id; None where no category has any."""
    with_joints = {one["id"]: one["keypoints"] for one in categories if one.get("keypoints")}
    people = {one["id"] for one in categories if one.get("name") == "person"} & with_joints.keys()
    return {
        number: joints for number, joints in with_joints.items() if number in people or not people
    } or None


FORMATS = (StoredFormat(("COCO",), "json", is_coco, read_coco),)
