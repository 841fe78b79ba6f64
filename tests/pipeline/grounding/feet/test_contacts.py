import numpy as np
import pytest

from core.skeletons import H36M_17, H36M_21
from core.types import Floats
from pipeline.grounding.feet.contacts import Contact, contact_speeds, find_contacts
from pipeline.grounding.feet.soles import ANKLES, HEELS_AND_TOES, foot_speeds, soles
from pipeline.grounding.feet.stances import Stance, stances
from tests.pipeline.grounding.made_people import FPS, rolling

ANKLE_SOLES = soles(H36M_17)


def test_skate_is_the_level_speed_of_feet_in_contact() -> None:
    joints = np.zeros((10, 21, 3))
    left = [ANKLES[0], *H36M_21.indices(("l_heel", "l_toe"))]
    joints[:, left, 0] = np.arange(10)[:, None] * [0.01, 0.01, 0.03]
    joints[:, left, 2] = np.arange(10)[:, None]
    contacts = np.zeros((10, 4), dtype=bool)
    assert not len(contact_speeds(joints, contacts, H36M_21, FPS))
    contacts[2:8, :2] = True
    assert contact_speeds(joints, contacts, H36M_21, FPS).mean() == pytest.approx(0.6)
    assert contact_speeds(joints[:, :17], contacts, H36M_17, FPS).mean() == pytest.approx(0.3)


def contacts(
    left_speeds: list[float], left_heights: list[float] | None = None
) -> list[tuple[int, int]]:
    """Contacts of the left foot at 30 frames/s, as (start, stop); the right one moves low."""
    frames = len(left_speeds)
    speeds = np.stack([left_speeds, np.full(frames, 2.0)], 1)
    heights = np.zeros((frames, 2))
    heights[:, 0] = left_heights or 0.0
    found = find_contacts(speeds, heights, FPS, ANKLE_SOLES)
    assert all(contact.point == 0 for contact in found)
    return [(contact.start, contact.stop) for contact in found]


def runs(*pairs: tuple[float, int]) -> list[float]:
    return [value for value, frames in pairs for _ in range(frames)]


def test_a_contact_begins_below_one_speed_and_ends_above_a_higher_one() -> None:
    assert contacts(runs((2.0, 10), (0.5, 5), (0.2, 5), (0.5, 5), (2.0, 10))) == [(10, 25)]
    assert contacts(runs((2.0, 10), (0.5, 15), (2.0, 10))) == []


def test_a_short_gap_is_noise_and_a_long_one_a_step() -> None:
    assert contacts(runs((0.1, 10), (2.0, 2), (0.1, 10))) == [(0, 22)]
    assert contacts(runs((0.1, 10), (2.0, 6), (0.1, 10))) == [(0, 10), (16, 26)]


def test_a_moment_is_no_contact_unless_the_clip_is_one() -> None:
    assert contacts(runs((2.0, 10), (0.1, 2), (2.0, 10))) == []
    assert contacts(runs((0.1, 2))) == [(0, 2)]


def test_a_foot_held_up_or_at_the_top_of_a_jump_is_not_in_contact() -> None:
    assert contacts(runs((0.1, 30)), runs((0.3, 30))) == []
    heights: Floats = 0.1 - 0.1 * (np.abs(np.arange(31) - 15) / 4).clip(0, 1)
    slow_at_the_top = runs((2.0, 13), (0.1, 5), (2.0, 13))
    assert contacts(slow_at_the_top, heights.tolist()) == []
    assert contacts(slow_at_the_top) == [(13, 18)]


def test_an_unseen_foot_is_in_contact_with_nothing() -> None:
    ankles = np.tile([[[0.0, 1.0, 5.0]]], (20, 2, 1))
    seen = np.zeros((20, 2), dtype=bool)
    seen[:, 1] = True
    speeds = foot_speeds(ankles, ankles[:, 0], seen, FPS, ANKLE_SOLES)
    assert find_contacts(speeds, np.zeros((20, 2)), FPS, ANKLE_SOLES) == [Contact(1, 0, 20)]


def test_speed_in_depth_counts_less_than_speed_across() -> None:
    steps = np.arange(10)[:, None, None] * [1 / FPS]  # 1 m/s
    still = np.tile([[[0.0, 0.0, 5.0]]], (10, 2, 1))
    seen = np.ones((10, 2), dtype=bool)
    root = still[:, 0]
    across = foot_speeds(still + steps * [0.0, 1.0, 0.0], root, seen, FPS, ANKLE_SOLES)
    depth = foot_speeds(still + steps * [0.0, 0.0, 1.0], root, seen, FPS, ANKLE_SOLES)
    assert depth.mean() == pytest.approx(0.35)
    assert 0.9 < across.mean() <= 1.0


def test_a_foot_that_turns_about_its_toes_is_in_contact_where_the_body_travels() -> None:
    times = np.arange(20)[:, None] / FPS
    foot = np.array([0.0, 1.0, 5.0]) + times * [0.7, 0.0, 0.0]
    seen = np.ones((20, 4), dtype=bool)
    soles_m = np.repeat(foot[:, None], 4, axis=1)
    standing = foot_speeds(soles_m, np.tile(foot[:1], (20, 1)), seen, FPS, HEELS_AND_TOES)
    walking = foot_speeds(soles_m, foot[:1] + times * [1.3, 0.0, 0.0], seen, FPS, HEELS_AND_TOES)
    carried = foot_speeds(soles_m, foot, seen, FPS, HEELS_AND_TOES)
    assert (standing > HEELS_AND_TOES.leave_m_s).all()
    assert (walking < HEELS_AND_TOES.leave_m_s).all()
    assert (carried > HEELS_AND_TOES.leave_m_s).all(), "as fast as the body: it has left"


def test_stances_have_the_times_at_which_heels_and_toes_come_and_go() -> None:
    contacts = rolling(60)[1]
    left = [stance for stance in stances(contacts, np.arange(60) / 30) if stance.foot == "left"]
    assert left[1] == Stance("left", 1.0, pytest.approx(1.1), pytest.approx(41 / 30), 47 / 30)
    assert left[0].heel_strike_s is None, "the clip begins with the heel on the floor"
    assert left[0].toe_off_s == pytest.approx(17 / 30)


def test_a_stance_ends_where_the_person_is_out_of_view() -> None:
    contacts = np.ones((20, 4), dtype=bool)
    times = np.arange(20) / 30 + 5.0 * (np.arange(20) >= 10)
    nowhen = Stance("left", None, None, None, None)
    assert [one for one in stances(contacts, times) if one.foot == "left"] == [nowhen, nowhen]
    assert stances(contacts[:0], times[:0]) == []


def test_a_stance_of_ankles_is_flat_throughout() -> None:
    contacts = np.zeros((30, 4), dtype=bool)
    contacts[10:20, 2:] = True
    assert stances(contacts, np.arange(30) / 10) == [Stance("right", 1.0, 1.0, None, 2.0)]
