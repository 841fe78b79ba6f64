import numpy as np

from pipeline.grounding.contacts import ANKLES
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
