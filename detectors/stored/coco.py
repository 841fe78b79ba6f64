"""COCO's keypoint results (https://cocodataset.org/#format-results), alone or with images and categories."""

from typing import Any

from detectors.stored.table import Row, StoredKeypoints, corners, numbers_of, table


def is_coco(data: Any) -> bool:
    """Whether parsed JSON is a list of results or a data set with annotations."""
    if isinstance(data, dict):
        return isinstance(data.get("annotations"), list)
    return (
        isinstance(data, list)
        and isinstance(data[0], dict)
        and {"image_id", "keypoints"} <= data[0].keys()
    )


def read_coco(data: Any) -> StoredKeypoints:
    """People by image: the number in its name where `images` tells it, else its id. Categories name the joints.

    An annotation's visibility is 0, 1 (hidden) or 2: all but 0 is a place somebody marked, and sure.
    """
    data = {"annotations": data} if isinstance(data, list) else data
    joints = _category_joints(data.get("categories", []))
    names = {image["id"]: str(image["file_name"]) for image in data.get("images", [])}
    numbers = numbers_of(names.values())
    rows = (
        Row(
            numbers[names[person["image_id"]]] if names else int(person["image_id"]),
            person["keypoints"], corners(person.get("bbox")), person.get("score"),
        )
        for person in data["annotations"]
        if person.get("keypoints") and (joints is None or person["category_id"] in joints)
    )  # fmt: skip
    named = next(iter(joints.values())) if joints else None
    return table("COCO", rows, named, counts="pictures")


def _category_joints(categories: list[Any]) -> dict[int, list[str]] | None:
    """The names of the joints of people, by category id; None where no category has any."""
    with_joints = {one["id"]: one["keypoints"] for one in categories if one.get("keypoints")}
    people = {one["id"] for one in categories if one.get("name") == "person"} & with_joints.keys()
    return {
        number: joints for number, joints in with_joints.items() if number in people or not people
    } or None
