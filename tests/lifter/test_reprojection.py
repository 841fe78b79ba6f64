"""Joints and the picture they were lifted from."""

import numpy as np

from core.skeletons import COCO_17, H36M_17
from core.types import Floats, Intrinsics
from lifter.bones import bone_spans
from lifter.reprojection import fit_keypoints, root_trajectory
from testkit.walker import CAMERA, keypoints, moving_root, sequence_of, walking

LEG = H36M_17.indices(("l_knee", "l_ankle"))


def test_the_root_agrees_with_the_keypoints() -> None:
    joints, root = walking(90), moving_root(90)
    found = root_trajectory(joints, sequence_of(keypoints(joints, root)), CAMERA)
    np.testing.assert_allclose(found, root, atol=0.01)


def test_the_root_is_steady_under_noise_and_through_a_gap() -> None:
    joints, root = walking(90), moving_root(90)
    rng = np.random.default_rng(0)
    points = keypoints(joints, root) + rng.normal(0, 5, (90, 17, 2))
    scores = np.full((90, 17), 0.9)
    scores[40:50] = 0.0
    found = root_trajectory(joints, sequence_of(points, scores), CAMERA)
    off = np.linalg.norm(found - root, axis=1)
    assert off.mean() < 0.06
    assert off[40:50].max() < 0.15
    assert np.linalg.norm(np.diff(found, 2, axis=0), axis=1).max() < 0.02, "no jumps in depth"


def test_a_person_never_seen_has_no_root() -> None:
    blank = sequence_of(np.full((5, 17, 2), np.nan), np.zeros((5, 17)))
    assert np.isnan(root_trajectory(walking(5), blank, Intrinsics(1, 1, 0, 0, "given"))).all()


def errors_m(joints: Floats, root: Floats) -> Floats:
    """(T, 17) metres between joints in camera space and those of `walking` along `moving_root`."""
    truth = walking(len(joints)) + moving_root(len(joints))[:, None]
    return np.asarray(np.linalg.norm(joints + root[:, None] - truth, axis=-1))


def misjudged(frames: int) -> Floats:
    """The walk with a leg lifted 15 cm aside."""
    joints = walking(frames)
    joints[:, LEG] += [0.15, 0.0, 0.0]
    return joints


def test_a_wrongly_lifted_limb_moves_to_its_keypoints() -> None:
    joints, root = misjudged(60), moving_root(60)
    fitted = fit_keypoints(joints, root, sequence_of(keypoints(walking(60), root)), CAMERA)
    before, after = errors_m(joints, root), errors_m(*fitted)
    assert after[:, LEG].mean() < 0.5 * before[:, LEG].mean()
    others = [joint for joint in range(17) if joint not in LEG]
    assert after[:, others].max() < 0.05
    assert (fitted[0][:, 0] == 0).all(), "joints stay relative to the pelvis"


def test_a_right_pose_stays() -> None:
    joints, root = walking(60), moving_root(60)
    fitted = fit_keypoints(joints, root, sequence_of(keypoints(joints, root)), CAMERA)
    assert errors_m(*fitted).max() < 0.005


def test_a_camera_that_is_turned_sees_the_same_body() -> None:
    joints, root, truth = misjudged(60), moving_root(60), walking(60)
    pan = np.radians(25)
    turn = np.array([[np.cos(pan), 0, np.sin(pan)], [0, 1, 0], [-np.sin(pan), 0, np.cos(pan)]])
    straight = fit_keypoints(joints, root, sequence_of(keypoints(truth, root)), CAMERA)
    seen = sequence_of(keypoints(truth @ turn.T, root @ turn.T))
    turned = fit_keypoints(joints @ turn.T, root @ turn.T, seen, CAMERA)
    for one, other in zip(straight, turned, strict=True):
        np.testing.assert_allclose(other, one @ turn.T, atol=1e-3)


def test_bones_keep_their_lengths() -> None:
    joints, root = walking(60), moving_root(60)
    joints[20:30, LEG] = joints[20:30, [H36M_17.index("l_hip")]] + 0.6 * (
        joints[20:30, LEG] - joints[20:30, [H36M_17.index("l_hip")]]
    )  # for ten frames shorter than usual
    spans = [
        bone_spans(lifted)[20:30, LEG].mean()
        for lifted in (
            joints,
            fit_keypoints(joints, root, sequence_of(keypoints(walking(60), root)), CAMERA)[0],
        )
    ]
    assert spans[0] < 0.26
    assert spans[1] > 0.34, "0.42 m are usual"


def test_keypoints_that_jitter_weigh_less_and_do_not_shake_the_figure() -> None:
    joints, root = walking(90), moving_root(90)
    noise = np.random.default_rng(0).normal(0, 10, (90, 17, 2))
    steady = fit_keypoints(misjudged(90), root, sequence_of(keypoints(joints, root)), CAMERA)
    shaken = fit_keypoints(
        misjudged(90), root, sequence_of(keypoints(joints, root) + noise), CAMERA
    )
    assert errors_m(*shaken)[:, LEG].mean() > errors_m(*steady)[:, LEG].mean()
    steps = np.linalg.norm(np.diff(shaken[0] - steady[0], axis=0), axis=-1).mean()
    assert steps < 0.2 * np.linalg.norm(np.diff(noise, axis=0), axis=-1).mean() * 5 / CAMERA.fx


def test_a_keypoint_far_off_is_hardly_followed() -> None:
    joints, root = walking(60), moving_root(60)
    points = keypoints(joints, root)
    points[:, COCO_17.index("left_wrist")] += 300.0  # more than a metre
    assert errors_m(*fit_keypoints(joints, root, sequence_of(points), CAMERA)).max() < 0.1


def test_joints_that_were_not_seen_stay() -> None:
    joints, root = misjudged(60), moving_root(60)
    points = keypoints(walking(60), root)
    for unseen in (points, np.full_like(points, np.nan)):
        found = fit_keypoints(joints, root, sequence_of(unseen, np.zeros((60, 17))), CAMERA)
        np.testing.assert_array_equal(found[0], joints)
        np.testing.assert_array_equal(found[1], root)
    nowhere = np.full((60, 3), np.nan)
    np.testing.assert_array_equal(
        fit_keypoints(joints, nowhere, sequence_of(points), CAMERA)[0], joints
    )
