import numpy as np
import pytest

from core.skeletons import H36M_21
from core.types import Floats
from pipeline.grounding.feet.shape import HEELS, TOES, FootShape
from pipeline.grounding.feet.soles import ANKLES
from tests.pipeline.grounding.made_people import (
    FOOT_M,
    Grounded,
    filmed,
    ground,
    rolling,
    with_lifter_errors,
)

SOLES = H36M_21.indices(("l_heel", "l_toe", "r_heel", "r_toe"))


@pytest.fixture(scope="module")
def grounded() -> Grounded:
    return ground([with_lifter_errors(filmed(rolling()[0], 15.0))])


def distances(joints: Floats) -> Floats:
    """(T, 6) metres between ankle, heel and toe of both feet."""
    ankle, heel, toe = (joints[:, points] for points in (ANKLES, HEELS, TOES))
    sides = (ankle - heel, heel - toe, toe - ankle)
    return np.concatenate([np.linalg.norm(side, axis=-1) for side in sides], 1)


def test_planted_heels_and_toes_stay_and_lie_on_the_floor(grounded: Grounded) -> None:
    soles, contacts = grounded.joints[0][:, SOLES], grounded.contacts[0]
    assert 0.3 < contacts.mean() < 0.6
    assert grounded.skate.max() < 1e-3, "before, they slide at 0.5 m/s"
    assert np.abs(soles[contacts][:, 2]).max() < 1e-3


def test_no_foot_is_in_the_floor(grounded: Grounded) -> None:
    assert grounded.joints[0][:, SOLES, 2].min() > -1e-3


def test_a_foot_is_rigid(grounded: Grounded) -> None:
    lengths = distances(grounded.joints[0])
    assert np.ptp(lengths, axis=0).max() < 1e-6
    assert lengths[0] == pytest.approx(distances(rolling(1)[0])[0], abs=0.01)


def test_a_foot_turns_about_its_planted_toe_when_the_heel_leaves(grounded: Grounded) -> None:
    soles, contacts = grounded.joints[0][:, SOLES], grounded.contacts[0]
    on_toe = contacts[:, 1] & ~contacts[:, 0]
    assert on_toe.sum() > 10
    assert (soles[on_toe, 0, 2] >= -1e-6).all(), "the heel is not lower than the toe"
    assert soles[on_toe, 0, 2].max() > 0.08, "it rises"


def test_contacts_are_those_that_were_made(grounded: Grounded) -> None:
    truth, found = rolling()[1], grounded.contacts[0]
    assert 2 * (truth & found).sum() / (truth.sum() + found.sum()) > 0.85


def test_a_shape_is_measured_whatever_way_the_foot_points() -> None:
    shape = FootShape.of(rolling()[0])
    assert shape.heel == pytest.approx(FOOT_M[0])
    assert shape.toe == pytest.approx(FOOT_M[1])


def test_feet_that_cannot_be_told_from_points_do_not_fail() -> None:
    person = filmed(rolling()[0])
    joints = person.joints_m.copy()
    for foot in range(2):  # a lifter that knows nothing of feet
        joints[:, [HEELS[foot], TOES[foot]]] = joints[:, [ANKLES[foot]]]
    poses = type(person)(joints, person.root_m, H36M_21)
    assert np.isfinite(ground([poses]).joints[0]).all()
