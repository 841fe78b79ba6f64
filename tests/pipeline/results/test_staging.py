from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from infer_video import main
from pipeline.config import PipelineConfig
from pipeline.run import process_video
from testkit.make_video import moving


def test_a_file_that_vanishes_between_the_passes_leaves_nothing(tmp_path: Path) -> None:
    clip = moving(tmp_path / "clip.mp4", frames=6)

    def vanish(items: Any, stage: str, total: int | None) -> Any:
        yield from items
        if stage == "detect":
            clip.unlink()

    with pytest.raises(InputError, match="no such file"):
        process_video(clip, PipelineConfig(output=tmp_path / "out"), progress=vanish)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_failure_leaves_the_results_that_were_there(tmp_path: Path) -> None:
    clip, words = (
        moving(tmp_path / "clip.mp4", frames=4),
        ["--output", str(tmp_path / "out"), "--no-render"],
    )
    assert main([str(clip), *words]) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out" / "clip").iterdir()}
    clip.write_text("no video")
    assert main([str(clip), *words]) == 1
    assert {
        path.name: path.read_bytes() for path in (tmp_path / "out" / "clip").iterdir()
    } == before


def test_files_of_an_earlier_result_go_with_it(tmp_path: Path) -> None:
    """What an old run made and the new one does not would stand beside other numbers."""
    clip, out = moving(tmp_path / "clip.mp4", frames=4), tmp_path / "out" / "clip"
    assert main([str(clip), "--output", str(tmp_path / "out")]) == 0
    (out / "notes.txt").write_text("a user's own")
    assert main([str(clip), "--output", str(tmp_path / "out"), "--overwrite", "--no-render"]) == 0
    assert sorted(file.name for file in out.iterdir()) == ["notes.txt", "poses.npz", "report.json"]
