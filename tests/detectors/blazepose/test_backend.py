from pathlib import Path

import cv2
import pytest

from core.errors import WeightsError
from core.skeletons import COCO_21
from core.types import Frame, VideoInfo
from detectors.blazepose.backend import BlazePoseBackend, HeavyBlazePoseBackend
from detectors.choice import create
from weights.store import CACHE_VARIABLE, resolve


def test_what_is_missing_is_said_before_any_video_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    (tmp_path / "blazepose_detector.tflite").write_bytes(b"something else")
    with pytest.raises(WeightsError, match="blazepose_detector"):
        HeavyBlazePoseBackend().fetch()


def test_it_is_available_where_its_weights_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    BlazePoseBackend().fetch()
    assert BlazePoseBackend().available().is_ready
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    is_ready, why = BlazePoseBackend().available()
    assert not is_ready
    assert str(tmp_path / "blazepose_detector.tflite") in why


def test_it_is_built_by_name() -> None:
    assert create("blazepose", threads=1).skeleton is COCO_21


@pytest.fixture
def clip() -> Path:
    return resolve("demo-clip")


def test_where_the_finder_of_boxes_cannot_be_had_a_line_says_so_and_people_are_found(
    clip: Path, blazepose_alone: None
) -> None:
    backend = BlazePoseBackend()
    backend.fetch()
    assert "may be missed: cannot fetch person-finder: there is no npm program" in backend.warning()
    assert "\n" not in backend.warning()
    detector = backend.build()
    detector.begin(VideoInfo(clip, 1768, 994, 30.0, None, 0, None))
    rgb = cv2.cvtColor(cv2.VideoCapture(str(clip)).read()[1], cv2.COLOR_BGR2RGB)
    assert len(detector.detect(Frame(0, 0.0, rgb))) == 1
