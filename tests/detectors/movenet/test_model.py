"""What MoveNet's maps mean, and what the published network sees where it is at hand."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.skeletons import COCO_17
from core.types import Picture
from detectors.blazepose.clearness import COCO, LIMBS
from detectors.blazepose.networks.models import LandmarkModel, Landmarks
from detectors.blazepose.networks.region import Region
from detectors.blazepose.turns import body_size
from detectors.movenet.model import MoveNet, decode
from detectors.movenet.second_look import AGREED, SHARE, SecondLook, region_around
from weights.store import default_cache, resolve


@pytest.fixture(scope="module")
def rgb() -> Picture:
    capture = cv2.VideoCapture(str(resolve("demo-clip")))
    return cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)


@pytest.fixture(scope="module")
def man(rgb: Picture) -> Landmarks:
    return LandmarkModel(resolve("blazepose-landmark-full"), 1)(
        rgb, Region(654.0, 270.0, 522.0, 0.0)
    )


def test_a_keypoint_is_at_the_peak_that_its_persons_centre_expects() -> None:
    count, joint = 64, COCO_17.index("left_wrist")
    heatmaps, centre = np.zeros((count, count, 17)), np.zeros((count, count))
    from_centre, in_cell = np.zeros((count, count, 34)), np.zeros((count, count, 34))
    centre[30, 20], centre[5, 50] = 0.9, 0.5
    from_centre[30, 20, 2 * joint : 2 * joint + 2] = 10, -4  # y, x
    heatmaps[41, 17, joint] = 0.6
    heatmaps[6, 60, joint] = 0.9  # another person's, farther away
    in_cell[41, 17, 2 * joint : 2 * joint + 2] = 0.25, 0.75
    found = decode(heatmaps, centre, from_centre, in_cell)
    assert found.shape == (17, 2)
    assert found[joint] == pytest.approx([17.75 / 64, 41.25 / 64])


def test_it_is_believed_joint_by_joint_where_both_agree(rgb: Picture, man: Landmarks) -> None:
    wrist = COCO_17.index("left_wrist")
    size = body_size(man)
    found = man.xy[COCO] + (0.01 * size, 0.0)
    found[wrist] += (2 * AGREED * size, 0.0)
    shift = SecondLook(lambda *_: found, SHARE)(rgb, man)
    assert np.delete(shift, wrist, 0) == pytest.approx(np.full((16, 2), (0.008, 0.0)), rel=1e-3)
    assert np.linalg.norm(shift[wrist]) < 0.1 * AGREED, "another person's, or another side's"


def test_the_square_holds_a_turned_body() -> None:
    body = np.array([[0.0, -50.0], [10.0, 50.0], [-10.0, 50.0]])
    c, s = np.cos(0.7), np.sin(0.7)
    region = region_around(body @ np.array([[c, s], [-s, c]]) + 300, 0.7)
    assert region.side == pytest.approx(130)
    assert region.to_region(np.array([[300.0, 300.0]]))[0] == pytest.approx([0.5, 0.5])


@pytest.mark.skipif(
    not all((default_cache() / f"movenet_thunder.{end}").exists() for end in ("json", "bin")),
    reason="MoveNet is not here: python -m weights fetch movenet-graph movenet-constants",
)
def test_the_published_network_agrees_with_blazepose(rgb: Picture, man: Landmarks) -> None:
    movenet = MoveNet(resolve("movenet-graph"), resolve("movenet-constants"), 1)
    turned = np.ascontiguousarray(np.rot90(rgb))
    height = np.ptp(man.xy[LIMBS], axis=0).max()
    found = movenet(rgb, region_around(man.xy[COCO], 0.0))
    assert np.median(np.linalg.norm(found - man.xy[COCO], axis=1)) < 0.03 * height
    x, y = man.xy.T
    lying = replace(
        man,
        xy=np.stack([y, rgb.shape[1] - x], 1),
        region=Region(270.0, 1768 - 654.0, 522.0, -np.pi / 2),
    )
    x, y = movenet(turned, region_around(lying.xy[COCO], lying.region.angle)).T
    upright = movenet(rgb, region_around(man.xy[COCO], man.region.angle))
    assert np.stack([rgb.shape[1] - y, x], 1) == pytest.approx(upright, abs=0.03 * height)
