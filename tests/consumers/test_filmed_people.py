"""Bones of people who were filmed: they turn as the people do, and feet on the ground stay."""

import numpy as np

from core.kinematics import BONES, bone_rotations, rigid_joints
from core.skeletons import Skeleton
from core.types import Floats
from pipeline.export.axes import y_up
from pipeline.export.rigs.motion import rigid_people
from pipeline.motion.gait import steps_of_people
from pipeline.results.result import Person, Result

MOST_DEGREES = 40.0
MOST_DRIFT_M = 0.01
TURNS_WITH = {
    "thigh": ("hip", "knee", "ankle"), "shin": ("hip", "knee", "ankle"),
    "upper_arm": ("shoulder", "elbow", "wrist"), "forearm": ("shoulder", "elbow", "wrist"),
}  # fmt: skip


def turns(rotations: Floats) -> Floats:
    """By how many degrees each bone turns from frame to frame: (T - 1, B)."""
    trace = np.trace(np.swapaxes(rotations[:-1], -1, -2) @ rotations[1:], axis1=-2, axis2=-1)
    return np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))


def swings(joints: Floats, skeleton: Skeleton, names: tuple[str, ...]) -> Floats:
    """The most degrees by which one of a chain's bones changes its direction: (T - 1,)."""
    chain = joints[:, skeleton.indices(names)]
    along = np.diff(chain, axis=1)
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    cosine = np.clip((along[1:] * along[:-1]).sum(-1), -1, 1)
    return np.degrees(np.arccos(cosine)).max(1)


def test_no_bone_turns_far_in_a_frame_unless_the_limb_does(filmed: Result) -> None:
    for person in filmed.people:
        joints = y_up(person.joints_world_m.astype(float))
        whole = bone_rotations(joints, filmed.joints, filmed.report.video.fps)
        for index, bone in enumerate(BONES):
            allowed = np.full(len(joints) - 1, MOST_DEGREES)
            side, _, limb = bone.partition("_")
            if limb in TURNS_WITH:
                names = tuple(f"{side}_{joint}" for joint in TURNS_WITH[limb])
                allowed = np.maximum(allowed, 1.5 * swings(joints, filmed.joints, names))
            elif limb in ("hand", "foot", "toes"):
                continue  # hands turn with forearms, feet as their own joints do
            turned = turns(whole[:, [index]])[:, 0]
            assert (turned < allowed).all(), (person.track_id, bone, turned.max())


def test_feet_in_contact_stay_where_they_are(filmed: Result) -> None:
    skeleton = filmed.joints
    feet = ("l_heel", "l_toe", "r_heel", "r_toe")
    if "l_toe" not in skeleton.joints:
        feet = ("l_ankle", "l_ankle", "r_ankle", "r_ankle")
    drifts = []
    for person, rows in zip(rigid_people(filmed)[1], filmed.people, strict=True):
        poses = list(person.poses())
        rotations = np.concatenate([part.rotations for part in poses])
        root = np.concatenate([part.root_m for part in poses])
        rigid = rigid_joints(rotations, root, person.rest, skeleton)
        frames = rows.frame_indices - rows.frame_indices[0]
        for foot, joint in enumerate(feet):
            touching = np.zeros(len(rigid), bool)
            touching[frames] = rows.contacts[:, foot]
            for part in np.split(np.arange(len(rigid)), np.flatnonzero(np.diff(touching)) + 1):
                if touching[part[0]] and len(part) > 2:
                    at = rigid[part, skeleton.index(joint)]
                    drifts.append(float(np.ptp(at, axis=0).max()))
    assert len(drifts) > 8, "people walk"
    assert max(drifts) < MOST_DRIFT_M


def test_steps_of_the_walker_are_those_counted_by_hand(filmed: Result, walker: Person) -> None:
    steps = [step for step in steps_of_people(filmed.table)[walker.track_id] if step.end_s < 5.9]
    strikes = [(step.side, round(30 * step.end_s)) for step in steps]
    counted = [
        ("right", 60), ("left", 78), ("right", 98), ("left", 115), ("right", 134), ("left", 152),
        ("right", 170),
    ]  # fmt: skip
    assert [side for side, _ in strikes] == [side for side, _ in counted]
    assert all(abs(a - b) <= 6 for (_, a), (_, b) in zip(strikes, counted, strict=True))
