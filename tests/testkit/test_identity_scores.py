import numpy as np

from core.types import Floats
from testkit.identity_scores import BoxesByTrack, Truth, score

FRAMES = 20


def boxes_at(left: float) -> Floats:
    """(T, 4) boxes of someone who stands."""
    return np.tile([left, 0.0, left + 40.0, 100.0], (FRAMES, 1))


def truth_of(*lefts: float) -> Truth:
    return Truth(np.stack([boxes_at(left) for left in lefts]), np.ones((len(lefts), FRAMES), bool))


def track_at(left: float, frames: range = range(FRAMES)) -> dict[int, Floats]:
    return {t: boxes_at(left)[t] for t in frames}


def test_people_followed_throughout_score_one() -> None:
    found = score(truth_of(0, 200), {1: track_at(205), 2: track_at(2)})
    assert (found.recall, found.precision, found.idf1) == (1, 1, 1)
    assert (found.switches, found.followed, found.people, found.strays) == (0, 2, 2, 0)


def test_a_missed_person_costs_recall_and_a_track_of_no_one_precision() -> None:
    found = score(truth_of(0, 200), {1: track_at(0), 2: track_at(600)})
    assert (found.recall, found.precision) == (0.5, 0.5)
    assert (found.followed, found.strays) == (1, 1)


def test_a_second_track_on_a_person_is_wrong_but_no_stray() -> None:
    found = score(truth_of(0), {1: track_at(0), 2: track_at(4)})
    assert (found.recall, found.precision, found.strays) == (1, 0.5, 0)


def test_tracks_that_change_people_cost_identities_alone() -> None:
    first, second = range(10), range(10, FRAMES)
    swapped: BoxesByTrack = {
        1: track_at(0, first) | track_at(200, second),
        2: track_at(200, first) | track_at(0, second),
    }
    found = score(truth_of(0, 200), swapped)
    assert (found.recall, found.precision) == (1, 1)
    assert (found.idf1, found.switches, found.followed) == (0.5, 2, 0)


def test_a_track_on_someone_hidden_is_neither_right_nor_wrong() -> None:
    truth = truth_of(0, 200)
    truth.seen[1] = False
    found = score(truth, {1: track_at(0), 2: track_at(200)})
    assert (found.recall, found.precision, found.idf1, found.people) == (1, 1, 1, 1)
    assert found.strays == 0


def test_without_people_only_strays_count() -> None:
    nothing = Truth(np.zeros((0, FRAMES, 4)), np.zeros((0, FRAMES), bool))
    assert score(nothing, {}).strays == 0
    found = score(nothing, {1: track_at(0), 2: track_at(0, range(8))})
    assert (found.precision, found.strays) == (0, 1)
