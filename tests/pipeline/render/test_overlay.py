import numpy as np

from core.skeletons import COCO_17, COCO_21
from pipeline.render.overlay import draw_person
from tests.pipeline.render.made_people import (
    GREY,
    body,
    person,
)


def test_unsure_keypoints_are_thinner_and_lost_ones_absent() -> None:
    drawn = []
    for score in (0.9, 0.45, 0.1):
        image = np.full((720, 640, 3), GREY, np.uint8)
        draw_person(image, person(keypoints=body(), scores=score), 1.0)
        blank = np.full((720, 640, 3), GREY, np.uint8)
        draw_person(blank, person(), 1.0)
        drawn.append(int(np.any(image != blank, axis=-1).sum()))
    assert drawn[0] > 1.2 * drawn[1] > 0
    assert drawn[2] == 0


def test_a_missing_keypoint_takes_its_limbs_along() -> None:
    points = body()
    points[COCO_17.index("left_knee")] = np.nan
    image = np.full((360, 640, 3), GREY, np.uint8)
    draw_person(image, person(keypoints=points), 1.0)
    assert np.all(image[150:250, 200] == GREY)
    assert np.any(image[150:190, 100] != GREY)


def test_a_foot_is_a_triangle_and_what_is_not_seen_of_it_is_left_out() -> None:
    drawn = []
    for missing in ((), ("left_heel",), ("left_heel", "left_big_toe")):
        points = body()
        points[COCO_21.indices(missing)] = np.nan
        image = np.full((360, 640, 3), GREY, np.uint8)
        draw_person(image, person(keypoints=points), 1.0)
        ankle, heel, toe = (
            body()[COCO_21.index(f"left_{part}")] for part in ("ankle", "heel", "big_toe")
        )
        sides = [(a + b) / 2 for a, b in ((ankle, toe), (heel, toe))]
        drawn.append([bool(np.any(image[int(y), int(x)] != GREY)) for x, y in sides])
    assert drawn == [[True, True], [True, False], [False, False]]
