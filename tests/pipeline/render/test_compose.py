import subprocess
import sys

import numpy as np
import pytest

from core.skeletons import COCO_17, H36M_17
from core.types import WorldPoses
from pipeline.render.compose import SideBySide
from pipeline.render.palette import Side, track_colour
from tests.pipeline.render.made_people import (
    GREY,
    body,
    colour_distance,
    frame,
    person,
    standing,
    video,
    world,
)


@pytest.mark.parametrize(
    "worlds", [[], [WorldPoses(np.full((4, 17, 3), np.nan), "nothing", H36M_17)]]
)
def test_without_people_the_stage_is_empty(worlds: list[WorldPoses]) -> None:
    picture = SideBySide(video(), worlds).draw(frame(), [])
    assert picture.shape == (360, 1000, 3)
    assert len(np.unique(picture[:, 640:].reshape(-1, 3), axis=0)) > 10  # floor, grid and numbers


def test_the_skeleton_is_drawn_where_the_person_is_at_the_scale_shown() -> None:
    side_by_side = SideBySide(video(1280, 720), [], max_height=360)
    points = body() * 2
    picture = side_by_side.draw(frame(1280, 720), [person(keypoints=points)])
    assert picture.shape == (360, 1000, 3)
    for side, name in ((Side.LEFT, "left_hip"), (Side.RIGHT, "right_hip")):
        x, y = points[COCO_17.index(name)] / 2
        assert colour_distance(picture, track_colour(1, side))[int(y), int(x)] < 25


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (1768, 994, (2000, 720)),
        (1080, 1920, (1124, 720)),
        (97, 65, (898, 360)),
        (3840, 2160, (2000, 720)),
        (2, 2, (720, 360)),
        (16384, 16, (8040, 360)),
    ],
)
def test_every_shape_of_video_gets_an_even_picture(
    width: int, height: int, size: tuple[int, int]
) -> None:
    side_by_side = SideBySide(video(width, height), [world(standing())])
    source = frame(width, height)
    picture = side_by_side.draw(source, [person(standing(), keypoints=body())])
    assert side_by_side.size == size
    assert (picture.shape[1], picture.shape[0]) == size
    assert np.all(source.rgb == GREY)


def test_a_picture_is_not_reused() -> None:
    side_by_side = SideBySide(video(), [world(standing())])
    first = side_by_side.draw(frame(), [person(standing())])
    kept = first.copy()
    side_by_side.draw(frame(), [])
    np.testing.assert_array_equal(first, kept)


def test_matplotlib_is_loaded_only_to_draw() -> None:
    program = "import sys, pipeline.render.live_view; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
