"""The finder of boxes: its anchors and coding, and people in pictures."""

import math

import cv2
import numpy as np
import pytest

from core.types import Picture
from detectors.blazepose.backend import PERSON_FINDER
from detectors.blazepose.networks.boxes import BoxFinder, anchors, decode, is_cut, suppressed
from detectors.blazepose.networks.region import Region
from weights.store import resolve


@pytest.fixture(scope="module")
def finder() -> BoxFinder:
    return BoxFinder(resolve(PERSON_FINDER), 2)


@pytest.fixture(scope="module")
def frame() -> Picture:
    """The sample's frame 100: a man on a roof, a woman before him."""
    capture = cv2.VideoCapture(str(resolve("demo-clip")))
    for _ in range(100):
        capture.grab()
    rgb: Picture = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)
    return rgb


def test_anchors_are_those_of_six_layers() -> None:
    made = anchors()
    assert made.shape == (1917, 4)
    assert made[0] == pytest.approx([0.5 / 19, 0.5 / 19, 0.1, 0.1])
    assert made[1] == pytest.approx([0.5 / 19, 0.5 / 19, 0.2 * math.sqrt(2), 0.2 / math.sqrt(2)])
    assert made[3, :2] == pytest.approx([1.5 / 19, 0.5 / 19]), "along the row first"
    assert made[1083, 2:] == pytest.approx([0.35, 0.35])
    assert made[-1] == pytest.approx([0.5, 0.5, math.sqrt(0.95), math.sqrt(0.95)])


def test_boxes_are_decoded_around_their_anchor() -> None:
    code = np.array([[10, -5, 5 * math.log(2), 0]])
    assert decode(code, np.array([[0.5, 0.5, 0.2, 0.1]]))[0] == pytest.approx(
        [0.4 - 0.1, 0.6 - 0.1, 0.4 + 0.1, 0.6 + 0.1]
    )


def test_of_boxes_that_overlap_much_the_best_is_kept() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [6, 0, 16, 10]], float)
    assert suppressed(boxes, np.array([0.5, 0.9, 0.6])) == [1, 2]
    assert suppressed(np.empty((0, 4)), np.empty(0)) == []


def test_boxes_lie_around_people(finder: BoxFinder, frame: Picture) -> None:
    found = finder.find(frame, Region(497.0, 497.0, 994.0, 0.0))
    man = [box for box in found if box[3] < 520]
    assert len(man) == 1
    left, top, right, bottom = man[0]
    assert (550 < left < 640, 50 < top < 110, 660 < right < 760, 360 < bottom < 510) == (True,) * 4


@pytest.mark.parametrize(("height", "is_found"), [(60, True), (25, False)])
def test_whose_pose_cannot_be_told_has_no_box(
    finder: BoxFinder, frame: Picture, height: int, is_found: bool
) -> None:
    """The woman, small in a large frame, in a window around her."""
    woman = cv2.resize(frame[450:994, 900:1444], None, fx=height / 390, fy=height / 390)
    large = np.full((1080, 1920, 3), 128, np.uint8)
    large[400 : 400 + len(woman), 800 : 800 + len(woman)] = woman
    middle = 800 + len(woman) / 2, 400 + len(woman) / 2
    found = finder.find(large, Region(*middle, 3.6 * height, 0.0))
    assert bool(len(found)) == is_found


def test_who_is_cut_by_the_window_and_not_by_the_frame_is_left_to_another_window(
    finder: BoxFinder, frame: Picture
) -> None:
    man = Region(650.0, 250.0, 500.0, 0.0)
    assert len(finder.find(frame, man)) == 1
    beside = Region(450.0, 250.0, 500.0, 0.0)
    assert len(finder.find(frame, beside)) == 0
    assert len(finder.find(np.ascontiguousarray(frame[:, :700]), beside)) == 1


def test_a_box_is_cut_at_its_windows_border_inside_the_frame() -> None:
    corner, size = np.array([100.0, 0.0]), np.array([1000.0, 500.0])
    assert not is_cut(np.array([200.0, 0.0, 300.0, 500.0]), corner, 500.0, size)
    assert is_cut(np.array([102.0, 10.0, 300.0, 400.0]), corner, 500.0, size)
    assert is_cut(np.array([200.0, 10.0, 599.0, 400.0]), corner, 500.0, size)
