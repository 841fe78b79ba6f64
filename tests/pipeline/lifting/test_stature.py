import numpy as np
import pytest

from core.camera import project
from core.skeletons import H36M_17
from core.types import CameraPoses, Floats
from lifter.bones import bone_lengths, bone_spans
from pipeline.lifting.stature import likely_height_m, scaled, stature_m
from testkit.walker import CAMERA, walking


def stature(joints: Floats) -> float:
    return stature_m(bone_lengths(bone_spans(joints)))


def test_a_person_never_seen_has_no_stature() -> None:
    assert np.isnan(stature(np.full((4, 17, 3), np.nan)))


def test_a_given_height_makes_people_as_tall_and_leaves_the_picture() -> None:
    poses = CameraPoses(walking(), np.tile([0.5, 0.2, 5.0], (120, 1)), H36M_17)
    grown = scaled(poses, 1.9 / stature(poses.joints_m))
    assert stature(grown.joints_m) == pytest.approx(1.9)
    seen, still_seen = (project(p.joints_m + p.root_m[:, None], CAMERA) for p in (poses, grown))
    np.testing.assert_allclose(still_seen, seen)


def test_a_height_that_is_not_given_lies_between_the_lifted_and_the_usual() -> None:
    small = walking() * 0.7
    assert stature(small) < likely_height_m(stature(small)) < 1.7
