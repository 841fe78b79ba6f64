import math

import cv2
import numpy as np
import pytest

from detectors.blazepose.networks.region import Region


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


def test_a_crop_is_cut_out_of_a_frame_of_few_lines() -> None:
    picture = np.full((16, 16384, 3), 200, np.uint8)
    half_row = 16384 / 224 / 2
    crop = Region(8192.0, 8.0 + half_row, 16384.0, 0.0).crop(picture, 224, cv2.BORDER_CONSTANT)
    assert crop[111].max() > 100, "the strip is there"
    assert not crop[:110].any(), "and nothing beside it"


def test_a_region_follows_fast_and_jitters_little() -> None:
    region = Region(100.0, 100.0, 250.0, 0.0)
    still = region.toward(np.array([100.5, 100.0]), np.array([100.5, 0.0]))
    assert 100 < still.x < 100.25
    jumped = region.toward(np.array([150.0, 100.0]), np.array([150.0, 0.0]))
    assert (jumped.x, jumped.side) == (pytest.approx(150), pytest.approx(250))


def test_points_go_into_a_region_and_back() -> None:
    region = Region(620.0, 445.0, 300.0, 0.7)
    points = np.array([[620.0, 445.0], [10.0, 700.0]])
    inside = region.to_region(points)
    assert inside[0] == pytest.approx([0.5, 0.5])
    assert inside @ region.to_frame()[:, :2].T + region.to_frame()[:, 2] == pytest.approx(points)


def test_the_regions_of_boxes_and_keypoints_lie_around_the_body() -> None:
    box = np.array([100.0, 50.0, 200.0, 350.0])
    standing, cut = Region.of_box(box, is_cut=False), Region.of_box(box, is_cut=True)
    assert (standing.x, standing.side) == (150, pytest.approx(420))
    assert 190 < standing.y < 220
    assert cut.y == 350, "the hips are at the picture's border"
    assert cut.y - cut.side / 2 < 0, "and the head is within"
    keypoints = np.full((17, 2), 100.0)
    keypoints[[5, 6]] = [100.0, 60.0]
    keypoints[[15, 16]] = [100.0, 200.0]
    region = Region.of_keypoints(keypoints)
    assert (region.x, region.y, region.angle) == (100, 100, 0)
    assert region.side > 2 * 100, "the feet are within"
