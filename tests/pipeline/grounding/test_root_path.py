import numpy as np

from pipeline.grounding.feet.soles import ANKLES
from pipeline.grounding.root_path import HeldPath
from tests.pipeline.grounding.made_people import filmed, ground, marching, with_lifter_errors


def test_feet_in_contact_stay_where_they_are_and_on_the_floor() -> None:
    grounded = ground([with_lifter_errors(filmed(marching(), 15.0))])
    feet, contacts = grounded.joints[0][:, ANKLES], grounded.contacts[0][:, ::2]
    assert 0.3 < contacts.mean() < 0.8
    assert grounded.skate.mean() < 0.02, "uncorrected, they slide at 0.5 m/s"
    height = feet[contacts][:, 2]
    assert np.abs(height - 0.08).mean() < 0.005
    assert np.abs(height - 0.08).max() < 0.08, "a leg reaches only so far"
    assert feet[..., 2].min() > 0.02, "no foot is below the floor"


def test_the_path_is_kept() -> None:
    truth = marching()
    world = ground([with_lifter_errors(filmed(truth))]).joints[0]
    off = world[:, 0] - truth[:, 0]
    assert np.linalg.norm((off - off.mean(0))[:, :2], axis=-1).mean() < 0.12


def test_a_live_path_gives_way_to_feet_on_the_ground_and_comes_back() -> None:
    path, elapsed_s = HeldPath(), 1 / 30
    standing, in_the_air = np.array([True, False]), np.zeros(2, bool)
    drift = np.arange(31)[:, None] * [0.01, 0.0, 0.0]  # 0.3 m of errors in a second
    feet = np.array([[2.0, 1.0, 0.0], [2.0, 1.5, 0.3]])
    held = np.stack([feet + by + path.offset(feet + by, standing, elapsed_s) for by in drift])
    assert np.abs(np.diff(held[:, 0, 0])).mean() * 30 < 0.05, "uncorrected, it slides at 0.3 m/s"
    assert np.ptp(held[:, :, 2], axis=0).max() == 0, "heights are the floor's business"
    later = [path.offset(feet + drift[-1], in_the_air, elapsed_s) for _ in range(900)]
    assert abs(later[0][0]) > 0.2
    assert abs(later[-1][0]) < 0.01
    assert np.abs(np.diff([offset[0] for offset in later])).max() < 0.005, "no jump"
