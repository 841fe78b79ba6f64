import numpy as np
import pytest

from core.camera import project
from core.types import Intrinsics
from tests.train.wild.made_people import body, captured
from train.wild.people.body import DRIVERS, Part
from train.wild.people.posing import POINTS, pose

CAMERA = Intrinsics(300.0, 300.0, 128.0, 128.0, "given")


def test_a_picture_shows_the_body_where_its_joints_are_seen() -> None:
    moderngl = pytest.importorskip("moderngl", reason="moderngl (extra `film`) is not installed")
    from train.wild.people.picture import Studio

    try:
        studio = Studio()
    except Exception as error:
        pytest.skip(f"no OpenGL without a screen here: {error}")
    assert moderngl
    red = np.full((4, 4, 4), (255, 0, 0, 255), np.uint8)
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * 0.04
    person = body()
    weights = np.zeros((4, len(DRIVERS)))
    weights[:, list(DRIVERS).index("l_hand")] = 1.0
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    towards_us = np.tile([0.0, 0, 1], (4, 1))
    square = Part(
        corners + person.joints["l_wrist"], towards_us, np.zeros((4, 2)), weights, triangles, red
    )
    matrices, points = pose(person, captured())
    grey = np.full((256, 256, 3), 90, np.uint8)
    with studio.scene([body(square)], grey, CAMERA, np.random.default_rng(0)) as draw:
        for frame in (0, 20):
            picture = draw(matrices[None, frame]).astype(int)
            rows, columns = np.nonzero(picture[..., 0] - picture[..., 1] > 20)
            seen = np.array([columns.mean(), rows.mean()]) + 0.5
            np.testing.assert_allclose(
                seen, project(points[frame, POINTS.index("l_wrist")], CAMERA), atol=2.0
            )
            assert tuple(picture[5, 5]) == (90, 90, 90)
