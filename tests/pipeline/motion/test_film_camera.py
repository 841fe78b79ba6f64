import numpy as np
import pytest

from core.rotations import from_quaternions
from core.types import Floats
from pipeline.motion.film_camera import film_camera


def people(frames: int) -> Floats:
    """(T, 21, 3) joints somewhere in front of a camera."""
    return np.random.default_rng(0).normal([0, 0, 5], 0.5, (frames, 21, 3))


def turn(degrees: float) -> Floats:
    """(3, 3) about z."""
    half = np.radians(degrees) / 2
    return np.asarray(from_quaternions(np.array([np.cos(half), 0, 0, np.sin(half)])))


def test_a_camera_that_stands_is_found_though_feet_were_moved() -> None:
    camera, rotation, position = people(80), turn(30), np.array([1.0, -4.0, 1.6])
    world = camera @ rotation.T + position
    world[:, :2] += np.random.default_rng(1).normal(0, 0.01, (80, 2, 3))  # as grounding does
    world[20:30] = np.nan
    found = film_camera(camera, world, np.arange(80) / 30, is_moving=False)
    assert found is not None
    np.testing.assert_allclose(found.rotation, [rotation], atol=0.003)
    np.testing.assert_allclose(found.position, [position], atol=0.02)


def test_a_camera_that_travels_is_found_at_each_time() -> None:
    camera, times = people(120), np.arange(120) / 30
    positions = np.stack([0.2 * times, 0 * times, 1.6 + 0 * times], 1)
    found = film_camera(camera, camera + positions[:, None], times, is_moving=True)
    assert found is not None
    assert found.position.shape == (120, 3)
    inside = slice(20, 100)  # elsewhere half of the neighbours are missing
    np.testing.assert_allclose(found.position[inside], positions[inside], atol=0.04)
    np.testing.assert_allclose(found.rotation[inside], np.eye(3)[None].repeat(80, 0), atol=0.02)


@pytest.mark.parametrize("is_moving", [True, False])
def test_there_is_none_where_nobodys_position_is_known(is_moving: bool) -> None:
    unknown = np.full((5, 21, 3), np.nan)
    assert film_camera(people(5), unknown, np.arange(5) / 30, is_moving) is None
