import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.render import stage_plot
from pipeline.render.stage_plot import build_stage
from tests.pipeline.render.made_people import colour_distance, standing, world


@pytest.mark.parametrize("size", [(720, 720), (500, 360)])
def test_a_world_point_is_where_matplotlib_draws_it(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    points = np.array([[0.7, -0.4, 1.3], [-1.0, 0.5, 0.2], [3.0, 2.0, 1.8]])
    people = [world(standing(), standing(3.0, 2.0))]
    for point in points:

        def with_dot(
            axes: stage_plot.Axes3D, bounds: object, point: NDArray[np.float64] = point
        ) -> None:
            # a line, since markers are moved to whole pixels
            short = point[:, None] + np.array([-0.02, 0.02])
            axes.plot(*short, color="red", lw=9, solid_capstyle="round", zorder=9)

        monkeypatch.setattr(stage_plot, "_draw_walls", with_dot)
        stage = build_stage(people, *size)
        redness = (120 - colour_distance(stage.picture, (255, 0, 0))).clip(0)
        rows, columns = np.indices(redness.shape) + 0.5
        drawn = np.array([(redness * columns).sum(), (redness * rows).sum()]) / redness.sum()
        np.testing.assert_allclose(stage.projection.pixels(point), drawn, atol=0.3)


def test_left_and_right_agree_with_the_video() -> None:
    projection = build_stage([world(standing(-2), standing(2))], 720, 720).projection
    left, right = projection.pixels(np.array([[-2.0, 0, 1], [2.0, 0, 1]]))
    assert left[0] + 200 < right[0]


def test_one_person_fills_the_panel() -> None:
    stage = build_stage([world(standing())], 720, 720)
    points = stage.projection.pixels(standing())
    assert np.ptp(points[:, 1]) > 250


def test_all_people_stay_in_the_panel_and_are_not_tiny() -> None:
    walk = [
        standing(x, y) for x, y in zip(np.linspace(-3, 3, 100), np.linspace(0, 4, 100), strict=True)
    ]
    stage = build_stage([world(*walk), world(*[standing(1.0, -1.0)] * 100)], 720, 720)
    points = stage.projection.pixels(np.stack(walk))
    assert points.min() > 0
    assert points.max() < 720
    assert np.ptp(points[..., 1], axis=1).min() > 100


def test_depth_and_scale_go_with_distance() -> None:
    projection = build_stage([world(standing(0, 0), standing(0, 4))], 720, 720).projection
    near, far = np.array([0.0, 0.0, 1.0]), np.array([0.0, 4.0, 1.0])
    assert projection.depth(near) < projection.depth(far)
    assert projection.scale(near) > projection.scale(far)
    turned = np.radians(90 + stage_plot.AZIMUTH_DEG)
    across = np.array([np.cos(turned), np.sin(turned), 0.0]) * 0.01  # across the view
    moved = np.linalg.norm(projection.pixels(near + across) - projection.pixels(near))
    assert moved == pytest.approx(0.01 * projection.scale(near), rel=0.05)
