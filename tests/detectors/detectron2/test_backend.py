"""Detectron2's options, what `auto` makes of it, and what reports are told."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import infer_video
from core.errors import UsageError
from detectors.choice import DetectOptions
from detectors.detectron2 import backend
from testkit.make_video import moving
from tests.detectors.missing_library import BUILT_FOR_ANOTHER_TORCH, NOT_THERE, WORKS, pretend


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
    options = dict(settings)
    with pytest.raises(UsageError) as caught:
        DetectOptions(options.pop("detector"), options)
    assert reason in caught.value.as_flags()


@pytest.mark.parametrize(
    ("installed", "gpu", "weights", "device", "name", "why"),
    [
        (False, True, True, "auto", "blazepose", "Detectron2 is not installed"),
        (True, False, True, "auto", "blazepose", "no GPU for detectron2: "),
        (True, True, True, "cpu", "blazepose", "--device cpu"),
        (True, True, False, "auto", "blazepose", "weights are not at"),
        (True, True, True, "auto", "detectron2", "there is a GPU"),
    ],
)
def test_auto_takes_detectron2_where_library_weights_and_gpu_are_there(
    installed: bool, gpu: bool, weights: bool, device: str, name: str, why: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(backend, "find_spec", lambda _: object() if installed else None)
    monkeypatch.setattr(backend, "require_library", lambda: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    pretend(monkeypatch, tmp_path, "torchvision", NOT_THERE)
    file = tmp_path / "weights.pth"
    if weights:
        file.touch()
    choice = DetectOptions("auto", {"d2_weights": file, "device": device}).choose()
    assert choice.name == name
    assert why in choice.why


def test_auto_passes_over_a_library_that_cannot_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, tmp_path, "detectron2", WORKS)
    pretend(monkeypatch, tmp_path, "torchvision", BUILT_FOR_ANOTHER_TORCH)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    choice = DetectOptions("auto").choose()
    assert choice.name == "blazepose"
    assert "torchvision::nms does not exist" in choice.why


def test_auto_says_what_it_took_on_the_terminal_and_in_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch, tmp_path, "detectron2", NOT_THERE)
    pretend(monkeypatch, tmp_path, "torchvision", NOT_THERE)
    clip = moving(tmp_path / "clip.mp4", frames=2)
    assert (
        infer_video.main([str(clip), "-o", str(tmp_path), "--detector", "auto", "--no-render"]) == 0
    )
    why = "Detectron2 is not installed; torchvision is not installed"
    assert capfd.readouterr().err.count(f"warning: --detector auto takes blazepose: {why} [") == 1
    report = json.loads((tmp_path / "clip" / "report.json").read_text())
    assert report["detector"] == {"name": "blazepose", "why": why}
    assert report["config"]["detector"] == "auto"


def test_weights_that_a_user_gave_are_for_the_report() -> None:
    assert backend.Detectron2Backend().weight_files() == {}
    given = backend.Detectron2Backend(d2_weights=Path("mine.pth"))
    assert given.weight_files() == {"detector": Path("mine.pth")}
