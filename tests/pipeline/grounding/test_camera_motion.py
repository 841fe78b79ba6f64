import numpy as np
import pytest

from core.skeletons import H36M_17
from core.types import CameraPoses
from tests.pipeline.grounding.made_people import FPS, filmed, ground, marching


def test_a_travelling_camera_is_undone_when_it_is_said_to_move() -> None:
    truth = marching()
    steady = filmed(truth)
    along = np.outer(np.arange(len(truth)) / FPS, [1.0, 0.0, 0.0])  # keeps beside the walker
    person = CameraPoses(steady.joints_m, steady.root_m - along, H36M_17)
    walked = [ground([person], camera=camera).joints[0][:, 0] for camera in ("static", "moving")]
    distances = [np.linalg.norm(path[-1] - path[0]) for path in walked]
    assert distances[0] < 1.0
    assert distances[1] == pytest.approx(np.linalg.norm(truth[-1, 0] - truth[0, 0]), rel=0.1)


def test_people_seen_together_keep_their_distance_before_a_moving_camera() -> None:
    first, second = filmed(marching()), filmed(marching(aside=2.0))
    later = CameraPoses(second.joints_m[60:], second.root_m[60:], H36M_17)
    indices = [np.arange(150), np.arange(60, 150)]
    one, other = ground([first, later], camera="moving", frames=indices).joints
    between = np.linalg.norm(one[60:, 0, :2] - other[:, 0, :2], axis=-1)
    np.testing.assert_allclose(between, 2.0, atol=0.2)
