import numpy as np

from pipeline.grounding.feet.soles import ANKLES
from tests.pipeline.grounding.made_people import (
    KNEES,
    filmed,
    ground,
    marching,
    with_lifter_errors,
)


def test_bones_keep_their_lengths() -> None:
    person = with_lifter_errors(filmed(marching()))
    world = ground([person]).joints[0]
    after, before = (
        np.linalg.norm(joints[:, ANKLES] - joints[:, KNEES], axis=-1)
        for joints in (world, person.joints_m)
    )
    np.testing.assert_allclose(after, before)
