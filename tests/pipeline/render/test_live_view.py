from pathlib import Path

import numpy as np
import pytest

from core.types import Frame, VideoInfo
from pipeline.render.live_view import FollowingCamera, LiveView
from pipeline.render.options import Render, RenderOptions
from pipeline.render.view import Lens
from tests.pipeline.live.made_moments import moment
from tests.pipeline.render.made_people import person, standing

CAMERA = VideoInfo(Path("camera"), 160, 120, 30.0, None, 0, None)
BLANK = np.zeros((1, 1, 3), np.uint8)


def test_the_view_follows_who_walks_away_without_a_jerk() -> None:
    camera = FollowingCamera(Lens(720, 720))
    positions, heights = [], []
    steps_m = np.interp(np.arange(300), [0, 15, 200, 215], [0, 0.05, 0.05, 0])  # 10 m at 1.5 m/s
    for index, x_m in enumerate(np.cumsum(steps_m)):
        joints = standing(x_m)
        view = camera.view(Frame(index, index / 30, BLANK), [person(joints)])
        points = view.pixels(joints) / 720
        assert points.min() > 0
        assert points.max() < 1
        positions.append(view.position)
        heights.append(np.ptp(points[:, 1]))
    assert heights[-1] > 0.45
    moved = np.diff(positions, axis=0)
    assert np.abs(moved).max() < 0.2
    assert np.abs(np.diff(moved, axis=0)).max() < 0.02


def test_who_appears_far_away_comes_into_view_soon_and_smoothly() -> None:
    camera = FollowingCamera(Lens(720, 720))
    for index in range(90):
        people = [person(standing())] + ([person(standing(6.0), 2)] if index >= 30 else [])
        view = camera.view(Frame(index, index / 30, BLANK), people)
    points = view.pixels(standing(6.0))
    assert points.min() > 0
    assert points.max() < 720


def test_without_people_the_view_stays_where_it_was() -> None:
    camera = FollowingCamera(Lens(720, 720))
    empty = camera.view(Frame(0, 0.0, BLANK), [])
    assert empty.pixels(standing()).min() > 0
    far = [person(standing(8.0))]
    last = [camera.view(Frame(i, i / 30, BLANK), far if i < 90 else []) for i in range(1, 150)][-1]
    points = last.pixels(standing(8.0))
    assert points.min() > 0
    assert points.max() < 720


@pytest.mark.parametrize(
    ("render", "size"),
    [
        ("side-by-side", (840, 360)),
        ("none", (840, 360)),
        ("overlay", (480, 360)),
        ("3d", (480, 360)),
    ],
)
def test_every_kind_of_picture_is_made_live(render: Render, size: tuple[int, int]) -> None:
    view = LiveView(CAMERA, RenderOptions(render=render))
    people = [moment().people[0].in_frame]
    picture = view.draw(moment().frame, people)
    assert picture.shape[1::-1] == size
    assert (picture != view.draw(moment(1).frame, [])).any()
