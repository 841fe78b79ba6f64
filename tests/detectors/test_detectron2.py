"""Detectron2: what is said without it, what `auto` makes of it, and, where it is installed, equality with its own
predictor on frames of the sample clip."""

import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import infer_video
from core.errors import DetectorError, UsageError, WeightsError
from core.skeletons import COCO_17
from core.types import Detections, Frame
from detectors import detectron2 as adapter
from detectors.base import choose, create, detect_all
from pipeline.config import PipelineConfig
from tests.make_video import moving
from weights.store import resolve

needs_library = pytest.mark.skipif(
    find_spec("detectron2") is None, reason="Detectron2 is not installed here"
)
library_warns = pytest.mark.filterwarnings(
    "default"
)  # the library's own warnings are not ours to mend

NOT_THERE = "raise ModuleNotFoundError(\"No module named 'detectron2'\")"
BUILT_FOR_ANOTHER_TORCH = "raise RuntimeError('operator torchvision::nms does not exist')"


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, source: str) -> None:
    """Let `import detectron2` run `source`."""
    (folder / "detectron2.py").write_text(source)
    for name in [name for name in sys.modules if name.partition(".")[0] == "detectron2"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(folder))


# --- without the library ---


@pytest.mark.parametrize(
    ("source", "reason"),
    [(NOT_THERE, "not installed"), (BUILT_FOR_ANOTHER_TORCH, "torchvision::nms does not exist")],
)
def test_one_line_says_what_is_wrong_with_the_library_and_how_to_install_it(
    source: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    pretend(monkeypatch, tmp_path, source)
    clips = [str(moving(tmp_path / f"{i}.mp4", frames=2)) for i in range(2)]
    assert infer_video.main([*clips, "-o", str(tmp_path / "out"), "--detector", "detectron2"]) == 1
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("failed:")]
    assert len(lines) == 1, "not one for every clip"
    assert reason in lines[0]
    assert (
        "pip install --no-build-isolation 'git+https://github.com/facebookresearch/detectron2'"
        in lines[0]
    )
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"detector": "blazepose", "d2_model": "R-101-FPN"},
            "--d2-model is for --detector detectron2",
        ),
        ({"detector": "blazepose", "half": True}, "--half is for --detector detectron2"),
        (
            {"detector": "detectron2", "d2_model": "R-18"},
            "--d2-model must be one of R-50-FPN, R-101-FPN, X-101-FPN",
        ),
        ({"detector": "detectron2", "d2_config": Path("a.yaml")}, "--d2-config needs --d2-weights"),
        (
            {
                "detector": "auto",
                "d2_config": Path("a.yaml"),
                "d2_weights": Path("a.pth"),
                "d2_model": "R-50-FPN",
            },
            "--d2-config and --d2-model",
        ),
        ({"detector": "detectron2", "half": True, "device": "cpu"}, "--half is for a GPU"),
    ],
)
def test_contradictions_name_the_flag(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        PipelineConfig(**settings)


@pytest.mark.parametrize(
    ("installed", "gpu", "weights", "device", "name", "why"),
    [
        (False, True, True, "auto", "blazepose", "Detectron2 is not installed"),
        (True, False, True, "auto", "blazepose", "torch sees no GPU"),
        (True, True, True, "cpu", "blazepose", "--device cpu"),
        (True, True, False, "auto", "blazepose", "weights are not at"),
        (True, True, True, "auto", "detectron2", "there is a GPU"),
    ],
)
def test_auto_takes_detectron2_where_library_weights_and_gpu_are_there(
    installed: bool, gpu: bool, weights: bool, device: str, name: str, why: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(adapter, "find_spec", lambda _: object() if installed else None)
    monkeypatch.setattr(adapter, "require_library", lambda: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    file = tmp_path / "weights.pth"
    if weights:
        file.touch()
    choice = choose("auto", weights=file, device=device)
    assert choice.name == name
    assert why in choice.why


def test_auto_passes_over_a_library_that_cannot_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, tmp_path, BUILT_FOR_ANOTHER_TORCH)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    choice = choose("auto")
    assert choice.name == "blazepose"
    assert "torchvision::nms does not exist" in choice.why


def test_auto_says_what_it_took_on_the_terminal_and_in_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(adapter, "find_spec", lambda _: None)
    clip = moving(tmp_path / "clip.mp4", frames=2)
    assert (
        infer_video.main([str(clip), "-o", str(tmp_path), "--detector", "auto", "--no-render"]) == 0
    )
    said = "warning: --detector auto takes blazepose: Detectron2 is not installed ["
    assert capfd.readouterr().err.count(said) == 1
    report = json.loads((tmp_path / "clip" / "report.json").read_text())
    assert report["detector"] == {"name": "blazepose", "why": "Detectron2 is not installed"}
    assert report["config"]["detector"] == "auto"


def test_a_detector_that_likes_batches_gets_them_and_frames_stay_in_order() -> None:
    sizes = []

    class Batches:
        skeleton = COCO_17
        batch_size = 4

        def detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
            sizes.append(len(frames))
            return [adapter.to_detections(frame, instances(frame.index % 2)) for frame in frames]

        def detect(self, frame: Frame) -> Detections:
            return self.detect_batch([frame])[0]

        def reset(self) -> None: ...

        def close(self) -> None: ...

    frames = [Frame(index, index / 25, np.zeros((4, 4, 3), np.uint8)) for index in range(10)]
    seen = list(detect_all(Batches(), iter(frames)))
    assert sizes == [4, 4, 2]
    assert [(frame.index, found.frame_index, len(found)) for frame, found in seen] == [
        (i, i, i % 2) for i in range(10)
    ]


def instances(people: int, score: float = 0.5) -> Any:
    """What Detectron2 returns for a picture: fields that are tensors."""
    keypoints = torch.full((people, 17, 3), score)
    return SimpleNamespace(
        pred_boxes=SimpleNamespace(tensor=torch.zeros(people, 4)),
        scores=torch.ones(people),
        pred_keypoints=keypoints,
    )


def test_keypoint_scores_stay_within_0_and_1() -> None:
    found = adapter.to_detections(
        Frame(0, 0.0, np.zeros((4, 4, 3), np.uint8)), instances(1, score=1.35)
    )
    assert (found.keypoint_scores == 1).all()


# --- with the library ---

SMALL = """
_BASE_: {zoo}
MODEL:
  RESNETS: {{DEPTH: {depth}, RES2_OUT_CHANNELS: 64}}
  RPN: {{POST_NMS_TOPK_TEST: 300}}
  ROI_BOX_HEAD: {{FC_DIM: 64}}
  ROI_KEYPOINT_HEAD: {{CONV_DIMS: [64, 64]}}
INPUT: {{MIN_SIZE_TEST: 200, MAX_SIZE_TEST: 320}}
TEST: {{DETECTIONS_PER_IMAGE: 20}}
"""


def small_network(folder: Path, depth: int) -> dict[str, Path]:
    """A config of a small Keypoint R-CNN and a file of random weights that find something in most pictures."""
    from detectron2.modeling import build_model

    config, weights = folder / f"{depth}.yaml", folder / f"{depth}.pth"
    config.write_text(SMALL.format(zoo=adapter.zoo_config("R-50-FPN"), depth=depth))
    settings = adapter.read_config(config)
    settings.MODEL.DEVICE = "cpu"
    torch.manual_seed(1)
    network = build_model(settings)
    with torch.no_grad():
        for module in network.modules():
            if type(module).__name__ == "FrozenBatchNorm2d":
                module.weight.fill_(0.5)  # as made, the signal doubles with every block
        network.backbone.bottom_up.stem.conv1.weight.div_(60)  # the spread of pixels
        network.proposal_generator.rpn_head.objectness_logits.weight.normal_(std=0.1)
        network.roi_heads.box_predictor.cls_score.weight.normal_(std=3.0)
        network.roi_heads.box_predictor.bbox_pred.bias.copy_(
            torch.tensor([0.0, 0.0, 2.0, 5.0])
        )  # upright boxes
        network.roi_heads.keypoint_head.score_lowres.weight.normal_(std=0.6)
    torch.save({"model": network.state_dict()}, weights)
    return {"config": config, "weights": weights}


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

    settings = adapter.read_config(small["config"])
    settings.MODEL.DEVICE, settings.MODEL.WEIGHTS = "cpu", str(small["weights"])
    predictor = DefaultPredictor(settings)
    detector = adapter.Detectron2(**small, device="cpu")
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
            "boxes that could hold somebody"
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
def test_weights_that_do_not_belong_to_the_network_are_refused(
    small: dict[str, Path], tmp_path: Path
) -> None:
    deeper = small_network(tmp_path, 34)
    text = tmp_path / "text.pth"
    text.write_text("this is no network\n")
    for weights, reason in (
        (
            deeper["weights"],
            "do not fit the model",
        ),  # all of the shallow network is in there, and more
        (text, "not weights of this model"),
        (tmp_path / "missing.pth", "no such file"),
    ):
        with pytest.raises(WeightsError, match=reason) as caught:
            create("detectron2", config=small["config"], weights=weights, device="cpu")
        assert str(weights) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="do not fit the model"):
        create("detectron2", config=deeper["config"], weights=small["weights"], device="cpu")


@needs_library
@library_warns
def test_configs_that_find_no_coco_keypoints_are_refused(
    small: dict[str, Path], tmp_path: Path
) -> None:
    boxes = (
        adapter.zoo_config("R-50-FPN").parents[1]
        / "COCO-Detection"
        / "faster_rcnn_R_50_FPN_3x.yaml"
    )
    text, other = tmp_path / "text.yaml", tmp_path / "other.yaml"
    text.write_text("this is: [no config")
    other.write_text(f"_BASE_: {small['config']}\nDATASETS: {{TEST: [my_horses]}}\n")
    for config, reason in ((boxes, "does not find"), (other, "does not find"), (text, "not a YAML config"),
                           (tmp_path / "missing.yaml", "not a YAML config")):  # fmt: skip
        with pytest.raises(DetectorError, match=reason) as caught:
            create("detectron2", config=config, weights=small["weights"], device="cpu")
        assert str(config) in str(caught.value)
        assert "\n" not in str(caught.value)


@needs_library
@library_warns
def test_a_gpu_that_is_not_there_is_said(
    small: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DetectorError, match="--device cuda needs a GPU"):
        create("detectron2", **small, device="cuda")
    with pytest.raises(DetectorError, match="--half needs a GPU"):
        create("detectron2", **small, half=True)


@needs_library
@library_warns
def test_half_precision_does_not_round_keypoints_to_whole_pixels(
    small: dict[str, Path], pictures: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "pick_device", lambda wanted, half: "cpu")
    frame = Frame(0, 0.0, cv2.cvtColor(pictures[0], cv2.COLOR_BGR2RGB))
    whole, half = (adapter.Detectron2(**small, half=half).detect(frame) for half in (False, True))
    nearest = np.abs(half.boxes_xyxy[:, None] - whole.boxes_xyxy).sum(-1).argmin(1)
    assert not np.array_equal(half.box_scores, whole.box_scores[nearest]), (
        "it does compute in half precision"
    )
    assert np.median(np.abs(half.keypoints_xy - whole.keypoints_xy[nearest])) < 0.1


@needs_library
def test_the_short_names_are_those_of_the_librarys_own_table() -> None:
    spec = find_spec("detectron2")
    assert spec is not None
    assert spec.origin is not None
    table = Path(spec.origin).parent.joinpath("model_zoo", "model_zoo.py").read_text()
    for config, weights in adapter.MODELS.values():
        assert f'"COCO-Keypoints/{config}": "{weights}"' in table
    for model in adapter.MODELS:
        assert adapter.zoo_config(model).is_file()


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """A model zoo on this machine, and an empty cache."""
    file = tmp_path.joinpath(
        "served", "detectron2", adapter.ZOO_FOLDER, *adapter.MODELS["R-50-FPN"]
    )
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(adapter, "ZOO_URL", f"http://127.0.0.1:{server.server_port}/detectron2")
    monkeypatch.setenv("FVCORE_CACHE", str(tmp_path / "cache"))
    yield server
    server.shutdown()
    server.server_close()


@needs_library
@library_warns
def test_the_zoos_weights_are_fetched_once(zoo: ThreadingHTTPServer, tmp_path: Path) -> None:
    assert not adapter.zoo_file("R-50-FPN").exists()
    assert adapter.fetch_weights("R-50-FPN") == adapter.zoo_file("R-50-FPN")
    assert adapter.zoo_file("R-50-FPN").read_bytes() == b"weights"
    (tmp_path / "served").rename(tmp_path / "gone")
    assert adapter.fetch_weights("R-50-FPN").read_bytes() == b"weights"


@needs_library
@library_warns
def test_weights_that_cannot_be_fetched_are_named_with_the_place_to_put_them(
    zoo: ThreadingHTTPServer,
) -> None:
    zoo.shutdown()
    zoo.server_close()
    with pytest.raises(WeightsError, match="--d2-weights") as caught:
        adapter.fetch_weights("X-101-FPN")
    assert "model_final_5ad38f.pkl" in str(caught.value)
    assert str(adapter.zoo_file("X-101-FPN")) in str(caught.value)
    assert not adapter.zoo_file("X-101-FPN").exists()
