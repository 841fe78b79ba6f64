"""Where Detectron2 is installed: equality with its own predictor on frames of the sample clip."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from core.errors import DetectorError
from core.types import Frame
from detectors.choice import create
from detectors.detectron2 import detector as adapter
from detectors.detectron2.detector import Detectron2, to_detections
from detectors.detectron2.network import read_config
from tests.detectors.detectron2.small_network import library_warns, needs_library, small_network
from weights.store import resolve


def instances(people: int, score: float = 0.5) -> Any:
    """What Detectron2 returns for a picture: fields that are tensors."""
    keypoints = torch.full((people, 17, 3), score)
    return SimpleNamespace(
        pred_boxes=SimpleNamespace(tensor=torch.zeros(people, 4)),
        scores=torch.ones(people),
        pred_keypoints=keypoints,
    )


def test_keypoint_scores_stay_within_0_and_1() -> None:
    found = to_detections(Frame(0, 0.0, np.zeros((4, 4, 3), np.uint8)), instances(1, score=1.35))
    assert (found.keypoint_scores == 1).all()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return small_network(tmp_path_factory.mktemp("detectron2"), 18)


@pytest.fixture(scope="module")
def pictures() -> list[Any]:
    """BGR frames of the sample clip, half a second apart."""
    capture = cv2.VideoCapture(str(resolve("demo-clip")))
    found = []
    for index in range(31):
        picture = capture.read()[1]
        if index % 15 == 0:
            found.append(picture)
    return found


@needs_library
@library_warns
def test_boxes_scores_and_keypoints_are_those_of_default_predictor(
    small: dict[str, Path], pictures: list[Any]
) -> None:
    from detectron2.engine import DefaultPredictor

    settings = read_config(small["config"])
    settings.MODEL.DEVICE, settings.MODEL.WEIGHTS = "cpu", str(small["weights"])
    predictor = DefaultPredictor(settings)
    detector = Detectron2(**small, device="cpu")
    frames = [
        Frame(i, i / 30, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        for i, picture in enumerate(pictures)
    ]
    together = detector.detect_batch(frames)
    for frame, picture, in_batch in zip(frames, pictures, together, strict=True):
        theirs, alone = predictor(picture)["instances"], detector.detect(frame)
        keypoints = theirs.pred_keypoints.numpy()
        assert len(keypoints) >= 3
        assert np.ptp(keypoints[..., 2]) > 0.01, "scores that tell keypoints apart"
        assert (alone.boxes_xyxy[:, 2:] - alone.boxes_xyxy[:, :2] > 20).all(), (
            "boxes that could hold a person"
        )
        for ours in (alone, in_batch):
            np.testing.assert_allclose(ours.boxes_xyxy, theirs.pred_boxes.tensor.numpy(), atol=1e-3)
            np.testing.assert_allclose(ours.box_scores, theirs.scores.numpy(), atol=1e-5)
            np.testing.assert_allclose(ours.keypoints_xy, keypoints[..., :2], atol=1e-3)
            np.testing.assert_allclose(
                ours.keypoint_scores, keypoints[..., 2].clip(0, 1), atol=1e-5
            )


@needs_library
@library_warns
def test_a_gpu_that_is_not_there_is_said(
    small: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {f"d2_{name}": path for name, path in small.items()}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DetectorError, match="--device cuda needs a GPU"):
        create("detectron2", **given, device="cuda")
    with pytest.raises(DetectorError, match="--half needs a GPU"):
        create("detectron2", **given, half=True)


@needs_library
@library_warns
def test_half_precision_does_not_round_keypoints_to_whole_pixels(
    small: dict[str, Path], pictures: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "pick_device", lambda wanted, half: "cpu")
    frame = Frame(0, 0.0, cv2.cvtColor(pictures[0], cv2.COLOR_BGR2RGB))
    whole, half = (Detectron2(**small, half=half).detect(frame) for half in (False, True))
    nearest = np.abs(half.boxes_xyxy[:, None] - whole.boxes_xyxy).sum(-1).argmin(1)
    assert not np.array_equal(half.box_scores, whole.box_scores[nearest]), (
        "it does compute in half precision"
    )
    assert np.median(np.abs(half.keypoints_xy - whole.keypoints_xy[nearest])) < 0.1
