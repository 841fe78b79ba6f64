import numpy as np
import pytest

from pipeline.render.person import PersonInFrame


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="joints_world_m"):
        PersonInFrame(1, np.zeros(4), np.zeros((17, 2)), np.zeros(17), np.zeros((16, 3)))
