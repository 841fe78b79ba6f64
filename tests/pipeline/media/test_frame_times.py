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


def test_a_varying_rate_is_not_constant() -> None:
    even = np.arange(300) / 30
    assert constant_rate(even, 30.0) == 30
    assert constant_rate(even * 1.001, 30.0) == Fraction(30000, 1001)
    assert constant_rate(np.round(even * 1.001, 3), 30000 / 1001) == Fraction(30000, 1001)
    assert constant_rate(np.delete(even, 100), 30.0) is None
