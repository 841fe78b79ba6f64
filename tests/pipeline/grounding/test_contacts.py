import numpy as np
import pytest

from core.types import Floats
from pipeline.grounding.contacts import ANKLES, Contact, contact_speeds, find_contacts, foot_speeds
from tests.pipeline.grounding.made_people import FPS


def test_skate_is_the_level_speed_of_feet_in_contact() -> None:
    joints = np.zeros((10, 17, 3))
    joints[:, ANKLES[0], 0] = np.arange(10) * 0.01
    joints[:, ANKLES[0], 2] = np.arange(10)
    contacts = np.zeros((10, 2), dtype=bool)
    assert not len(contact_speeds(joints, contacts, FPS))
    contacts[2:8, 0] = True
    assert contact_speeds(joints, contacts, FPS).mean() == pytest.approx(0.3)


def contacts(
    left_speeds: list[float], left_heights: list[float] | None = None
) -> list[tuple[int, int]]:
    """Contacts of the left foot at 30 frames/s, as (start, stop); the right one moves low."""
    frames = len(left_speeds)
    speeds = np.stack([left_speeds, np.full(frames, 2.0)], 1)
    heights = np.zeros((frames, 2))
    heights[:, 0] = left_heights or 0.0
    found = find_contacts(speeds, heights, FPS)
    assert all(contact.foot == 0 for contact in found)
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
    speeds = foot_speeds(ankles, seen, FPS)
    assert find_contacts(speeds, np.zeros((20, 2)), FPS) == [Contact(1, 0, 20)]


def test_speed_in_depth_counts_less_than_speed_across() -> None:
    steps = np.arange(10)[:, None, None] * [1 / FPS]  # 1 m/s
    still = np.tile([[[0.0, 0.0, 5.0]]], (10, 2, 1))
    seen = np.ones((10, 2), dtype=bool)
    across = foot_speeds(still + steps * [0.0, 1.0, 0.0], seen, FPS)
    depth = foot_speeds(still + steps * [0.0, 0.0, 1.0], seen, FPS)
    assert depth.mean() == pytest.approx(0.35)
    assert 0.9 < across.mean() <= 1.0
