"""Whose a box, a region or a set of landmarks is."""

from dataclasses import replace

import numpy as np
import pytest

from core.types import Picture
from detectors.blazepose.likeness import (
    box_around,
    is_alone,
    is_in,
    is_known,
    plausibility,
    same_body,
    shared,
    unknown,
)
from detectors.blazepose.networks.models import LANDMARKS, Landmarks
from detectors.blazepose.networks.region import Region

RGB: Picture = np.zeros((480, 640, 3), np.uint8)


def person(x: float, presence: float = 1.0) -> Landmarks:
    """Someone 200 px tall whose hips are at (x, 240)."""
    rng = np.random.default_rng(3)
    xy = np.array([x, 240.0]) + rng.uniform([-40, -100], [40, 100], (LANDMARKS, 2))
    region = Region(x, 240.0, 260.0, 0.0)
    return Landmarks(presence, xy, np.ones(LANDMARKS), np.zeros((LANDMARKS, 3)), region)


def test_a_box_is_that_of_the_person_who_fills_it() -> None:
    left, right = person(150), person(450)
    own = np.array([box_around(one.xy, RGB) for one in (left, right)])
    assert unknown(own, [left, right], RGB) == []
    assert len(unknown(own, [left], RGB)) == 1
    assert len(unknown(own, [], RGB)) == 2


def test_of_two_boxes_on_one_person_the_worse_one_is_somebody_else_s() -> None:
    one = person(200)
    box = box_around(one.xy, RGB)
    beside = box + np.array([40, 0, 40, 0])
    (left,) = unknown(np.stack([beside, box]), [one], RGB)
    assert left == pytest.approx(beside)


def test_bodies_that_share_points_are_tangled_and_less_plausible() -> None:
    a, far = person(150), person(450)
    half = replace(far, xy=np.where(np.arange(LANDMARKS)[:, None] < 16, a.xy, far.xy))
    assert (shared(a, far), same_body(a, far)) == (0, False)
    assert 0.4 < shared(a, half) < 0.6
    assert not same_body(a, half)
    assert same_body(a, person(152))
    assert plausibility(a, far) > plausibility(a, half) > plausibility(a, a)
    assert plausibility(a, far) > plausibility(a, replace(far, presence=0.2))


def test_regions_are_one_person_s_if_place_and_size_agree() -> None:
    one = person(200)
    assert is_known(Region(210.0, 245.0, 300.0, 1.0), [one])
    assert not is_known(Region(300.0, 240.0, 260.0, 0.0), [one])
    assert not is_known(Region(200.0, 240.0, 90.0, 0.0), [one])
    assert is_in(Region(230.0, 240.0, 260.0, 0.0), one)
    assert not is_in(Region(500.0, 240.0, 260.0, 0.0), one)
    assert not is_alone(Region(230.0, 240.0, 260.0, 0.0), [one])
    assert not is_alone(Region(460.0, 240.0, 260.0, 0.0), [one]), "next to them"
    assert is_alone(Region(560.0, 240.0, 260.0, 0.0), [one])
