from fractions import Fraction

import numpy as np
import pytest

from pipeline.media.frame_times import MonotonicClock, constant_rate


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([0.0, 0.1, 0.1, 0.2], [0.0, 0.1, 0.15, 0.2]),  # repeated
        ([0.0, 0.2, 0.1, 0.3], [0.0, 0.2, 0.25, 0.3]),  # out of order
        ([-0.2, 0.1, 0.2], [0.0, 0.1, 0.2]),  # negative
        ([0.0, 0.0, 0.0], [0.0, 0.1, 0.2]),  # none at all
        ([5.0, 5.1, 0.02, 0.12], [5.0, 5.1, 5.2, 5.3]),  # restarted
        ([0.0, float("nan"), 0.2], [0.0, 0.1, 0.2]),
    ],
)
def test_bad_times_become_increasing(stamps: list[float], times: list[float]) -> None:
    clock = MonotonicClock(fps=10)
    np.testing.assert_allclose([clock.time_s(stamp) for stamp in stamps], times)


def test_a_clock_that_leaps_ahead_goes_on_where_that_is_no_pause() -> None:
    stamps = [0.0, 0.1, 3600.0, 3600.1]
    paused, joined = MonotonicClock(fps=10), MonotonicClock(fps=10, max_leap_s=10.0)
    np.testing.assert_allclose([paused.time_s(stamp) for stamp in stamps], stamps)
    np.testing.assert_allclose([joined.time_s(stamp) for stamp in stamps], [0, 0.1, 0.2, 0.3])


def test_a_varying_rate_is_not_constant() -> None:
    even = np.arange(300) / 30
    assert constant_rate(even, 30.0) == 30
    assert constant_rate(even * 1.001, 30.0) == Fraction(30000, 1001)
    assert constant_rate(np.round(even * 1.001, 3), 30000 / 1001) == Fraction(30000, 1001)
    assert constant_rate(np.delete(even, 100), 30.0) is None
