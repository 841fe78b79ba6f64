"""RTMPose's options and weights, and what is said where its libraries are not there."""

from pathlib import Path
from typing import Any

import pytest

import infer_video
from core.errors import UsageError, WeightsError
from detectors.choice import DetectOptions
from detectors.rtmpose import KINDS, MODES, RTMPoseBackend
from testkit.make_video import moving
from tests.detectors.missing_library import NOT_THERE, WORKS, pretend
from tests.detectors.rtmpose.small_networks import needs_rtmlib
from weights.sources import FetchError, Zip
from weights.store import CACHE_VARIABLE, read_manifest

ONNXRUNTIME = (
    "def get_available_providers(): return ['CPUExecutionProvider']\n__version__ = '1.0'\n"
)


@pytest.mark.parametrize(
    ("detector", "settings", "reason"),
    [
        ("blazepose", {"rtm_mode": "lightweight"}, "--rtm-mode is for --detector rtmpose"),
        ("rtmpose", {"rtm_kind": "hand"}, "--rtm-kind must be one of body, body_with_feet"),
        ("rtmpose", {"rtm_mode": "huge"}, "--rtm-mode must be one of lightweight, balanced, perf"),
        ("rtmpose", {"half": True}, "--half is for --detector detectron2 or keypointrcnn"),
    ],
)
def test_options_that_do_not_go_together_are_named(
    detector: str, settings: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UsageError) as caught:
        DetectOptions(detector, settings)
    assert reason in caught.value.as_flags()


@pytest.mark.parametrize(
    ("onnxruntime", "rtmlib", "words", "reason", "remedy"),
    [
        (NOT_THERE, WORKS, "", "onnxruntime is not installed", "-e '.[rtmpose]'"),
        (ONNXRUNTIME, NOT_THERE, "", "rtmlib is not installed", "pip install --no-deps rtmlib"),
        (ONNXRUNTIME, WORKS, "--device cuda", "build for CPUs alone", "install onnxruntime-gpu"),
    ],
)
def test_a_missing_library_is_one_line_for_all_clips(
    onnxruntime: str | None, rtmlib: str | None, words: str, reason: str, remedy: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pretend(monkeypatch, tmp_path / "a", "onnxruntime", onnxruntime)
    pretend(monkeypatch, tmp_path / "b", "rtmlib", rtmlib)
    clips = [str(moving(tmp_path / f"{i}.mp4", frames=2)) for i in range(2)]
    given = ["-o", str(tmp_path / "out"), "--detector", "rtmpose", *words.split()]
    assert infer_video.main([*clips, *given]) == 1
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("failed:")]
    assert len(lines) == 1, "not one for every clip"
    assert reason in lines[0]
    assert remedy in lines[0]


def no_network(url: str, part: Path, label: str) -> None:
    raise FetchError(f"{url}: no network")


def test_weights_that_cannot_be_fetched_are_named_with_where_to_put_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, tmp_path / "a", "onnxruntime", ONNXRUNTIME)
    pretend(monkeypatch, tmp_path / "b", "rtmlib", WORKS)
    monkeypatch.setattr("weights.fetch.download_url", no_network)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    with pytest.raises(WeightsError, match="cannot fetch rtmpose-finder-lightweight") as caught:
        RTMPoseBackend(rtm_mode="lightweight").fetch()
    entry = read_manifest()["rtmpose-finder-lightweight"]
    for fact in (f"end2end.onnx in {entry.source.url}", str(tmp_path / "cache" / entry.file)):
        assert fact in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_dry_run_needs_no_library_and_fetches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, tmp_path, "rtmlib", NOT_THERE)
    monkeypatch.setattr("weights.fetch.download_url", no_network)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    clip = moving(tmp_path / "clip.mp4", frames=2)
    assert infer_video.main([str(clip), "--detector", "rtmpose", "--dry-run"]) == 0


@needs_rtmlib
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", MODES)
def test_the_manifest_has_the_weights_that_rtmlib_names(kind: str, mode: str) -> None:
    import rtmlib

    theirs = getattr(rtmlib, KINDS[kind][0]).MODE[mode]
    names = RTMPoseBackend(rtm_kind=kind, rtm_mode=mode).weight_names()
    sources = [read_manifest()[name].source for name in names]
    assert sources == [Zip(theirs[part], "end2end.onnx") for part in ("det", "pose")]


@needs_rtmlib
def test_joints_have_the_names_of_rtmlib() -> None:
    from rtmlib.visualization.skeleton import coco17, halpe26

    for theirs, (_, skeleton) in zip((coco17, halpe26), KINDS.values(), strict=True):
        numbered = theirs["keypoint_info"]
        assert tuple(numbered[i]["name"] for i in range(len(numbered))) == skeleton.joints
