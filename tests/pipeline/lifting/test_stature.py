import numpy as np
import pytest

from core.camera import project
from core.skeletons import H36M_17
from core.types import CameraPoses, Floats
from lifter.bones import bone_lengths, bone_spans, even_bones, rigid_bones
from pipeline.lifting.stature import likely_height_m, scaled, stature_m
from tests.walker import CAMERA, walking


def trembling() -> Floats:
    rng = np.random.default_rng(0)
    joints = walking() + rng.normal(0, 0.02, (120, 17, 3))
    return np.asarray(joints - joints[:, :1])


def made_rigid(joints: Floats) -> Floats:
    return rigid_bones(joints, bone_lengths(bone_spans(joints)))


def stature(joints: Floats) -> float:
    return stature_m(bone_lengths(bone_spans(joints)))


def lengths(joints: Floats) -> Floats:
    return np.stack(
        [np.linalg.norm(joints[:, a] - joints[:, b], axis=-1) for a, b in H36M_17.bones], 1
    )


def test_rigid_bones_keep_length_direction_and_sides_alike() -> None:
    joints = trembling()
    before = joints.copy()
    rigid = made_rigid(joints)
    assert lengths(joints).std(0).max() > 0.01
    assert lengths(rigid).std(0).max() < 1e-9
    np.testing.assert_allclose(lengths(rigid), lengths(rigid[:, H36M_17.flip_order]), atol=1e-9)
    np.testing.assert_allclose(lengths(rigid).mean(0), lengths(walking()).mean(0), atol=0.02)
    assert np.linalg.norm(rigid - walking(), axis=-1).mean() < 0.06, "nobody takes another pose"
    np.testing.assert_array_equal(joints, before)


def test_rigid_bones_of_a_rigid_body_change_nothing() -> None:
    joints = walking()
    np.testing.assert_allclose(made_rigid(made_rigid(joints)), made_rigid(joints), atol=1e-9)
    np.testing.assert_allclose(made_rigid(joints)[:, 1:7], joints[:, 1:7], atol=1e-9)


def test_evened_bones_vary_half_as_much_around_the_same_median() -> None:
    rng = np.random.default_rng(0)
    joints = walking(50) + rng.normal(0, 0.02, (50, 17, 3))
    before, after = bone_spans(joints)[:, 1:], bone_spans(even_bones(joints))[:, 1:]
    np.testing.assert_allclose(after.std(0), before.std(0) / 2)
    np.testing.assert_allclose(
        bone_lengths(bone_spans(even_bones(joints))), bone_lengths(bone_spans(joints))
    )


def test_unknown_joints_stay_unknown() -> None:
    never = np.full((4, 17, 3), np.nan)
    assert np.isnan(made_rigid(never)).all()
    assert np.isnan(stature(never))
    sometimes = walking()
    sometimes[3] = np.nan
    assert np.isnan(made_rigid(sometimes)[3]).all()
    assert np.isfinite(made_rigid(sometimes)[4:]).all()


def test_a_given_height_makes_people_as_tall_and_leaves_the_picture() -> None:
    poses = CameraPoses(walking(), np.tile([0.5, 0.2, 5.0], (120, 1)), H36M_17)
    grown = scaled(poses, 1.9 / stature(poses.joints_m))
    assert stature(grown.joints_m) == pytest.approx(1.9)
    seen, still_seen = (project(p.joints_m + p.root_m[:, None], CAMERA) for p in (poses, grown))
    np.testing.assert_allclose(still_seen, seen)


def test_a_height_nobody_gave_lies_between_the_lifted_and_the_usual() -> None:
    dwarfed = walking() * 0.7
    assert stature(dwarfed) < likely_height_m(stature(dwarfed)) < 1.7
