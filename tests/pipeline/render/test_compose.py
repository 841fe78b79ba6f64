import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from core.skeletons import COCO_17
from pipeline.media.video.fitting import Size
from pipeline.render.compose import Overlay, SideBySide, Space
from pipeline.render.figures import FigurePainter
from pipeline.render.modes import plan_beside, side_by_side
from pipeline.render.palette import DARK, LIGHT, Colour, Side, track_colour
from tests.pipeline.render.made_people import (
    GREY,
    body,
    colour_distance,
    columns,
    frame,
    person,
    standing,
    video,
)


@pytest.mark.parametrize(
    "people", [[], [[np.full((17, 3), np.nan)] * 4]], ids=["none", "without 3D"]
)
def test_without_people_the_view_is_empty(people: list[list[NDArray[np.float64]]]) -> None:
    picture = side_by_side(video(), columns(*people)).draw(frame(), [])
    assert picture.shape == (360, 1000, 3)
    assert len(np.unique(picture[:, 640:].reshape(-1, 3), axis=0)) > 10  # floor, grid and numbers


def test_the_skeleton_is_drawn_where_the_person_is_at_the_scale_shown() -> None:
    composed = Overlay(video(1280, 720), 360)
    points = body() * 2
    picture = composed.draw(frame(1280, 720), [person(keypoints=points)])
    assert picture.shape == (360, 640, 3)
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
    composed = side_by_side(video(width, height), columns([standing()]))
    source = frame(width, height)
    picture = composed.draw(source, [person(standing(), keypoints=body())])
    assert composed.size == Size(*size)
    assert (picture.shape[1], picture.shape[0]) == size
    assert np.all(source.rgb == GREY)


def test_a_picture_is_not_reused() -> None:
    composed = side_by_side(video(), columns([standing()]))
    first = composed.draw(frame(), [person(standing())])
    kept = first.copy()
    composed.draw(frame(), [])
    np.testing.assert_array_equal(first, kept)


def test_a_picture_is_drawn_without_matplotlib() -> None:
    program = (
        "import sys\n"
        "from pipeline.render.modes import side_by_side\n"
        "from tests.pipeline.render.made_people import *\n"
        "side_by_side(video(), columns([standing()])).draw(frame(), [person(standing())])\n"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_theme_is_that_of_the_3d_view_alone() -> None:
    camera = plan_beside(video(), columns([standing()]))
    dark, light = (
        SideBySide(video(), camera, theme).draw(frame(), [person(standing())])
        for theme in (DARK, LIGHT)
    )
    np.testing.assert_array_equal(dark[:, :640], light[:, :640])
    assert light[:, 640:].mean() > dark[:, 640:].mean() + 120


@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255), (200, 30, 90)])
def test_people_cut_out_are_laid_over_any_picture(ground: Colour) -> None:
    camera = plan_beside(video(), columns([standing()]))
    people = [person(standing(), sigma_m=0.15)]
    cut = Space(camera).cut_out(frame(), people)
    assert (cut[..., 3] == 0).mean() > 0.5
    assert (cut[..., 3] == 255).any()
    drawn = np.full((360, 360, 3), ground, np.uint8)
    FigurePainter(DARK.background).draw(drawn, camera.view_at(0), people)
    opacity = cut[..., 3:] / 255
    laid = cut[..., :3] * opacity + np.array(ground) * (1 - opacity)
    assert np.abs(laid - drawn).max() < 8
