"""The parts of BlazePose that can be checked against what they should compute."""

import math
from itertools import pairwise

import cv2
import numpy as np
import pytest

from detectors.blazepose import search_windows
from detectors.blazepose_models import (
    LANDMARK_SIZE,
    LandmarkModel,
    Network,
    Region,
    anchors,
    decode_boxes,
    refine,
    weighted_suppression,
    without_output,
)
from weights.store import resolve


def test_anchors_are_cell_middles_of_five_layers() -> None:
    centres = anchors()
    assert centres.shape == (2254, 2)
    assert centres[0] == pytest.approx([4 / 224, 4 / 224])
    assert centres[2] == pytest.approx([12 / 224, 4 / 224]), (
        "two at each place, along the row first"
    )
    assert centres[-1] == pytest.approx([208 / 224, 208 / 224])


def test_boxes_are_decoded_around_their_anchor() -> None:
    raw = np.array([[0, 0, 112, 56, 22.4, -22.4, *[0] * 6]])
    assert decode_boxes(raw, np.array([[0.5, 0.25]]))[0, :6] == pytest.approx(
        [0.25, 0.125, 0.75, 0.375, 0.6, 0.15]
    )


def test_overlapping_boxes_are_averaged_by_score_and_others_kept() -> None:
    boxes = np.array([[0, 0, 10, 10, 1], [20, 0, 30, 10, 5], [2, 0, 12, 10, 4]], float)
    merged = weighted_suppression(boxes, np.array([0.5, 0.9, 0.25]))
    assert merged.tolist() == [[20, 0, 30, 10, 5], pytest.approx([2 / 3, 0, 10 + 2 / 3, 10, 2])]
    assert weighted_suppression(np.empty((0, 12)), np.empty(0)).shape == (0, 12)


@pytest.mark.parametrize(
    ("width", "height", "squares"),
    [(1768, 994, 3), (994, 1768, 3), (500, 500, 0), (501, 500, 2), (3000, 1000, 5)],
)
def test_windows_cover_the_frame_at_half_overlap_or_more(
    width: int, height: int, squares: int
) -> None:
    *rest, whole = search_windows(width, height)
    assert (whole.x, whole.y, whole.side) == (width / 2, height / 2, max(width, height))
    assert len(rest) == squares
    along = [(window.x if width > height else window.y) for window in rest]
    assert all(window.side == min(width, height) for window in rest)
    assert all(b - a <= min(width, height) / 2 for a, b in pairwise(along))
    if rest:
        assert along[0] - rest[0].side / 2 == 0
        assert along[-1] + rest[0].side / 2 == max(width, height)


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


def test_a_region_follows_fast_and_trembles_little() -> None:
    region = Region(100.0, 100.0, 250.0, 0.0)
    still = region.toward(np.array([100.5, 100.0]), np.array([100.5, 0.0]))
    assert 100 < still.x < 100.25
    jumped = region.toward(np.array([150.0, 100.0]), np.array([150.0, 0.0]))
    assert (jumped.x, jumped.side) == (pytest.approx(150), pytest.approx(250))


def test_points_move_to_a_sure_peak_nearby_and_stay_otherwise() -> None:
    heatmap = np.full((64, 64, 3), -20.0)
    heatmap[20, 33, 0] = 5.0  # within reach of the first point
    heatmap[20, 33, 1] = -1.0  # unsure
    heatmap[0, 0, 2] = 5.0
    points = np.array([[32.5, 21.5], [32.5, 21.5], [-3.0, 70.0]]) / 64
    moved = refine(points, heatmap)
    assert moved[0] == pytest.approx([33 / 64, 20 / 64], abs=1e-3)
    assert np.array_equal(moved[1:], points[1:]), "a point outside the crop stays, too"


def test_the_landmark_model_gives_the_same_without_its_mask() -> None:
    content = resolve("blazepose-landmark-full").read_bytes()
    picture = np.random.default_rng(0).random(
        (1, LANDMARK_SIZE, LANDMARK_SIZE, 3), dtype=np.float32
    )
    whole = Network(content, 1)(picture)
    cut = Network(without_output(content, 2), 1)(picture)
    assert [output.shape for output in cut] == [(1, 195), (1, 1), (1, 64, 64, 39), (1, 117)]
    for a, b in zip(whole[:2] + whole[3:], cut, strict=True):
        assert np.allclose(a, b, rtol=1e-4, atol=1e-4)


def test_a_turned_picture_gives_turned_points_in_pixels_and_metres() -> None:
    capture = cv2.VideoCapture(str(resolve("demo-clip")))
    rgb = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)
    model = LandmarkModel(resolve("blazepose-landmark-full"), 1)
    person = model(rgb, Region(654.0, 270.0, 522.0, 0.0))
    turned = model(
        np.ascontiguousarray(np.rot90(rgb)), Region(270.0, 1768 - 654.0, 522.0, -math.pi / 2)
    )
    assert person.presence > 0.9
    x, y = turned.xy.T
    assert np.stack([1768 - y, x], axis=1) == pytest.approx(person.xy, abs=1)
    x, y, z = turned.metres.T
    assert np.stack([-y, x, z], axis=1) == pytest.approx(person.metres, abs=0.01)
