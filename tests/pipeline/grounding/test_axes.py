import numpy as np
from scipy.spatial.transform import Rotation

from tests.pipeline.grounding.made_people import filmed, ground, marching


def test_x_is_the_cameras_right_and_y_leads_away() -> None:
    truth = marching() @ Rotation.from_euler("z", 30, degrees=True).as_matrix().T
    world = ground([filmed(truth)]).joints[0]
    walked, should = (joints[-1, 0] - joints[0, 0] for joints in (world, truth))
    np.testing.assert_allclose(walked, should, atol=0.2)
