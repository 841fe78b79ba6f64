"""Where torchvision is installed: equality with its own network on frames of the sample clip."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import detectors.keypointrcnn as adapter
import infer_video
from core.errors import WeightsError
from core.types import Frame
from detectors.choice import create
from detectors.keypointrcnn import KeypointRCNN
from testkit.make_video import moving
from tests.detectors.keypointrcnn.small_weights import (
    library_warns,
    needs_torchvision,
    random_weights,
)
from weights.store import resolve

pytestmark = [needs_torchvision, library_warns]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_weights(tmp_path_factory.mktemp("keypointrcnn") / "random.pth")


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Frames of the sample clip, half a second apart."""
    capture = cv2.VideoCapture(str(resolve("demo-clip")))
    pictures = [capture.read()[1] for _ in range(31)]
    return [
        Frame(i, i / 30, cv2.cvtColor(pictures[i], cv2.COLOR_BGR2RGB)) for i in range(0, 31, 15)
    ]


def made_quick(network: Any) -> Any:
    """The network on small pictures, with few people."""
    network.transform.min_size, network.roi_heads.detections_per_img = (128,), 4
    network.rpn._pre_nms_top_n = network.rpn._post_nms_top_n = {"testing": 100}
    return network


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    load = adapter.load_network
    monkeypatch.setattr(adapter, "load_network", lambda path: made_quick(load(path)))


def their_network(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """torchvision's own, as it is built for COCO_V1, with other values in it."""
    from torchvision.models.detection import (
        KeypointRCNN_ResNet50_FPN_Weights,
        keypointrcnn_resnet50_fpn,
    )

    coco = KeypointRCNN_ResNet50_FPN_Weights.COCO_V1
    monkeypatch.setattr(
        type(coco), "get_state_dict", lambda *_, **__: torch.load(weights, weights_only=True)
    )
    return made_quick(keypointrcnn_resnet50_fpn(weights=coco).eval())


def test_boxes_scores_and_keypoints_are_torchvisions(
    weights: Path, frames: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = their_network(weights, monkeypatch)
    heatmaps: list[torch.Tensor] = []
    theirs.roi_heads.keypoint_predictor.register_forward_hook(
        lambda module, inputs, output: heatmaps.append(output)
    )
    detector = KeypointRCNN(weights, device="cpu")
    together = detector.detect_batch(frames)
    for frame, in_batch in zip(frames, together, strict=True):
        alone = detector.detect(frame)
        with torch.inference_mode():
            wanted = theirs([torch.from_numpy(frame.rgb).permute(2, 0, 1) / 255])[0]
        # Detectron2's score: a softmax over the heatmap, at the peak of the enlarged heatmap.
        maps = heatmaps.pop()
        top = maps.amax((2, 3), keepdim=True)
        scores = (wanted["keypoints_scores"] - top[..., 0, 0]).exp() / (maps - top).exp().sum(
            (2, 3)
        )
        assert len(alone) == 4
        assert float(scores.max() - scores.min()) > 0.01, "scores that tell keypoints apart"
        assert (np.diff(alone.box_scores) <= 0).all()
        for ours in (alone, in_batch):
            np.testing.assert_allclose(ours.boxes_xyxy, wanted["boxes"], atol=1e-2)
            np.testing.assert_allclose(ours.box_scores, wanted["scores"], atol=1e-5)
            np.testing.assert_allclose(ours.keypoints_xy, wanted["keypoints"][..., :2], atol=1e-2)
            np.testing.assert_allclose(ours.keypoint_scores, scores.clip(0, 1), atol=1e-5)
            assert np.isnan(ours.keypoints_3d).all()
            assert ours.frame_index == frame.index


def test_joints_have_the_names_of_the_weights() -> None:
    from torchvision.models.detection import KeypointRCNN_ResNet50_FPN_Weights

    names = tuple(KeypointRCNN_ResNet50_FPN_Weights.COCO_V1.meta["keypoint_names"])
    assert names == KeypointRCNN.skeleton.joints


def test_the_manifest_has_the_weights_that_torchvision_names() -> None:
    from torchvision.models.detection import KeypointRCNN_ResNet50_FPN_Weights

    from weights.store import read_manifest

    entry = read_manifest()[adapter.WEIGHTS]
    assert entry.source == KeypointRCNN_ResNet50_FPN_Weights.COCO_V1.url
    assert entry.sha256 is not None
    assert entry.source.endswith(f"-{entry.sha256}.pth")


def test_a_picture_without_people_is_empty(
    weights: Path, frames: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = KeypointRCNN(weights, device="cpu")
    detector._network.roi_heads.score_thresh = 1.0
    found = detector.detect_batch(frames[:2])
    assert [len(one) for one in found] == [0, 0]


def test_half_precision_does_not_round_keypoints_to_whole_pixels(
    weights: Path, frames: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "pick_device", lambda wanted, half: "cpu")
    whole, half = (KeypointRCNN(weights, half=half).detect(frames[0]) for half in (False, True))
    nearest = np.abs(half.boxes_xyxy[:, None] - whole.boxes_xyxy).sum(-1).argmin(1)
    assert not np.array_equal(half.box_scores, whole.box_scores[nearest]), "computed in half"
    assert np.median(np.abs(half.keypoints_xy - whole.keypoints_xy[nearest])) < 0.5


def test_weights_that_do_not_belong_to_the_network_are_refused(tmp_path: Path) -> None:
    text, other = tmp_path / "text.pth", tmp_path / "other.pth"
    text.write_text("this is no network\n")
    torch.save({"conv.weight": torch.zeros(1)}, other)
    for path in (text, other):
        with pytest.raises(WeightsError, match="not weights of torchvision's") as caught:
            create("keypointrcnn", keypointrcnn_weights=path, device="cpu")
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_clip_goes_through_it(
    weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    clip = moving(tmp_path / "clip.mp4", frames=2)
    words = ["--detector", "keypointrcnn", "--keypointrcnn-weights", str(weights), "--no-render"]
    assert infer_video.main([str(clip), "-o", str(tmp_path / "out"), *words]) == 0
    assert "--detector keypointrcnn runs without a GPU" in capfd.readouterr().err
    report = json.loads((tmp_path / "out" / "clip" / "report.json").read_text())
    assert report["detector"] == {"name": "keypointrcnn", "why": "asked for"}
    assert report["weights"]["detector"]["file"] == weights.name
