import numpy as np
import pytest

from core.skeletons import H36M_17
from pipeline.render.person import PersonInFrame


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="joints_world_m"):
        PersonInFrame(
            1,
            np.zeros(4),
            np.zeros((21, 2)),
            np.zeros(21),
            np.zeros((16, 3)),
            np.zeros(17),
            H36M_17,
        )
