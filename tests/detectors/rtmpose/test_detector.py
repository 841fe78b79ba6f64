"""Where rtmlib is installed: equality with its own `Body` and `BodyWithFeet`, on small networks."""

import json
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import pytest

import infer_video
from core.errors import DetectorError
from core.skeletons import COCO_17
from core.types import Frame
from detectors.choice import create
from detectors.rtmpose import CUDA, KINDS, RTMPoseBackend
from pipeline.results.result import load_result
from testkit.make_video import encode
from tests.detectors.rtmpose.small_networks import (
    FINDER,
    POSE,
    needs_rtmlib,
    standing,
    two_people,
    write_networks,
)
from weights.store import CACHE_VARIABLE, resolve

pytestmark = needs_rtmlib

SMALL = {"rtm_mode": "lightweight", "device": "cpu"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    for kind in KINDS:
        write_networks(tmp_path / "cache", kind)
    return tmp_path / "cache"


def files(kind: str) -> tuple[Path, ...]:
    names = RTMPoseBackend(rtm_kind=kind, rtm_mode="lightweight").weight_names()
    return tuple(map(resolve, names))


@pytest.mark.parametrize("kind", KINDS)
def test_keypoints_and_scores_are_rtmlibs(kind: str) -> None:
    import rtmlib

    finder, pose = map(str, files(kind))
    name, skeleton = KINDS[kind]
    theirs = getattr(rtmlib, name)(
        det=finder, det_input_size=(FINDER, FINDER), pose=pose, pose_input_size=POSE
    )
    picture = two_people()
    xy, scores = theirs(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert (scores > 1).any(), "scores that must be cut"
    found = create("rtmpose", rtm_kind=kind, **SMALL).detect(Frame(3, 0.1, picture))
    assert (found.frame_index, found.skeleton, len(found)) == (3, skeleton, 2)
    np.testing.assert_allclose(found.boxes_xyxy[:, :2], [[20, 60], [200, 90]], atol=1.0)
    np.testing.assert_allclose(found.keypoint_scores, scores.clip(0, 1), atol=1e-6)
    body, last = skeleton.indices(COCO_17.joints), COCO_17.index("right_ankle")
    np.testing.assert_allclose(found.box_scores, found.keypoint_scores[:, body].mean(1))
    seen = np.delete(np.arange(len(skeleton)), last)
    np.testing.assert_allclose(found.keypoints_xy[:, seen], xy[:, seen], atol=1e-3)
    assert np.isnan(found.keypoints_xy[:, last]).all(), "a joint without a peak is missing"
    assert np.isnan(found.keypoints_3d).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_without_people_is_empty(kind: str) -> None:
    picture = np.zeros((100, 80, 3), np.uint8)
    assert len(create("rtmpose", rtm_kind=kind, **SMALL).detect(Frame(0, 0.0, picture))) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_goes_through_it(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    clip = encode(tmp_path / "clip.mp4", [two_people(frame) for frame in range(20)])
    words = ["--detector", "rtmpose", "--rtm-mode", "lightweight", "--rtm-kind", kind]
    out = tmp_path / "out"
    words += ["--no-render", "--smooth", "none", "-o", str(out)]
    assert infer_video.main([str(clip), *words]) == 0
    assert "onnxruntime" not in capfd.readouterr().out, "rtmlib does not write to stdout"
    report = json.loads((out / "clip" / "report.json").read_text())
    assert report["detector"] == {"name": "rtmpose", "why": "asked for"}
    assert report["config"]["rtm_kind"] == kind
    assert report["versions"]["rtmlib"] == version("rtmlib")
    people = load_result(out / "clip").people
    assert len(people) == 2
    # The crop of the left figure's box in frame 10, which is 1.25 times as high.
    middle, side = np.array([60, 120]), 120 * 1.25
    wrist = (standing(COCO_17)[9] - 0.5) * (side * 0.75, side) + middle
    nearest = min(np.abs(person.keypoints_2d[10, 9] - wrist).max() for person in people)
    assert nearest < 2


def test_threads_are_onnxruntimes() -> None:
    detector = RTMPoseBackend(**SMALL).build(threads=1)
    for tool in (detector._finder, detector._keypoints):
        assert tool.session.get_session_options().intra_op_num_threads == 1
    assert len(detector.detect(Frame(0, 0.0, two_people()))) == 2


@pytest.mark.filterwarnings("ignore:Specified provider:UserWarning")
@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("Failed to load libcudnn.so.9\nPlease follow …", "Failed to load libcudnn.so.9"),
        ("", "no GPU, or no driver for it"),
    ],
)
def test_cuda_that_does_not_start_is_said_where_it_is_asked_for(
    printed: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    cpu = ["CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, *cpu])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print(printed))
    monkeypatch.setattr(onnxruntime.InferenceSession, "get_providers", lambda self: cpu)
    with pytest.raises(DetectorError, match=rf"cannot use CUDA here \({reason}\)"):
        create("rtmpose", rtm_mode="lightweight", device="cuda")
    detector = create("rtmpose", rtm_mode="lightweight")
    assert len(detector.detect(Frame(0, 0.0, two_people()))) == 2


def test_files_that_are_no_such_networks_are_one_line(cache: Path) -> None:
    finder, pose = files("body")
    pose.write_text("this is no network\n")
    pose.with_name(f"{pose.name}.sha256").unlink()
    with pytest.raises(DetectorError, match="onnxruntime cannot load") as caught:
        create("rtmpose", **SMALL)
    assert str(pose) in str(caught.value)
    assert "\n" not in str(caught.value)
    pose.write_bytes(finder.read_bytes())
    pose.with_name(f"{pose.name}.sha256").unlink()
    detector = create("rtmpose", **SMALL)
    with pytest.raises(DetectorError, match="onnxruntime cannot run RTMPose") as caught:
        detector.detect(Frame(0, 0.0, two_people()))
    assert "\n" not in str(caught.value)
