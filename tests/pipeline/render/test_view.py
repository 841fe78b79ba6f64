import numpy as np
import pytest

from pipeline.render.view import AZIMUTH_DEG, Lens, View, view_axes

VIEW = View(view_axes(AZIMUTH_DEG), np.array([0.5, -4.0, 2.0]), Lens(960, 720))


def test_left_right_near_and_far_agree_with_the_video() -> None:
    left, right, high, far = VIEW.pixels(
        np.array([[-1.0, 0, 0], [1.0, 0, 0], [-1.0, 0, 1.8], [-1.0, 4, 0]])
    )
    assert left[0] + 200 < right[0]
    assert high[1] + 200 < left[1]
    assert far[1] + 20 < left[1]
    assert VIEW.depth(np.array([0.0, 0, 1])) < VIEW.depth(np.array([0.0, 4, 1]))


def test_the_middle_of_the_view_is_the_lens_centre() -> None:
    aim = VIEW.position + 3.0 * VIEW.axes[2]
    np.testing.assert_allclose(VIEW.pixels(aim), VIEW.lens.centre)
    floor = VIEW.position + VIEW.floor_distance_m * VIEW.axes[2]
    assert floor[2] == pytest.approx(0)


def test_scale_is_that_of_what_lies_across_the_view() -> None:
    point = np.array([0.3, 1.0, 1.0])
    across = 0.01 * VIEW.axes[0]
    moved = VIEW.pixels(point + across) - VIEW.pixels(point)
    np.testing.assert_allclose(moved, [0.01 * VIEW.scale(point), 0], atol=1e-9)


def test_a_quarter_turn_looks_from_the_side() -> None:
    right, up, forward = view_axes(90.0, 0.0)
    np.testing.assert_allclose([right, up, forward], [[0, 1, 0], [0, 0, 1], [-1, 0, 0]], atol=1e-12)
