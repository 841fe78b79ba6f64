"""What BlazePose's networks are given and what is made of their output."""

import math

import cv2
import numpy as np
import pytest

from detectors.blazepose.networks.graph import without_output
from detectors.blazepose.networks.models import (
    LANDMARK_SIZE,
    LandmarkModel,
    Network,
    anchors,
    decode_boxes,
    refine,
    weighted_suppression,
)
from detectors.blazepose.networks.region import Region
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


def test_whoever_is_painted_out_is_not_seen() -> None:
    """The woman of the sample."""
    capture = cv2.VideoCapture(str(resolve("demo-clip")))
    for _ in range(80):
        capture.grab()
    rgb = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)[430:994, 850:1500].copy()
    model = LandmarkModel(resolve("blazepose-landmark-full"), 1)
    first = model(rgb, Region(280.0, 300.0, 470.0, 0.0))
    woman = model(rgb, first.region)
    assert woman.presence > 0.9
    assert model(rgb, woman.region, [woman]).presence < 0.5, "nobody is left where she was"
