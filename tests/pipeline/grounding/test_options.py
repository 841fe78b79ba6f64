import pytest

from core.errors import UsageError
from pipeline.grounding.options import GroundOptions


def test_a_camera_that_is_neither_static_nor_moving_is_refused() -> None:
    assert GroundOptions().camera == "static"
    with pytest.raises(UsageError, match="`camera` must be one of static, moving, got handheld"):
        GroundOptions(camera="handheld")
