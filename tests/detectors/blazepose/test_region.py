import math

import cv2
import numpy as np
import pytest

from detectors.blazepose.region import Region


def test_a_region_stands_around_the_hips_and_is_turned_with_the_body() -> None:
    upright = Region.around(np.array([100.0, 200.0]), np.array([100.0, 120.0]))
    assert (upright.x, upright.y, upright.side, upright.angle) == (100, 200, pytest.approx(200), 0)
    lying = Region.around(np.array([100.0, 200.0]), np.array([180.0, 200.0]))
    assert lying.angle == pytest.approx(math.pi / 2)
    head = lying.to_frame() @ [0.5, 0.1, 1]
    assert head == pytest.approx([180, 200]), "up in the crop is to the right in the frame"


@pytest.mark.parametrize("side", [90.0, 400.0, 1500.0])
@pytest.mark.parametrize("angle", [0.0, 0.7, -2.5])
def test_what_lies_in_a_crop_lies_there_in_the_frame(side: float, angle: float) -> None:
    """To a tenth of a crop's pixel, also where the frame is halved first."""
    picture = np.zeros((901, 1203, 3), np.uint8)
    spot = np.array([640.0, 430.0])
    y, x = np.mgrid[:901, :1203] + 0.5
    blob = np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / 2 / (side / 40) ** 2)
    picture[:] = (blob * 255).round()[..., None]
    region = Region(620.0, 445.0, side, angle)
    crop = region.crop(picture, 256, cv2.BORDER_CONSTANT)[..., 0].astype(float)
    rows, columns = np.mgrid[:256, :256] + 0.5
    seen = np.array([(columns * crop).sum(), (rows * crop).sum()]) / crop.sum() / 256
    back = region.to_frame() @ [*seen, 1]
    assert np.linalg.norm(back - spot) < 0.1 * side / 256


def test_a_region_follows_fast_and_jitters_little() -> None:
    region = Region(100.0, 100.0, 250.0, 0.0)
    still = region.toward(np.array([100.5, 100.0]), np.array([100.5, 0.0]))
    assert 100 < still.x < 100.25
    jumped = region.toward(np.array([150.0, 100.0]), np.array([150.0, 0.0]))
    assert (jumped.x, jumped.side) == (pytest.approx(150), pytest.approx(250))
