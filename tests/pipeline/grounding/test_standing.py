"""Whether a camera stands still, told from made pictures of a wall."""

import pathlib
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from core.errors import InputError
from core.types import Frame, Picture
from pipeline.config import PipelineConfig
from pipeline.grounding.standing import Standing
from pipeline.multiview.doubts import check_standing
from pipeline.run import process_video
from testkit.make_video import encode
from testkit.stored.ours import our_poses

WIDTH, HEIGHT, SECONDS, FPS = 480, 270, 10.0, 10
Path = Callable[[float], tuple[float, float]]
"""Where the picture's corner is on the wall at a time in seconds, px."""


@pytest.fixture(scope="module")
def wall() -> Picture:
    rough = np.random.default_rng(0).integers(0, 256, (100, 200, 3), np.uint8)
    return np.asarray(cv2.resize(rough, (1600, 800), interpolation=cv2.INTER_CUBIC))


def pictures(wall: Picture, corner: Path) -> Iterator[Picture]:
    """A wall before which someone in grey walks up and down."""
    noise = np.random.default_rng(1)
    for index in range(int(SECONDS * FPS)):
        time_s = index / FPS
        x, y = (300 + offset for offset in corner(time_s))
        window = np.array([[1.0, 0.0, -x], [0.0, 1.0, -y]])
        rgb = cv2.warpAffine(wall, window, (WIDTH, HEIGHT)).astype(float)
        middle = round(WIDTH * (0.5 + 0.4 * np.sin(time_s)))
        rgb[40:, middle - 60 : middle + 60] = 128
        rgb += noise.normal(0, 4, rgb.shape)
        yield rgb.clip(0, 255).astype(np.uint8)


def filmed(wall: Picture, corner: Path, **options: float) -> Standing:
    """What the background says of these pictures."""
    standing = Standing(**options)
    frames = (Frame(i, i / FPS, rgb) for i, rgb in enumerate(pictures(wall, corner)))
    assert len(list(standing.passing(frames))) == SECONDS * FPS
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


def test_a_look_a_second_is_enough_while_nothing_moves(wall: Picture) -> None:
    standing = filmed(wall, lambda t: (60 * min(max(0.0, t - 6), 1), 0.0), longest_s=1.0)
    assert not standing.is_standing
    ((start, end),) = standing.away_s
    assert 6 <= start <= 7
    assert end == SECONDS - 1 / FPS


def test_a_video_of_a_camera_that_moves_says_so(wall: Picture, tmp_path: pathlib.Path) -> None:
    no_one = our_poses(tmp_path, [[]] * int(SECONDS * FPS), (WIDTH, HEIGHT))
    config = PipelineConfig.from_flat(output=tmp_path, keypoints=no_one, render=False)
    for name, corner, said in (("still", 0.0, False), ("turns", 20.0, True)):
        clip = encode(
            tmp_path / f"{name}.mp4",
            list(pictures(wall, lambda t, speed=corner: (speed * t, 0.0))),
            str(FPS),
        )
        warnings = process_video(clip, config).report.warnings
        assert any("the camera moves (" in line for line in warnings) == said


def test_nothing_follows_from_a_picture_without_marks() -> None:
    blank = np.zeros((800, 1600, 3), np.uint8)
    assert check_standing("left.mp4", filmed(blank, lambda t: (9 * t, 0.0))) == []
