from pathlib import Path

import numpy as np
import pytest

from core.types import VideoInfo
from pipeline.render.mosaic import HEIGHT, MAX_WIDTH, Mosaic


def info(name: str, width: int, height: int) -> VideoInfo:
    return VideoInfo(Path(f"{name}.mp4"), width, height, 30.0, 100, 0, 3.3)


WIDE, TALL = (1920, 1080), (1080, 1920)


@pytest.mark.parametrize(
    "shapes", [[WIDE, WIDE], [TALL, TALL], [WIDE, TALL], [WIDE] * 3, [TALL] * 4, [WIDE] * 5]
)
def test_views_lie_beside_and_below_each_other(shapes: list[tuple[int, int]]) -> None:
    mosaic = Mosaic([info(str(number), *shape) for number, shape in enumerate(shapes)])
    width, height = mosaic.size
    assert height == HEIGHT
    assert width <= MAX_WIDTH
    shades = [60 + 40 * number for number in range(len(shapes))]
    pictures = [
        np.full((size.height, size.width, 3), shade, np.uint8)
        for size, shade in zip(mosaic.sizes, shades, strict=True)
    ]
    drawn = mosaic.draw(pictures, [[] for _ in shapes])
    assert drawn.shape == (height, width, 3)
    for shape, size, shade in zip(shapes, mosaic.sizes, shades, strict=True):
        assert size.width % 2 == size.height % 2 == 0
        assert size.width / size.height == pytest.approx(shape[0] / shape[1], rel=0.02)
        shown = (drawn == shade).all(-1).sum()
        assert 0.8 < shown / (size.width * size.height) <= 1  # its name hides some of it
    assert (drawn > 0).mean() > 0.45


def test_two_wide_views_are_stacked_and_two_tall_ones_are_not() -> None:
    assert Mosaic([info("a", *WIDE), info("b", *WIDE)]).size == (640, 720)
    assert Mosaic([info("a", *TALL), info("b", *TALL)]).size == (810, 720)


def test_a_view_that_does_not_film_is_black_but_for_its_name() -> None:
    mosaic = Mosaic([info("a", *WIDE), info("b", *WIDE)])
    picture = np.full((mosaic.sizes[0].height, mosaic.sizes[0].width, 3), 200, np.uint8)
    drawn = mosaic.draw([picture, None], [[], []])
    assert (drawn[:360] > 100).mean() > 0.8
    assert 0 < (drawn[360:] > 100).mean() < 0.01
