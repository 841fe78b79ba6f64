import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.skeletons import H36M_17
from core.types import CameraPoses
from tests.pipeline.grounding.made_people import filmed, ground, marching, with_lifter_errors


@pytest.mark.parametrize(("pitch", "roll"), [(-10.0, 0.0), (0.0, 0.0), (30.0, 0.0), (10.0, 25.0)])
def test_a_tilted_camera_is_undone(pitch: float, roll: float) -> None:
    lean = Rotation.from_euler("z", roll, degrees=True).as_matrix()
    level = [with_lifter_errors(filmed(marching(), pitch), seed) for seed in range(2)]
    people = [CameraPoses(one.joints_m @ lean.T, one.root_m @ lean.T, H36M_17) for one in level]
    truth = lean @ [0.0, -np.cos(np.radians(pitch)), -np.sin(np.radians(pitch))]
    assert np.degrees(np.arccos(ground(people).up @ truth)) < 5
