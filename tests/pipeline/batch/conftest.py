import subprocess
import time
from pathlib import Path

import pytest

from infer_video import main
from pipeline.batch import run as batch
from pipeline.batch.workers import InProcess
from tests.pipeline.batch.batches import CLIPS, Calm, Run, good_clip, infer


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three good clips, which no test changes."""
    folder = tmp_path_factory.mktemp("three")
    for number in range(max(3, CLIPS // 6)):
        good_clip(folder / f"{number}.mp4", start_s=2 + 0.2 * number, frames=6 if CLIPS else 3)
    return folder


@pytest.fixture(scope="session")
def calm(three: Path, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    out, started = tmp_path_factory.mktemp("calm"), time.monotonic()
    done = infer(three, "--output", out, "--workers", "2")
    assert done.returncode == 0, done.stderr
    return Calm(out, time.monotonic() - started)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """`infer_video.py …` without a process but this one, for what does not depend on processes."""
    monkeypatch.setattr(batch, "Pool", lambda config, workers, log: InProcess(config))

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        status = main([str(word) for word in words])
        return subprocess.CompletedProcess(words, status, *capfd.readouterr())

    return run
