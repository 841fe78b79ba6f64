import numpy as np
import pytest

from core.rotations import bend_two_bones


@pytest.mark.parametrize(("distance", "reached"), [(0.5, 0.5), (3.0, 0.8), (0.01, 0.1)])
def test_two_bones_keep_their_lengths_and_end_as_near_as_they_can(
    distance: float, reached: float
) -> None:
    way = distance * np.array([[0.0, 0.6, -0.8]])
    joint, end = bend_two_bones(0.45, 0.35, way, 0.8, np.array([[1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(end, way / distance * reached, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(joint, axis=-1), 0.45)
    np.testing.assert_allclose(np.linalg.norm(end - joint, axis=-1), 0.35)
    assert joint[0, 0] >= 0
