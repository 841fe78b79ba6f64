import numpy as np

from pipeline.tracking.online import OnlineTracker
from tests.pipeline.tracking.made_frames import made_frame


def test_two_people_keep_their_numbers_while_frames_are_missed_and_one_is_hidden() -> None:
    tracker, rng, time_s, given = OnlineTracker(None), np.random.default_rng(2), 0.0, []
    while time_s < 6:
        both = [np.array([300 + 60 * time_s, 400.0]), np.array([1200 - 50 * time_s, 420.0])]
        positions = both[:1] if 3 < time_s < 4 else both
        rows = tracker.update(made_frame(0, positions), time_s)
        given.append((time_s, len(positions), rows))
        time_s += rng.uniform(0.03, 0.2)
    assert all(not rows for seconds, _, rows in given if seconds < 0.4), "could be a flicker"
    confirmed = [(count, rows) for seconds, count, rows in given if seconds > 0.8]
    assert all(rows == {1: 0, 2: 1} for count, rows in confirmed if count == 2)
    assert all(rows == {1: 0} for count, rows in confirmed if count == 1)


def test_only_the_person_seen_longest_is_kept_when_one_is_wanted() -> None:
    tracker = OnlineTracker(max_people=1)
    for i in range(60):
        positions = [np.array([300.0, 400]), np.array([1200.0, 420])]
        frame = made_frame(0, positions[:1] if i < 20 else positions[::-1])
        rows = tracker.update(frame, i / 30)
    assert list(rows.values()) == [1], "the first to come, in whatever order they are detected"
