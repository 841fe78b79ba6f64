"""What a cluster's machines get: a copy of the program that runs by itself, and a list of pins."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import UsageError, WeightsError
from detectors.choice import DetectOptions
from pipeline.batch.cluster import shipping
from pipeline.batch.cluster.shipping import (
    copy_program,
    pinned_libraries,
    runtime_env,
    weight_files,
)
from pipeline.config import PipelineConfig
from weights.store import Store


def test_the_copy_runs_by_itself_and_has_its_weights(tmp_path: Path) -> None:
    copy_program(tmp_path, weight_files(PipelineConfig()))
    code = (
        "from pipeline.batch.clip import ClipWorker\n"
        "from pipeline.config import PipelineConfig\n"
        "from weights.store import ROOM, Store\n"
        "store, config = Store(), PipelineConfig()\n"
        "names = [*config.detect.choose().backend.weight_names(), config.lift.lifter]\n"
        "for name in names: assert store.path(store.entries[name]).is_file(), name\n"
        "print(ROOM)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{code}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "weights")
    assert not list(tmp_path.rglob("__pycache__/*.git*"))
    size = sum(path.stat().st_size for path in tmp_path.rglob("*"))
    assert size < 80 << 20, "far below the 500 MB that Ray takes"


def test_weights_that_cannot_be_had_here_are_left_to_the_machines(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_network(self: Store, name: str) -> Path:
        raise WeightsError(f"cannot fetch {name}")

    monkeypatch.setattr(Store, "resolve", no_network)
    monkeypatch.setattr(shipping.LOG, "propagate", True)
    assert weight_files(PipelineConfig()) == []
    assert "cannot fetch blazepose-detector; each machine" in caplog.text


def test_a_file_that_the_user_names_is_not_sent(tmp_path: Path) -> None:
    mine = tmp_path / "mine.pth"
    mine.touch()
    detect = DetectOptions("keypointrcnn", {"keypointrcnn_weights": mine})
    assert weight_files(PipelineConfig(detect=detect)) == []


def test_libraries_are_pinned_to_what_runs_here() -> None:
    pins = dict(line.split("==") for line in pinned_libraries())
    assert pins["numpy"] == importlib.metadata.version("numpy")
    assert "+" not in pins["torch"]
    assert importlib.metadata.version("torch").startswith(pins["torch"])
    assert "pytest" not in pins
    assert "ray" not in pins


def test_what_is_sent_is_what_is_asked_for() -> None:
    config = PipelineConfig()
    with runtime_env("nothing", config) as environment:
        assert environment == {}
    with runtime_env("program", config) as environment:
        assert "pip" not in environment
        folder = Path(environment["working_dir"])
        assert (folder / "weights" / "cache" / "blazepose_detector.tflite").is_file()
    assert not folder.exists()
    with runtime_env("all", config) as environment:
        assert environment["pip"]["packages"] == pinned_libraries()


def test_a_program_that_is_not_installed_says_how_to_send_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shipping, "PROGRAM", "no-such-program")
    with pytest.raises(UsageError, match=r"pip install -e \.") as caught:
        pinned_libraries()
    assert "--ray-ship program" in caught.value.as_flags()
