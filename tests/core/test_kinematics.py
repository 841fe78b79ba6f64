"""Rest pose, rotations from joints, and back."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.kinematics import (
    BONES,
    bone_heads,
    bone_rotations,
    rest_pose,
    rigid_joints,
)
from core.rotations import (
    euler_angles,
    from_quaternions,
    from_rotation_vectors,
    quaternions,
    rotation_vectors,
)
from core.skeletons import H36M_17, H36M_21, Skeleton
from core.types import Floats
from testkit.made.moving_people import in_t_pose
from testkit.walker import walking

FPS = 30.0


def axis_turn(axis: str, degrees: float) -> Floats:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turns = {
        "X": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "Y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "Z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }
    return np.array(turns[axis])


def stacked(at: dict[str, Floats], skeleton: Skeleton = H36M_21) -> Floats:
    return np.stack([at[name] for name in skeleton.joints])[None]


def turn_between(a: Floats, b: Floats) -> Floats:
    """The angles (…,) between rotations, degrees."""
    trace = np.trace(np.swapaxes(a, -1, -2) @ b, axis1=-2, axis2=-1)
    return np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))


@pytest.mark.parametrize("skeleton", [H36M_17, H36M_21])
def test_a_person_in_a_t_is_in_the_rest_pose(skeleton: Skeleton) -> None:
    joints = stacked(in_t_pose(), skeleton)
    rotations = bone_rotations(joints, skeleton, FPS)
    np.testing.assert_allclose(rotations, np.tile(np.eye(3), (1, len(BONES), 1, 1)), atol=1e-9)
    rest = rest_pose(joints, skeleton)
    rigid = rigid_joints(rotations, joints[:, 0], rest, skeleton)
    np.testing.assert_allclose(rigid, joints, atol=1e-9)
    heads = dict(zip(BONES, bone_heads(rotations, joints[:, 0], rest)[0], strict=True))
    arm = heads["l_hand"] - heads["l_upper_arm"]
    np.testing.assert_allclose(arm, [0.53, 0, 0], atol=1e-9)
    assert heads["r_toes"][1] == pytest.approx(
        0.0 if "r_toe" in skeleton.joints else 0.005, abs=0.01
    )


def test_rigid_joints_are_solved_for_and_found_again() -> None:
    cam = walking(60)
    world = np.stack([cam[..., 0], -cam[..., 1], -cam[..., 2]], -1)
    rotations = bone_rotations(world, H36M_17, FPS)
    rigid = rigid_joints(rotations, world[:, 0], rest_pose(world, H36M_17), H36M_17)
    np.testing.assert_allclose(rigid, world, atol=1e-6)


def test_a_turned_person_has_turned_rotations() -> None:
    cam = walking(30)
    turn = axis_turn("X", 70) @ axis_turn("Y", 200) @ axis_turn("Z", -100)
    upright = bone_rotations(cam, H36M_17, FPS)
    np.testing.assert_allclose(
        bone_rotations(cam @ turn.T, H36M_17, FPS), turn @ upright, atol=1e-9
    )


@pytest.mark.parametrize("forearm", [(0, 0, 1), (0, 1, 0), (0, -1, 0)])
def test_the_bend_of_an_elbow_twists_the_upper_arm(forearm: tuple[int, int, int]) -> None:
    """In a T, with the forearm forward, up or down: the elbow's axis is square to both."""
    at = in_t_pose()
    at["l_wrist"] = at["l_elbow"] + 0.25 * np.array(forearm)
    rotations = dict(zip(BONES, bone_rotations(stacked(at), H36M_21, FPS)[0], strict=True))
    np.testing.assert_allclose(rotations["l_upper_arm"] @ [1, 0, 0], [1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(rotations["l_forearm"] @ [1, 0, 0], forearm, atol=1e-9)
    hinge = np.cross([1, 0, 0], forearm)  # of an arm at rest it is -y
    np.testing.assert_allclose(rotations["l_upper_arm"] @ [0, -1, 0], hinge, atol=1e-9)
    np.testing.assert_allclose(rotations["l_forearm"] @ [0, -1, 0], hinge, atol=1e-9)


def test_a_knee_turned_out_twists_the_thigh() -> None:
    """Standing on the right leg, the left thigh forward, its shin hanging 40° outwards."""
    at = in_t_pose()
    out = np.radians(40)
    at["l_knee"] = at["l_hip"] + [0, 0, 0.45]
    at["l_ankle"] = at["l_knee"] + 0.47 * np.array([np.sin(out), -np.cos(out), 0])
    rotations = dict(zip(BONES, bone_rotations(stacked(at), H36M_21, FPS)[0], strict=True))
    np.testing.assert_allclose(
        rotations["l_thigh"] @ [1, 0, 0], [np.cos(out), np.sin(out), 0], atol=1e-9
    )


def test_a_foot_turned_out_and_up_is_the_feet_s_own_rotation() -> None:
    at, turn = in_t_pose(), axis_turn("Y", 30) @ axis_turn("X", -20)
    for end in ("heel", "toe"):
        at[f"l_{end}"] = at["l_ankle"] + turn @ (at[f"l_{end}"] - at["l_ankle"])
    rotations = dict(zip(BONES, bone_rotations(stacked(at), H36M_21, FPS)[0], strict=True))
    np.testing.assert_allclose(rotations["l_foot"], turn, atol=1e-9)
    np.testing.assert_allclose(rotations["l_shin"], np.eye(3), atol=1e-9)


def arm_swing(noise_m: float) -> Floats:
    """An arm that goes from the T down, behind, up overhead and back, all but straight: (T, 21, 3)
    with noise of the wrist that bends the elbow either way."""
    frames = 150
    at = {name: np.tile(position, (frames, 1)) for name, position in in_t_pose().items()}
    rise = np.sin(np.linspace(0, 2 * np.pi, frames))[:, None] * np.radians(85)
    forward = np.cos(np.linspace(0, 4 * np.pi, frames))[:, None] * np.radians(50)
    along = np.concatenate(
        [np.cos(rise) * np.cos(forward), np.sin(rise), np.cos(rise) * np.sin(forward)], 1
    )
    at["l_elbow"] = at["l_shoulder"] + 0.28 * along
    noise = np.random.default_rng(1).normal(0, noise_m, (frames, 3))
    at["l_wrist"] = at["l_elbow"] + 0.25 * along + noise
    return np.stack([at[name] for name in H36M_21.joints], 1)


@pytest.mark.parametrize("noise_m", [0.0, 0.01])
def test_a_straight_arm_does_not_flip(noise_m: float) -> None:
    joints = arm_swing(noise_m)
    rotations = bone_rotations(joints, H36M_21, FPS)
    for bone, start, end in (
        ("l_upper_arm", "l_shoulder", "l_elbow"), ("l_forearm", "l_elbow", "l_wrist"),
    ):  # fmt: skip
        along = joints[:, H36M_21.index(end)] - joints[:, H36M_21.index(start)]
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        swung = np.degrees(np.arccos(np.clip((along[1:] * along[:-1]).sum(1), -1, 1)))
        turned = turn_between(rotations[:-1, BONES.index(bone)], rotations[1:, BONES.index(bone)])
        assert (turned - swung).max() < 10


def test_a_knee_that_noise_bends_forward_does_not_turn_round() -> None:
    """A standing leg whose knee is 0 to 3 cm behind its line, as never happens."""
    frames = 40
    at = {name: np.tile(position, (frames, 1)) for name, position in in_t_pose().items()}
    at["l_knee"][:, 2] -= np.abs(np.random.default_rng(0).normal(0, 0.015, frames))
    joints = np.stack([at[name] for name in H36M_21.joints], 1)
    thigh = bone_rotations(joints, H36M_21, FPS)[:, BONES.index("l_thigh")]
    assert turn_between(thigh, np.eye(3)[None]).max() < 15


def test_rotations_give_another_skeleton_the_same_directions() -> None:
    joints = arm_swing(0.0)
    rotations = bone_rotations(joints, H36M_21, FPS)
    other = rest_pose(
        stacked({name: p * [1.3, 0.8, 1.1] for name, p in in_t_pose().items()}), H36M_21
    )
    rigid = rigid_joints(rotations, np.zeros((len(joints), 3)), other, H36M_21)
    for parent, child in (("l_elbow", "l_wrist"), ("r_knee", "r_ankle"), ("spine", "thorax")):
        ends = H36M_21.index(parent), H36M_21.index(child)
        a, b = (points[:, ends[1]] - points[:, ends[0]] for points in (joints, rigid))
        cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        np.testing.assert_allclose(cosine, 1, atol=1e-9)


def test_what_is_missing_is_missing_and_the_rest_is_not() -> None:
    at = in_t_pose()
    at["l_wrist"] = np.full(3, np.nan)
    rotations = bone_rotations(stacked(at), H36M_21, FPS)[0]
    missing = {bone for bone, own in zip(BONES, rotations, strict=True) if np.isnan(own).any()}
    assert missing == {"l_forearm", "l_hand"}


@pytest.mark.parametrize("order", ["ZXY", "XZY", "YXZ", "XYZ", "ZYX", "YZX"])
def test_euler_angles_make_the_rotation_again(order: str) -> None:
    random = from_quaternions(np.random.default_rng(2).normal(size=(50, 3, 4)))
    angles = np.degrees(euler_angles(random, order))
    for rotation, triple in zip(random.reshape(-1, 3, 3), angles.reshape(-1, 3), strict=True):
        made = np.linalg.multi_dot(
            [axis_turn(axis, angle) for axis, angle in zip(order, triple, strict=True)]
        )
        np.testing.assert_allclose(made, rotation, atol=1e-9)


def test_euler_angles_go_on_through_gimbal_lock_beyond_a_half_turn_and_between_parts() -> None:
    turns = np.linspace(0, 500, 200)
    through_lock = np.stack([axis_turn("X", angle) for angle in turns])
    round_and_round = np.stack([axis_turn("Z", angle) for angle in turns])
    rotations = np.stack([through_lock, round_and_round], 1)
    whole = np.degrees(euler_angles(rotations, "ZXY"))
    assert np.abs(np.diff(whole, axis=0)).max() < 3
    np.testing.assert_allclose(whole[:, 0, 1], turns, atol=1e-6)
    np.testing.assert_allclose(whole[:, 1, 0], turns, atol=1e-6)
    first = euler_angles(rotations[:90], "ZXY")
    second = euler_angles(rotations[90:], "ZXY", first[-1])
    np.testing.assert_allclose(np.degrees(np.concatenate([first, second])), whole, atol=1e-9)


def test_quaternions_are_there_and_back_also_of_half_turns() -> None:
    given = np.random.default_rng(3).normal(size=(100, 4))
    given[:30, 0] = 0
    given /= np.linalg.norm(given, axis=1, keepdims=True)
    found = quaternions(from_quaternions(given))
    np.testing.assert_allclose(np.abs((found * given).sum(1)), 1, atol=1e-12)


def test_rotation_vectors_are_scipys_and_come_back_up_to_half_a_turn() -> None:
    axes = np.random.default_rng(0).normal(size=(200, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    vectors = axes * np.r_[0.0, 1e-12, 1e-6, np.pi - 1e-6, np.linspace(0, np.pi, 196)][:, None]
    turns = Rotation.from_rotvec(vectors).as_matrix()
    assert np.allclose(from_rotation_vectors(vectors), turns, atol=1e-12)
    assert np.allclose(from_rotation_vectors(rotation_vectors(turns)), turns, atol=1e-9)
    short = np.linalg.norm(vectors, axis=1) < 3.1
    assert np.allclose(rotation_vectors(turns)[short], vectors[short], atol=1e-9)
