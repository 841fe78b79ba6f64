import numpy as np
import pytest

from core.missing import is_missing


@pytest.mark.parametrize(
    "point", [(0, 0), (-0.0, 0), (-1, -1), (-100, -100), (-1.38, -1.38), (np.nan, 3), (3, np.inf)]
)
def test_positions_that_no_picture_has_are_missing(point: tuple[float, float]) -> None:
    assert is_missing(np.array([[point]], np.float32)).tolist() == [[True]]


@pytest.mark.parametrize("point", [(0, 1), (1, 0), (0.25, 0.25), (-3, 4), (-3.5, -2), (500, 500)])
def test_positions_in_a_picture_or_beside_it_are_not(point: tuple[float, float]) -> None:
    assert is_missing(np.array(point)).tolist() is False
