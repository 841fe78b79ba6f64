import numpy as np
import pytest

from core.skeletons import BLAZEPOSE_33, COCO_17, COCO_21
from core.types import Detections, Track, is_missing


def test_a_wrong_shape_is_refused_with_expected_and_got() -> None:
    people = {
        "boxes_xyxy": np.zeros((2, 4)),
        "box_scores": np.ones(2),
        "keypoints_xy": np.zeros((2, 17, 2)),
        "keypoint_scores": np.ones((2, 17)),
        "keypoints_3d": np.full((2, 17, 3), np.nan),
    }
    assert len(Detections(0, **people, skeleton=COCO_17)) == 2
    people["keypoints_xy"] = np.zeros((2, 33, 2))
    with pytest.raises(
        ValueError, match=r"keypoints_xy: expected shape \(2, 17, 2\), got \(2, 33, 2\)"
    ):
        Detections(0, **people, skeleton=COCO_17)


def test_a_track_cannot_hold_a_frame_twice() -> None:
    rows = (np.zeros((2, 4)), np.zeros((2, 17, 2)), np.ones((2, 17)), np.zeros((2, 17, 3)))
    with pytest.raises(ValueError, match="rise strictly"):
        Track(1, np.array([3, 3]), *rows, COCO_17)


def test_detections_give_the_joints_of_another_skeleton_by_name() -> None:
    rng = np.random.default_rng(0)
    people = Detections(
        7, rng.random((2, 4)), rng.random(2), rng.random((2, 33, 2)), rng.random((2, 33)),
        rng.random((2, 33, 3)), BLAZEPOSE_33,
    )  # fmt: skip
    coco = people.to_skeleton(COCO_17)
    assert (coco.frame_index, coco.skeleton) == (7, COCO_17)
    assert np.array_equal(coco.boxes_xyxy, people.boxes_xyxy)
    assert np.array_equal(coco.box_scores, people.box_scores)
    for name in COCO_17.joints:
        here, there = COCO_17.index(name), BLAZEPOSE_33.index(name)
        assert np.array_equal(coco.keypoints_xy[:, here], people.keypoints_xy[:, there])
        assert np.array_equal(coco.keypoint_scores[:, here], people.keypoint_scores[:, there])
        assert np.array_equal(coco.keypoints_3d[:, here], people.keypoints_3d[:, there])
    assert coco.to_skeleton(COCO_17) is coco


def test_joints_that_detections_lack_are_unseen() -> None:
    rng = np.random.default_rng(0)
    people = Detections(
        7, rng.random((2, 4)), rng.random(2), rng.random((2, 17, 2)), rng.random((2, 17)),
        rng.random((2, 17, 3)), COCO_17,
    )  # fmt: skip
    with_feet = people.to_skeleton(COCO_21)
    assert np.isnan(with_feet.keypoints_xy[:, 17:]).all()
    assert (with_feet.keypoint_scores[:, 17:] == 0).all()
    assert np.isnan(with_feet.keypoints_3d[:, 17:]).all()
    back = with_feet.to_skeleton(COCO_17)
    for name in ("keypoints_xy", "keypoint_scores", "keypoints_3d"):
        np.testing.assert_array_equal(getattr(back, name), getattr(people, name))


@pytest.mark.parametrize(
    "point", [(0, 0), (-0.0, 0), (-1, -1), (-100, -100), (-1.38, -1.38), (np.nan, 3), (3, np.inf)]
)
def test_positions_that_no_picture_has_are_missing(point: tuple[float, float]) -> None:
    assert is_missing(np.array([[point]], np.float32)).tolist() == [[True]]


@pytest.mark.parametrize("point", [(0, 1), (1, 0), (0.25, 0.25), (-3, 4), (-3.5, -2), (500, 500)])
def test_positions_in_a_picture_or_beside_it_are_not(point: tuple[float, float]) -> None:
    assert is_missing(np.array(point)).tolist() is False
