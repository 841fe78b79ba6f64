"""Steps of walks that were counted by hand, and of what is no walk."""

import tarfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core.skeletons import H36M_21
from pipeline.grounding.feet.contacts import contact_mask, find_contacts
from pipeline.grounding.feet.soles import foot_speeds, soles
from pipeline.motion.gait import Step, find_steps, summarise
from pipeline.motion.quantities import AXIS_SHARE
from train.wild.motion.mocap import MOCAP_JOINTS, clip_from_bvh

_MOCAP = Path(__file__).parents[4] / "shared" / "data" / "mocap" / "cmu_bvh.tar.xz"
_FPS = 30.0


def made_walk(step_s: float, length_m: float, sigma_m: float = np.nan) -> list[Step]:
    """The steps of one who walks along x for 6 s; feet rest for 0.6 of a stride."""
    times = np.arange(180) / _FPS
    points, contacts = np.zeros((180, 4, 3)), np.zeros((180, 4), bool)
    for foot in range(2):
        stride = (times / step_s + foot) / 2
        rests = stride % 1 < 0.6
        swung = np.clip((stride % 1 - 0.6) / 0.4, 0, 1)
        points[:, foot, 0] = 2 * length_m * (np.floor(stride) + swung) - foot * length_m
        contacts[:, 2 * foot] = contacts[:, 2 * foot + 1] = rests
    points[:, 2:, 0] = (points[:, :2, 0].mean(1))[:, None]
    points[:, 2:, 1] = [0.1, -0.1]  # the hips face along x
    return find_steps(1, times, points, np.full((180, 4), sigma_m), contacts)


def test_a_walk_of_known_steps_is_measured() -> None:
    steps = made_walk(0.5, 0.7, sigma_m=0.02)
    assert {(one.side, other.side) for one, other in pairwise(steps)} == {
        ("left", "right"), ("right", "left"),
    }  # fmt: skip
    gait = summarise(steps)
    assert gait.cadence_per_min == pytest.approx(120, abs=1)
    assert gait.step_length_m == pytest.approx(0.7, abs=0.02)
    assert gait.step_length_sigma_m == pytest.approx(AXIS_SHARE * 0.02 * 2**0.5, abs=1e-3)
    # two instants that are known to a frame, over all steps
    assert gait.step_time_sigma_s == pytest.approx(1 / _FPS / 6**0.5 / len(steps), abs=1e-4)


def test_sigma_of_a_length_is_unknown_where_that_of_feet_is() -> None:
    assert summarise(made_walk(0.5, 0.7)).step_length_sigma_m is None


def test_jumps_and_steps_on_the_spot_are_no_steps() -> None:
    times = np.arange(90) / _FPS
    lands = np.repeat((np.arange(90) % 20 < 8)[:, None], 4, axis=1)  # both feet at once
    astride = np.tile([[0.3, 0, 0], [-0.3, 0, 0], [0, 0.1, 0], [0, -0.1, 0]], (90, 1, 1))
    assert find_steps(1, times, astride, np.zeros((90, 4)), lands) == []
    assert made_walk(0.5, 0.05) == []
    assert summarise([]).cadence_per_min is None


def test_steps_of_captured_walking_are_those_counted_by_hand() -> None:
    if not _MOCAP.exists():
        pytest.skip("no motion capture in ../shared/data")
    with tarfile.open(_MOCAP) as archive:
        member = archive.extractfile("cmu/07_01.bvh")
        assert member is not None
        clip = clip_from_bvh(member.read().decode(), "07_01")
    joints = clip.joints_m[:, [MOCAP_JOINTS.index(name) for name in H36M_21.joints]]
    feet = soles(H36M_21)
    in_camera = joints[..., [0, 2, 1]] * [1, -1, 1]
    in_camera += [0, 0, 6] - in_camera[:, :1].mean(0)
    seen = np.ones((len(joints), 4), bool)
    speeds = foot_speeds(in_camera[:, feet.joints], in_camera[:, 0], seen, clip.fps, feet)
    found = find_contacts(speeds, joints[:, feet.joints, 2], clip.fps, feet)
    points = joints[:, H36M_21.indices(("l_heel", "r_heel", "l_hip", "r_hip"))]
    contacts = feet.four(contact_mask(found, len(joints), feet))
    sigma = np.full((len(joints), 4), np.nan)
    steps = find_steps(1, np.arange(len(joints)) / clip.fps, points, sigma, contacts)
    # heels come to rest at 0.45 (left), 1.00, 1.55 and 2.08 s, 0.7 to 0.8 m apart
    assert [(step.side, round(step.end_s, 1)) for step in steps] == [
        ("right", 1.0), ("left", 1.6), ("right", 2.1),
    ]  # fmt: skip
    assert all(0.65 < step.length_m < 0.85 for step in steps)
