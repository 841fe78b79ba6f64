import shutil
from pathlib import Path

import pytest

from detectors.blazepose.backend import BlazePoseBackend
from weights import fetch, npm
from weights.store import CACHE_VARIABLE, resolve


@pytest.fixture
def blazepose_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BlazePose's own two models are there, and nothing else can be fetched."""
    for name in BlazePoseBackend.weights:
        shutil.copy(resolve(name), tmp_path)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(npm, "CDN", "http://127.0.0.1:9")
    monkeypatch.setattr(fetch, "RETRY_PAUSE_S", 0.0)
