"""People who seem to lean, because their region does, and who do."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.skeletons import COCO_17
from core.types import Detections, Frame
from detectors.blazepose.detector import BlazePose
from detectors.blazepose.networks.region import Region
from tests.detectors.blazepose.test_detector import make, read_clip

SHOULDERS = COCO_17.indices(("left_shoulder", "right_shoulder"))
HIPS = COCO_17.indices(("left_hip", "right_hip"))
FRAMES = 12


@pytest.fixture(scope="module")
def both() -> NDArray[np.uint8]:
    """The sample's two people, 75 to 85 px tall."""
    return cv2.resize(
        next(islice(read_clip(), 80, None)), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA
    )


def lean_deg(detections: Detections) -> NDArray[np.float64]:
    """By how much each torso is turned in the picture, from upright to the right."""
    xy = detections.keypoints_xy
    across, down = (xy[:, SHOULDERS].mean(1) - xy[:, HIPS].mean(1)).T
    return np.asarray(np.degrees(np.arctan2(across, -down)))


def turn_regions(detector: BlazePose, turned: Callable[[Region], Region]) -> None:
    """Turn the regions in which people are followed into the next frame."""
    detector._known = [one._replace(region=turned(one.region)) for one in detector._known]


def test_a_small_man_whose_region_was_turned_stands_upright_again(
    both: NDArray[np.uint8],
) -> None:
    detector = make()
    detector.detect(Frame(0, 0.0, both))
    turn = np.radians(80)
    turn_regions(detector, lambda one: replace(one, angle=one.angle + turn))
    found = [detector.detect(Frame(1 + index, 0.0, both)) for index in range(FRAMES)]
    assert abs(lean_deg(found[0])).max() > 45, "he is seen as lying at first"
    assert len(found[-1]) == 2
    assert abs(lean_deg(found[-1])).max() < 20


def test_who_really_leans_stays_so(both: NDArray[np.uint8]) -> None:
    detector = make()
    detector.detect(Frame(0, 0.0, both))
    middle = (both.shape[1] / 2, both.shape[0] / 2)
    to_turned = cv2.getRotationMatrix2D(middle, -70.0, 1.0)  # OpenCV turns the other way
    turned = np.asarray(
        cv2.warpAffine(both, to_turned, both.shape[1::-1], borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )

    def with_picture(region: Region) -> Region:
        x, y = to_turned @ (region.x, region.y, 1)
        return Region(float(x), float(y), region.side, region.angle + np.radians(70))

    turn_regions(detector, with_picture)
    found = [detector.detect(Frame(1 + index, 0.0, turned)) for index in range(FRAMES)]
    assert len(found[-1]) == 2
    assert (abs(lean_deg(found[-1]) - 70) < 20).all()
