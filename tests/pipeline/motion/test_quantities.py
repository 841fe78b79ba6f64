"""How sure a quantity is, against the spread of what errors of that size make of it."""

import numpy as np
import pytest

from core.skeletons import H36M_21
from pipeline.motion.quantities import QUANTITIES
from tests.pipeline.motion.closed_form import posed

_DRAWS = 4000


@pytest.mark.parametrize(
    "name",
    ["l_knee_flexion", "r_hip_flexion", "r_hip_adduction", "l_ankle_dorsiflexion",
     "r_shoulder_flexion", "trunk_rotation", "l_thigh_length", "trunk_flexion"],
)  # fmt: skip
def test_sigma_is_the_spread_that_errors_of_joints_make(name: str) -> None:
    rng = np.random.default_rng(0)
    quantity = QUANTITIES.entries()[name]
    pose = posed(hip=(30, 5), knee=50, ankle=10, shoulder=(40, -20), trunk=(10, 0, 5))
    along_axis = rng.uniform(0.002, 0.008, len(H36M_21))
    errors = rng.normal(size=(_DRAWS, *pose.shape)) * along_axis[:, None]
    sigma = np.quantile(np.linalg.norm(errors, axis=-1), 0.68, axis=0)  # a radius
    drawn = pose + errors
    spread = quantity.values(drawn, H36M_21).std()
    assert quantity.sigma(pose[None], sigma[None], H36M_21)[0] == pytest.approx(spread, rel=0.07)


def test_a_straight_knee_is_no_surer_than_a_bent_one() -> None:
    knee, sigma = QUANTITIES.entries()["r_knee_flexion"], np.full((1, len(H36M_21)), 0.01)
    straight, bent = (knee.sigma(posed(knee=k)[None], sigma, H36M_21)[0] for k in (0, 40))
    assert straight > 0.8 * bent


def test_what_is_not_known_of_a_joint_is_not_known_of_its_quantities() -> None:
    sigma = np.full((1, len(H36M_21)), 0.01)
    sigma[0, H36M_21.index("r_ankle")] = np.nan
    pose = posed()[None]
    entries = QUANTITIES.entries()
    assert np.isnan(entries["r_knee_flexion"].sigma(pose, sigma, H36M_21)).all()
    assert np.isfinite(entries["l_knee_flexion"].sigma(pose, sigma, H36M_21)).all()
