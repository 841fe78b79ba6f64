"""The examples of docs/python.md run as they stand, one after another."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config import PipelineConfig
from pipeline.results.result import load_result
from testkit.make_video import run_ffmpeg
from weights.store import resolve

PAGE = Path(__file__).parents[1] / "docs" / "python.md"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("clip.mp4", "other.mp4"):
        run_ffmpeg(
            "-ss", "2.2", "-t", "0.5", "-i", str(resolve("demo-clip")), "-vf", "scale=640:-2", name
        )
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(examples) == 7
    names: dict[str, Any] = {}
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), names)
    assert isinstance(names["config"], PipelineConfig)
    assert names["wrist"].shape == (len(names["person"].times_s), 3)
    assert np.isfinite(names["joints"]).all()
    assert (tmp_path / "out" / "other" / "poses.npz").exists()
    again = load_result(tmp_path / "again" / "clip")
    assert again.report.detector.why == "--keypoints keypoints.json"
    assert len(again.people) == 1
    assert len(names["people"]) == 2
