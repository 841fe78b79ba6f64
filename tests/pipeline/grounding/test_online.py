from collections.abc import Iterator

import numpy as np
import pytest

from core.skeletons import H36M_17, H36M_21
from core.types import CameraPoses
from pipeline.grounding.feet.contacts import contact_speeds
from pipeline.grounding.feet.soles import ANKLES
from pipeline.grounding.online import OnlineWorld
from testkit.walker import walking
from tests.pipeline.grounding.made_people import filmed, rolling


def walker(seconds: float, level_m: float, tilt_rad: float) -> Iterator[tuple[float, CameraPoses]]:
    """Times and poses of a person who walks `level_m` above the floor.

    The floor is 1.5 m below a camera that is tilted down.
    """
    frames = int(30 * seconds)
    joints = walking(frames)
    ankles = joints[:, ANKLES, 1].max(1)
    root = np.stack(
        [np.linspace(-1, 1, frames), 1.5 - level_m - 0.08 - ankles, np.full(frames, 5.0)], 1
    )
    cos, sin = np.cos(tilt_rad), np.sin(tilt_rad)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    for t in range(frames):
        yield t / 30, CameraPoses((joints[t] @ turn.T)[None], (root[t] @ turn.T)[None], H36M_17)


@pytest.mark.parametrize("tilt_deg", [0.0, -12.0])
def test_up_and_floor_are_learned_on_the_way(tilt_deg: float) -> None:
    world, scores = OnlineWorld(), np.full(17, 0.9)
    low, high = walker(8, 0.0, np.radians(tilt_deg)), walker(8, 1.7, np.radians(tilt_deg))
    for (time_s, below), (_, above) in zip(low, high, strict=True):
        joints = world.update(time_s, {1: (below, scores), 2: (above, scores)})
        if learn := world.learn():
            learn()
    standing, raised = (joints[track_id].joints_m for track_id in (1, 2))
    upright = standing[H36M_17.index("head_top")] - standing[0]
    assert upright[2] / np.linalg.norm(upright) > 0.99
    assert standing[:, 2].min() == pytest.approx(0.08, abs=0.06)
    assert raised[:, 2].min() == pytest.approx(1.78, abs=0.25), "a roof is a roof"


def test_a_person_whose_position_is_unknown_is_nan() -> None:
    nowhere = CameraPoses(walking(1), np.full((1, 3), np.nan), H36M_17)
    assert np.isnan(OnlineWorld().update(0.0, {1: (nowhere, np.zeros(17))})[1].joints_m).all()


def test_live_heels_and_toes_have_contacts_rest_and_are_never_in_the_floor() -> None:
    truth, contacts = rolling()
    person = filmed(truth, 5.0)
    world, scores = OnlineWorld(), np.full(21, 0.9)
    found = []
    for t in range(len(truth)):
        pose = CameraPoses(person.joints_m[t : t + 1], person.root_m[t : t + 1], H36M_21)
        found.append(world.update(t / 30, {1: (pose, scores)})[1])
        if learn := world.learn():
            learn()
    joints = np.stack([one.joints_m for one in found])[30:]
    live, contacts = np.stack([one.contacts for one in found])[30:], contacts[30:]
    assert 2 * (live & contacts).sum() / (live.sum() + contacts.sum()) > 0.8
    assert contact_speeds(joints, live & contacts, H36M_21, 30.0).mean() < 0.05
    soles = joints[:, H36M_21.indices(("l_heel", "l_toe", "r_heel", "r_toe")), 2]
    assert soles.min() > -0.01
    assert soles[live & contacts].mean() < 0.02
