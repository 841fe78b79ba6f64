from contextlib import closing

import numpy as np
import pytest

from core.skeletons import COCO_17, HALPE_26, Skeleton
from core.types import Detections
from pipeline.results.detections import DetectionSpool, TrackRows


def detections(frame_index: int, people: int, skeleton: Skeleton) -> Detections:
    rng = np.random.default_rng(frame_index)
    count = len(skeleton)
    return Detections(
        frame_index,
        rng.random((people, 4), np.float32),
        rng.random(people, np.float32),
        rng.random((people, count, 2), np.float32),
        rng.random((people, count), np.float32),
        np.full((people, count, 3), np.nan, np.float32),
        skeleton,
    )


@pytest.mark.parametrize("skeleton", [COCO_17, HALPE_26], ids=lambda one: one.name)
def test_what_is_spooled_comes_back_with_its_skeleton(skeleton: Skeleton) -> None:
    made = [detections(frame, people, skeleton) for frame, people in ((3, 2), (4, 0), (9, 1))]
    with closing(DetectionSpool(skeleton)) as spool:
        for one in made:
            spool.append(one)
        np.testing.assert_array_equal(spool.frame_indices, [3, 4, 9])
        for one, back in zip(made, spool, strict=True):
            assert back.skeleton == skeleton
            assert back.frame_index == one.frame_index
            for name in ("boxes_xyxy", "box_scores", "keypoints_xy", "keypoint_scores"):
                np.testing.assert_array_equal(getattr(back, name), getattr(one, name))


def test_people_may_be_added_to_a_frame_that_was_spooled() -> None:
    with closing(DetectionSpool(COCO_17)) as spool:
        first, none, later = (detections(9, people, COCO_17) for people in (2, 0, 1))
        spool.append(first)
        spool.append(none)
        spool.add(0, later)
        spool.add(1, later)
        both = spool[0]
        np.testing.assert_array_equal(
            both.keypoints_xy, np.concatenate([first.keypoints_xy, later.keypoints_xy])
        )
        np.testing.assert_array_equal(spool[1].boxes_xyxy, later.boxes_xyxy)
        assert (both.frame_index, len(spool)) == (9, 2)


def test_another_skeleton_is_refused() -> None:
    with closing(DetectionSpool(COCO_17)) as spool:
        with pytest.raises(ValueError, match="expected detections of coco_17, got halpe_26"):
            spool.append(detections(0, 1, HALPE_26))
        assert len(spool) == 0


def test_a_part_of_a_track_is_read_from_the_detections() -> None:
    made = [detections(frame, 3, COCO_17) for frame in range(5)]
    rows = np.array([[1, 2], [3, 0], [4, 1]], np.int32)
    track = TrackRows(7, np.array([1, 3, 4]), np.zeros((3, 4)), rows, made)
    part = track.part(1, 3)
    np.testing.assert_array_equal(part.frame_indices, [3, 4])
    np.testing.assert_array_equal(part.keypoints_xy[0], made[3].keypoints_xy[0])
    np.testing.assert_array_equal(part.keypoints_xy[1], made[4].keypoints_xy[1])
