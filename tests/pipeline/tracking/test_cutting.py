"""Regions that pass from one person to another, and people who only turn."""

import numpy as np

from core.types import Floats
from pipeline.tracking.tracker import track_people
from tests.pipeline.tracking.made_frames import made_frame

MEET, FRAMES, WALK = 75, 150, 14  # the last in px a frame: half a stature a second


def going_right(t: int) -> Floats:
    return np.array([600.0 + WALK * (t - MEET), 400])


def going_left(t: int) -> Floats:
    return np.array([600.0 - WALK * (t - MEET), 400])


def test_a_region_that_stays_on_the_other_person_where_two_meet_is_given_back() -> None:
    """The region of the one who goes right turns left with the other, who was lost before."""

    def seen(t: int) -> list[Floats]:
        if t < MEET - 20:
            return [going_right(t), going_left(t)]
        if t < MEET:
            return [going_right(t)]
        return [going_left(t)] if t < MEET + 10 else [going_left(t), going_right(t)]

    frames = [made_frame(t, seen(t)) for t in range(FRAMES)]
    tracks = track_people(frames, 30.0)
    assert [(track.frame_indices[0], track.frame_indices[-1]) for track in tracks] == [
        (0, FRAMES - 1)
    ] * 2
    ends = np.array([track.boxes_xyxy[[0, -1]][:, [0, 2]].mean(1) for track in tracks])
    assert np.abs(ends[:, 0] - ends[:, 1]).min() > 1000, "each goes from one side to the other"


def test_who_turns_around_alone_stays_one_person_and_loses_no_frame() -> None:
    def turning(t: int) -> Floats:
        return going_right(t) if t < MEET else going_right(2 * MEET - t)

    frames = [made_frame(t, [turning(t), np.array([4000.0, 400])]) for t in range(FRAMES)]
    assert [len(track) for track in track_people(frames, 30.0)] == [FRAMES, FRAMES]


def test_who_leaps_where_another_comes_at_that_moment_stays_one_person() -> None:
    """Who comes is not who leapt: their own track fits them better."""
    leap, frames = 45, []
    for t in range(85):
        people = [np.array([300.0, 400 + 12 * max(t - leap, 0)])]
        frames.append(made_frame(t, people + [np.array([700.0, 400])] * (t >= leap)))
    assert [len(track) for track in track_people(frames, 30.0)] == [85, 40]
