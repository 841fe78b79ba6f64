"""People as rigid bones: gaps, parts, feet that stay where they are."""

from pathlib import Path

import numpy as np
import pytest

from core.kinematics import bone_rotations, rigid_joints
from core.skeletons import H36M_17, H36M_21
from core.types import Floats
from pipeline.export.axes import y_up
from pipeline.export.rigs.motion import Poses, RigidPerson, rigid_people
from testkit.made import array_results
from testkit.made.array_results import Actor, array_result
from testkit.made.moving_people import FPS, striding, tumbling


def whole(person: RigidPerson) -> Poses:
    parts = list(person.poses())
    starts = np.cumsum([parts[0].start, *(len(part.root_m) for part in parts)])
    assert [part.start for part in parts] == starts[:-1].tolist(), "without holes"
    rotations = np.concatenate([part.rotations for part in parts])
    return Poses(parts[0].start, rotations, np.concatenate([part.root_m for part in parts]))


def joints_of(person: RigidPerson) -> Floats:
    poses = whole(person)
    return rigid_joints(poses.rotations, poses.root_m, person.rest, H36M_21)


@pytest.mark.parametrize("chunk_rows", [7, 2000])
def test_parts_are_the_same_as_the_whole(
    chunk_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_results, "_CHUNK_ROWS", chunk_rows)
    joints = tumbling(90)
    result = array_result(tmp_path, [Actor(np.arange(90), joints)], np.arange(90) / FPS)
    _, (person,) = rigid_people(result)
    expected = bone_rotations(y_up(joints.astype(np.float32)), H36M_21, FPS)
    np.testing.assert_allclose(whole(person).rotations, expected, atol=1e-6)


def test_who_is_away_moves_evenly_from_the_last_pose_to_the_next(tmp_path: Path) -> None:
    joints = tumbling(100)
    frames = np.concatenate([np.arange(10, 40), np.arange(61, 100)])
    other = Actor(np.arange(100), joints + 3)
    actor = Actor(frames, joints[frames])
    result = array_result(tmp_path, [other, actor], np.arange(100) / FPS)
    _, (_, person) = rigid_people(result)
    poses = whole(person)
    assert (poses.start, len(poses.root_m)) == (10, 90)
    in_gap = slice(30, 51)
    np.testing.assert_allclose(np.diff(poses.root_m[29:52], n=2, axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(poses.rotations[in_gap]), 1, atol=1e-9)
    views = [part.in_view for part in person.poses()]
    assert views.count(False) == 1


def test_a_frame_without_a_pose_is_bridged(tmp_path: Path) -> None:
    joints = tumbling(30)
    joints[12, H36M_21.index("l_knee")] = np.nan
    joints[20, H36M_21.index("l_hip")] = joints[20, H36M_21.index("r_hip")]  # no hips' direction
    result = array_result(tmp_path, [Actor(np.arange(30), joints)], np.arange(30) / FPS)
    _, (person,) = rigid_people(result)
    rotations = whole(person).rotations
    assert len(rotations) == 30
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-6)


def test_feet_on_the_ground_stay_though_lifted_bones_grow_and_shrink(tmp_path: Path) -> None:
    joints, contacts = striding(150, stretch=0.02)
    actor = Actor(np.arange(150), joints, contacts=contacts)
    result = array_result(tmp_path, [actor], np.arange(150) / FPS)
    _, (person,) = rigid_people(result)
    rigid = joints_of(person)
    loose = rigid + (y_up(joints)[:, :1] - rigid[:, :1])  # the pelvis where it was
    drifts, loose_drifts = [], []
    for foot, joint in enumerate(("l_heel", "l_toe", "r_heel", "r_toe")):
        changes = np.flatnonzero(np.diff(contacts[:, foot].astype(int))) + 1
        for frames in np.split(np.arange(150), changes):
            if contacts[frames[0], foot]:
                at = rigid[frames, H36M_21.index(joint)], loose[frames, H36M_21.index(joint)]
                drifts.append(np.ptp(at[0], axis=0).max())
                loose_drifts.append(np.ptp(at[1], axis=0).max())
    assert max(loose_drifts) > 0.02, "else there is nothing to hold"
    assert max(drifts) < 0.01


def test_frames_that_are_not_even_become_so_and_it_is_said(tmp_path: Path) -> None:
    times = np.cumsum(np.where(np.arange(100) % 3 == 0, 0.02, 0.045))
    joints = tumbling(100)
    start = joints[0] * np.ones((100, 1, 1)) + (times - times[0])[:, None, None] * [0.5, 0, 0]
    result = array_result(tmp_path, [Actor(np.arange(100), start)], times)
    grid, (person,) = rigid_people(result)
    assert grid.note
    moved = whole(person).root_m[:, 0]
    np.testing.assert_allclose(np.diff(moved), 0.5 / float(grid.rate), atol=1e-5)


def test_17_joints_have_feet_that_turn_with_their_shins(tmp_path: Path) -> None:
    joints = tumbling(20)[:, :17]
    result = array_result(tmp_path, [Actor(np.arange(20), joints)], np.arange(20) / FPS, H36M_17)
    _, (person,) = rigid_people(result)
    rigid = joints_of(person)
    toe, heel, ankle, knee = (
        rigid[:, H36M_21.index(f"r_{joint}")] for joint in ("toe", "heel", "ankle", "knee")
    )
    np.testing.assert_allclose(((toe - heel) * (knee - ankle)).sum(1), 0, atol=1e-6)
    assert np.linalg.norm(toe[0] - heel[0]) == pytest.approx(0.25, abs=0.06)
