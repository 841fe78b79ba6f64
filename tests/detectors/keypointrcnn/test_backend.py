"""torchvision's Keypoint R-CNN where torchvision is not there, or pretends to be."""

from pathlib import Path

import pytest
import torch

import infer_video
from core.errors import WeightsError
from detectors.choice import DetectOptions
from detectors.detectron2 import backend as detectron2
from detectors.keypointrcnn import WEIGHTS, KeypointRCNNBackend
from testkit.make_video import moving
from tests.detectors.missing_library import BUILT_FOR_ANOTHER_TORCH, NOT_THERE, WORKS, pretend
from weights.sources import FetchError
from weights.store import CACHE_VARIABLE, read_manifest


@pytest.fixture
def a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


def weights_in_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    (folder / read_manifest()[WEIGHTS].file).touch()
    monkeypatch.setenv(CACHE_VARIABLE, str(folder))


@pytest.mark.usefixtures("a_gpu")
@pytest.mark.parametrize(
    ("torchvision", "weights", "device", "name", "why"),
    [
        (NOT_THERE, True, "auto", "blazepose", "torchvision is not installed"),
        (BUILT_FOR_ANOTHER_TORCH, True, "auto", "blazepose", "torchvision::nms does not exist"),
        (WORKS, False, "auto", "blazepose", f"python -m weights fetch {WEIGHTS}"),
        (WORKS, True, "cpu", "blazepose", "--device cpu leaves no GPU for keypointrcnn"),
        (WORKS, True, "auto", "keypointrcnn", "there is a GPU"),
    ],
)
def test_auto_takes_it_where_detectron2_is_not_and_all_it_needs_is_there(
    torchvision: str | None, weights: bool, device: str, name: str, why: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pretend(monkeypatch, tmp_path, "detectron2", NOT_THERE)
    pretend(monkeypatch, tmp_path, "torchvision", torchvision)
    if weights:
        weights_in_cache(tmp_path / "cache", monkeypatch)
    else:
        monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "empty"))
    choice = DetectOptions("auto", {"device": device}).choose()
    assert choice.name == name
    assert why in choice.why


@pytest.mark.usefixtures("a_gpu")
def test_auto_prefers_detectron2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, tmp_path, "torchvision", WORKS)
    pretend(monkeypatch, tmp_path, "detectron2", WORKS)
    weights_in_cache(tmp_path / "cache", monkeypatch)
    file = tmp_path / "cache" / read_manifest()[WEIGHTS].file
    monkeypatch.setattr(detectron2, "require_library", lambda: None)
    assert DetectOptions("auto", {"d2_weights": file}).choose().name == "detectron2"


def test_weights_that_cannot_be_fetched_are_named_with_where_to_put_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(url: str, part: Path, label: str) -> None:
        raise FetchError(f"{url}: no network")

    pretend(monkeypatch, tmp_path, "torchvision", WORKS)
    monkeypatch.setattr("weights.fetch.download_url", no_network)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    with pytest.raises(WeightsError, match=f"cannot fetch {WEIGHTS}") as caught:
        KeypointRCNNBackend(device="cpu").fetch()
    entry = read_manifest()[WEIGHTS]
    assert str(tmp_path / "cache" / entry.file) in str(caught.value)
    assert str(entry.source) in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match=r"mine\.pth is neither a file"):
        KeypointRCNNBackend(device="cpu", keypointrcnn_weights=Path("mine.pth")).fetch()


def test_a_missing_library_is_one_line_for_all_clips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch, tmp_path, "torchvision", NOT_THERE)
    clips = [str(moving(tmp_path / f"{i}.mp4", frames=2)) for i in range(2)]
    words = [*clips, "-o", str(tmp_path / "out"), "--detector", "keypointrcnn"]
    assert infer_video.main(words) == 1
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("failed:")]
    assert len(lines) == 1
    assert "pip install -c constraints.txt torchvision" in lines[0]


def test_without_a_gpu_it_says_how_slow_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("keypointrcnn", "detectron2"):
        assert "about 4 s a frame on two cores" in DetectOptions(name).choose().backend.warning()
    given = DetectOptions("keypointrcnn", {"device": "cpu"}).choose().backend.warning()
    assert given.startswith("--detector keypointrcnn runs without a GPU (--device cpu)")
    assert DetectOptions("blazepose").choose().backend.warning() == ""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert DetectOptions("keypointrcnn").choose().backend.warning() == ""


def test_weights_that_a_user_gave_are_for_the_report() -> None:
    assert KeypointRCNNBackend().weight_files() == {}
    given = KeypointRCNNBackend(keypointrcnn_weights=Path("mine.pth"))
    assert given.weight_files() == {"detector": Path("mine.pth")}
