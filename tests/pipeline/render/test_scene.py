import numpy as np

from pipeline.render.scene import find_bounds
from tests.pipeline.render.made_people import standing, world


def test_a_root_lost_for_a_frame_does_not_shrink_the_rest() -> None:
    steady = [standing()] * 100
    lost = world(*steady[:-1], standing(400.0, 900.0))
    np.testing.assert_allclose(find_bounds([lost]).high, find_bounds([world(*steady)]).high)


def test_a_person_of_a_few_frames_counts() -> None:
    bounds = find_bounds([world(*[standing()] * 2000), world(*[standing(5.0)] * 5)])
    assert bounds.high[0] > 5.5
