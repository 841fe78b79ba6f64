from pathlib import Path

import pytest

from core.errors import WeightsError
from core.skeletons import COCO_17
from detectors.base import create
from detectors.blazepose.backend import BlazePoseBackend, HeavyBlazePoseBackend
from weights.store import CACHE_VARIABLE


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
    assert create("blazepose", threads=1).skeleton is COCO_17
