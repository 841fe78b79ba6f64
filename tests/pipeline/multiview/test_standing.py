"""Whether a camera stands still, told from made pictures of a wall."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from core.errors import InputError
from core.types import Frame, Picture
from pipeline.multiview.doubts import check_standing
from pipeline.multiview.standing import Standing

WIDTH, HEIGHT, SECONDS, FPS = 480, 270, 10.0, 10
Path = Callable[[float], tuple[float, float]]
"""Where the picture's corner is on the wall at a time in seconds, px."""


@pytest.fixture(scope="module")
def wall() -> Picture:
    rough = np.random.default_rng(0).integers(0, 256, (100, 200, 3), np.uint8)
    return np.asarray(cv2.resize(rough, (1600, 800), interpolation=cv2.INTER_CUBIC))


def filmed(wall: Picture, corner: Path) -> Standing:
    """What the background says of a wall before which someone in grey walks up and down."""

    def frames() -> Iterator[Frame]:
        noise = np.random.default_rng(1)
        for index in range(int(SECONDS * FPS)):
            time_s = index / FPS
            x, y = (300 + offset for offset in corner(time_s))
            window = np.array([[1.0, 0.0, -x], [0.0, 1.0, -y]])
            rgb = cv2.warpAffine(wall, window, (WIDTH, HEIGHT)).astype(float)
            middle = round(WIDTH * (0.5 + 0.4 * np.sin(time_s)))
            rgb[40:, middle - 60 : middle + 60] = 128
            rgb += noise.normal(0, 4, rgb.shape)
            yield Frame(index, time_s, rgb.clip(0, 255).astype(np.uint8))

    standing = Standing()
    assert len(list(standing.passing(frames()))) == SECONDS * FPS
    return standing


def test_a_camera_that_stands_is_not_doubted(wall: Picture) -> None:
    standing = filmed(wall, lambda _: (0.0, 0.0))
    assert check_standing("left.mp4", standing) == []


@pytest.mark.parametrize(
    "corner",
    [
        pytest.param(lambda t: (8 * t, 0.0), id="turns slowly"),
        pytest.param(lambda t: (90 * t, 0.0), id="turns fast"),
        pytest.param(lambda t: (25 * np.sin(2 * t), 15 * np.cos(t)), id="in the hand"),
    ],
)
def test_a_camera_that_moves_is_refused(wall: Picture, corner: Path) -> None:
    with pytest.raises(InputError, match=r"left\.mp4: its camera moves \(0\.0 to"):
        check_standing("left.mp4", filmed(wall, corner))


def test_a_camera_that_is_taken_up_in_the_end_is_said(wall: Picture) -> None:
    standing = filmed(wall, lambda t: (100 * max(0.0, t - 9), 0.0))
    (doubt,) = check_standing("left.mp4", standing)
    assert "left.mp4: its camera moves from 9." in doubt


def test_nothing_follows_from_a_picture_without_marks() -> None:
    blank = np.zeros((800, 1600, 3), np.uint8)
    assert check_standing("left.mp4", filmed(blank, lambda t: (9 * t, 0.0))) == []
