"""`fbx` without Blender; with it, see tests/consumers."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.export.base import ExportOptions, write_exports
from pipeline.results.result import Result
from testkit.made.array_results import Actor, array_result
from testkit.made.moving_people import FPS, tumbling


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return array_result(tmp_path, [Actor(np.arange(3), tumbling(3))], np.arange(3) / FPS)


def test_without_blender_one_line_says_how_to_get_it(result: Result, tmp_path: Path) -> None:
    options = ExportOptions(blender=str(tmp_path / "blender"))
    (failure,) = write_exports(result, ["fbx"], tmp_path, options).failures
    assert failure.startswith("--export fbx failed: it needs Blender")
    assert "--blender" in failure
    assert list(tmp_path.iterdir()) == []


def test_what_blender_says_when_it_fails_is_said(result: Result, tmp_path: Path) -> None:
    program = tmp_path / "blender"
    program.write_text("#!/bin/sh\necho 'no such operator' >&2\nexit 1\n")
    program.chmod(0o755)
    (tmp_path / "out").mkdir()
    options = ExportOptions(blender=str(program))
    (failure,) = write_exports(result, ["fbx"], tmp_path / "out", options).failures
    assert "did not write it (no such operator)" in failure
    assert list((tmp_path / "out").iterdir()) == []
