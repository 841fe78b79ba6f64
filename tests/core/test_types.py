import numpy as np
import pytest

from core.skeletons import COCO_17
from core.types import Detections, Track


def test_a_wrong_shape_is_told_with_expected_and_got() -> None:
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
