import numpy as np

from core.skeletons import H36M_17
from core.types import Floats
from lifter.bones import bone_lengths, bone_spans, half_rigid_bones, rigid_bones
from testkit.walker import walking


def jittering() -> Floats:
    rng = np.random.default_rng(0)
    joints = walking() + rng.normal(0, 0.02, (120, 17, 3))
    return np.asarray(joints - joints[:, :1])


def made_rigid(joints: Floats) -> Floats:
    return rigid_bones(joints, bone_lengths(bone_spans(joints)))


def lengths(joints: Floats) -> Floats:
    return np.stack(
        [np.linalg.norm(joints[:, a] - joints[:, b], axis=-1) for a, b in H36M_17.bones], 1
    )


def test_rigid_bones_have_one_length_on_both_sides_and_keep_their_directions() -> None:
    joints = jittering()
    before = joints.copy()
    rigid = made_rigid(joints)
    assert lengths(joints).std(0).max() > 0.01
    assert lengths(rigid).std(0).max() < 1e-9
    np.testing.assert_allclose(lengths(rigid), lengths(rigid[:, H36M_17.flip_order]), atol=1e-9)
    np.testing.assert_allclose(lengths(rigid).mean(0), lengths(walking()).mean(0), atol=0.02)
    assert np.linalg.norm(rigid - walking(), axis=-1).mean() < 0.06, "the pose stays"
    np.testing.assert_array_equal(joints, before)


def test_rigid_bones_of_a_rigid_body_change_nothing() -> None:
    joints = walking()
    np.testing.assert_allclose(made_rigid(made_rigid(joints)), made_rigid(joints), atol=1e-9)
    np.testing.assert_allclose(made_rigid(joints)[:, 1:7], joints[:, 1:7], atol=1e-9)


def test_half_rigid_bones_vary_half_as_much_around_the_same_median() -> None:
    rng = np.random.default_rng(0)
    joints = walking(50) + rng.normal(0, 0.02, (50, 17, 3))
    before, after = bone_spans(joints)[:, 1:], bone_spans(half_rigid_bones(joints))[:, 1:]
    np.testing.assert_allclose(after.std(0), before.std(0) / 2)
    np.testing.assert_allclose(
        bone_lengths(bone_spans(half_rigid_bones(joints))), bone_lengths(bone_spans(joints))
    )


def test_unknown_joints_stay_unknown() -> None:
    never = np.full((4, 17, 3), np.nan)
    assert np.isnan(made_rigid(never)).all()
    assert np.isnan(bone_lengths(bone_spans(never))).all()
    sometimes = walking()
    sometimes[3] = np.nan
    assert np.isnan(made_rigid(sometimes)[3]).all()
    assert np.isfinite(made_rigid(sometimes)[4:]).all()
