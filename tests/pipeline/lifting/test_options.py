import math
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import UsageError
from core.types import VideoInfo
from pipeline.lifting.options import LiftOptions

INFO = VideoInfo(Path("clip.mp4"), 1920, 1080, 30.0, 300, 0, 10.0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"smooth": "hard"}, "`smooth` must be one of none, savgol, one-euro, got hard"),
        ({"fov": 180.0}, "`fov` must lie between 1 and 180 degrees, got 180"),
        ({"focal": 1e-300}, "`focal` must lie between 1 and 100000 px, got 1e-300"),
        ({"focal": 1e308}, "`focal` must lie between 1 and 100000 px, got 1e.308"),
        ({"focal": float("inf")}, "`focal` must be a finite number, got inf"),
        ({"height_m": 30.0}, "`height_m` must lie between 0.3 and 3 metres, got 30"),
        ({"fov": 60.0, "focal": 900.0}, "`fov` and `focal` both say what the lens is: give one"),
    ],
)
def test_wrong_values_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=f"^{message}$"):
        LiftOptions(**values)


def test_the_camera_says_where_its_focal_length_comes_from() -> None:
    given = LiftOptions(focal=900.0).intrinsics(INFO)
    assert (given.fx, given.fy, given.cx, given.cy, given.source) == (900, 900, 960, 540, "given")
    seen = LiftOptions(fov=90.0).intrinsics(INFO)
    assert (seen.fx, seen.source) == (pytest.approx(960 / math.tan(math.pi / 4)), "given")
    assert LiftOptions().intrinsics(INFO).source == "assumed"
    phone = replace(INFO, focal_px=1500.0)
    assert (LiftOptions().intrinsics(phone).fy, LiftOptions().intrinsics(phone).source) == (
        1500, "recorded",
    )  # fmt: skip
    assert LiftOptions(focal=900.0).intrinsics(phone).source == "given"
