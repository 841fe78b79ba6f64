import math

import pytest

from core.errors import UsageError
from pipeline.media.options import ClipOptions


@pytest.mark.parametrize(
    ("start", "end", "fps", "text"),
    [
        (-1.0, None, None, "`start` must not be negative, got -1"),
        (math.nan, None, None, "`start` must be a finite number, got nan"),
        (None, 0.0, None, "`end` must lie behind `start`, got 0"),
        (2.0, 2.0, None, "`end` must lie behind `start`, got 2"),
        (None, None, 0.0, "`fps` must be positive and at most 1000, got 0"),
        (None, None, 1001.0, "`fps` must be positive and at most 1000, got 1001"),
    ],
)
def test_wrong_values_are_refused(
    start: float | None, end: float | None, fps: float | None, text: str
) -> None:
    with pytest.raises(UsageError) as error:
        ClipOptions(start, end, fps)
    assert str(error.value) == text
