import numpy as np
import pytest

from pipeline.results.measures import (
    RunningMoments,
    largest_mean,
    mean_of_all,
    mean_relative_spread,
)


def moments(*parts: list[float] | list[list[float]]) -> RunningMoments:
    made = RunningMoments()
    for part in parts:
        made.add(np.array(part))
    return made


def test_the_mean_is_over_all_numbers_however_they_come() -> None:
    persons = {1: moments([1.0, 2.0], [3.0]), 2: moments([10.0]), 3: moments([])}
    assert mean_of_all(persons) == 4.0
    assert mean_of_all({}) is None
    assert mean_of_all({1: moments([])}) is None


def test_the_spread_is_relative_to_each_quantity_and_averaged_over_people() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.normal([0.4, 0.2], [0.04, 0.002], (20_000, 2))
    person = RunningMoments()
    for part in np.split(lengths, 4):
        person.add(part)
    assert mean_relative_spread({1: person}) == pytest.approx((0.1 + 0.01) / 2, rel=0.03)
    assert mean_relative_spread({1: person, 2: RunningMoments()}) == mean_relative_spread(
        {1: person}
    )
    assert mean_relative_spread({}) is None


def test_what_is_not_known_counts_for_nothing() -> None:
    made = RunningMoments()
    made.add(np.array([[1.0, 2.0], [np.nan, 4.0], [3.0, 4.0]]))
    assert made.count == 2
    np.testing.assert_array_equal(made.total, [4.0, 6.0])


def test_the_joint_that_is_least_sure_is_that_of_the_largest_mean() -> None:
    two = moments([[0.02, 0.1], [0.04, 0.3]])
    one = moments([[0.4, 0.1]])
    assert largest_mean({1: two}) == pytest.approx(0.2)
    assert largest_mean({1: two, 2: one}) == pytest.approx(0.3)
    assert largest_mean({1: moments([[np.nan, np.nan]])}) is None
