from dataclasses import replace

import numpy as np
import pytest

from pipeline.render.floor import Floor
from pipeline.render.palette import DARK, LIGHT
from pipeline.render.view import View
from tests.pipeline.render.made_people import colour_distance, standing, view_of

VIEW = view_of(standing())


def moved(view: View, *by_m: float) -> View:
    return replace(view, position=view.position + np.array(by_m))


def test_lines_lie_on_whole_metres() -> None:
    picture = Floor(DARK).picture(VIEW)
    on, off = [], []
    for x in (-0.5, 0.0):
        for y in (0.25, 0.7, -0.3):
            column, row = VIEW.pixels(np.array([x, y, 0.0]))
            on.append(picture[int(row) - 1 : int(row) + 2, int(column) - 1 : int(column) + 2].max())
            column, row = VIEW.pixels(np.array([x + 0.2, y, 0.0]))
            off.append(
                picture[int(row) - 1 : int(row) + 2, int(column) - 1 : int(column) + 2].max()
            )
    assert min(on) > max(off) + 4


def test_the_numbers_tell_where_the_view_is() -> None:
    """A metre on, the grid looks the same: only the numbers on the border are others."""
    floor = Floor(DARK)
    here = floor.picture(VIEW)
    for by_m, side in (((1.0, 0.0, 0.0), "below"), ((0.0, 1.0, 0.0), "right")):
        there = floor.picture(moved(VIEW, *by_m))
        rows, columns = np.nonzero(np.abs(here.astype(int) - there).max(-1) > 30)
        assert len(rows)
        if side == "below":
            assert rows.min() > 720 - 30
        else:
            assert columns.min() > 720 - 60


def test_it_fades_out_before_the_horizon() -> None:
    picture = Floor(DARK).picture(VIEW)
    horizon = VIEW.pixels(VIEW.position + np.array([*1000 * VIEW.axes[2, :2], 0.0]))[1]
    above = picture[: int(horizon) - 2]
    assert (colour_distance(above, DARK.background) == 0).all()
    assert (picture[int(horizon) + 3].astype(int) - DARK.background).max() < 8


@pytest.mark.parametrize("height_m", [-1.0, 0.0, 0.01, 500.0])
def test_any_height_of_the_camera_gives_a_picture(height_m: float) -> None:
    picture = Floor(LIGHT).picture(replace(VIEW, position=np.array([0.0, -4.0, height_m])))
    assert picture.shape == (720, 720, 3)


def test_a_view_that_stands_still_is_drawn_once() -> None:
    floor = Floor(DARK)
    first = floor.picture(VIEW)
    assert floor.picture(moved(VIEW, 1e-7, 0, 0)) is first
    assert floor.picture(moved(VIEW, 0.01, 0, 0)) is not first
