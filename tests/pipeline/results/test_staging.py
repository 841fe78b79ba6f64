import json
import os
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from infer_video import main
from pipeline.config import PipelineConfig
from pipeline.results.result import load_result
from pipeline.run import process_video
from testkit.make_video import moving
from tests.pipeline.media.made_pictures import shots


def test_a_file_that_vanishes_between_the_passes_leaves_nothing(tmp_path: Path) -> None:
    clip = moving(tmp_path / "clip.mp4", frames=6)

    def vanish(items: Any, stage: str, total: int | None) -> Any:
        yield from items
        if stage == "detect":
            clip.unlink()

    with pytest.raises(InputError, match=r"clip.mp4: was changed or removed"):
        process_video(clip, PipelineConfig(output=tmp_path / "out"), progress=vanish)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("way", ["replaced", "overwritten", "no video"])
def test_a_file_that_changes_between_the_passes_leaves_nothing(tmp_path: Path, way: str) -> None:
    clip, other = moving(tmp_path / "clip.mp4", frames=6), tmp_path / "other.mp4"
    moving(other, frames=6, options="-vf negate")

    def change(items: Any, stage: str, total: int | None) -> Any:
        yield from items
        if stage == "detect" and way == "replaced":
            other.rename(clip)
        elif stage == "detect":
            clip.write_bytes(other.read_bytes() if way == "overwritten" else b"no video")

    with pytest.raises(InputError, match=r"clip.mp4: was changed or removed while it was read"):
        process_video(clip, PipelineConfig(output=tmp_path / "out"), progress=change)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_gets_a_picture_between_the_passes_leaves_nothing(tmp_path: Path) -> None:
    folder = shots(tmp_path / "shots", 1, 2, 4)

    def add(items: Any, stage: str, total: int | None) -> Any:
        yield from items
        if stage == "detect":
            (folder / "shot_3.png").write_bytes((folder / "shot_4.png").read_bytes())

    config = PipelineConfig.from_flat(output=tmp_path / "out", fps=10.0)
    with pytest.raises(InputError, match=r"shot_3.png: was changed or removed while it was read"):
        process_video(folder, config, progress=add)
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


def test_pipes_at_the_reports_names_are_not_waited_for(tmp_path: Path) -> None:
    clips, out = tmp_path / "clips", tmp_path / "out"
    clips.mkdir()
    moving(clips / "a.mp4", frames=4)
    (clips / "b.mp4").write_text("no video")
    (out / "a").mkdir(parents=True)
    os.mkfifo(out / "a" / "report.json")
    os.mkfifo(out / "batch_report.json")
    assert main([str(clips), "--output", str(out), "--no-render"]) == 1
    assert load_result(out / "a").report.frames == 4
    rows = json.loads((out / "batch_report.json").read_text())["clips"]
    assert [row["status"] for row in rows] == ["done", "failed"]


@pytest.mark.parametrize("name", ["x", "x/clip"])
def test_a_link_out_of_the_output_folder_is_not_followed(tmp_path: Path, name: str) -> None:
    clips, out, other = (tmp_path / name for name in ("clips", "out", "other"))
    for folder in (clips / "x", (out / name).parent, other):
        folder.mkdir(parents=True)
    moving(clips / "x" / "clip.mp4", frames=4)
    (out / name).symlink_to(other)
    (other / ".partial-x").mkdir()
    assert main([str(clips), "--output", str(out), "--no-render"]) == 1
    (row,) = json.loads((out / "batch_report.json").read_text())["clips"]
    assert row["reason"].startswith(f"{out / name}: is a link")
    assert [path.name for path in other.iterdir()] == [".partial-x"]


RESULTS = ("a/poses.npz", "a/report.json", "a/a_3d.mp4", "batch_report.json", "batch_report.csv")
LOCKS = (".a.lock", ".batch_report.json.lock", ".batch_report.csv.lock")


@pytest.mark.parametrize(
    ("names", "is_dangling"),
    [(RESULTS, False), (RESULTS, True), *(((name,), True) for name in LOCKS)],
)
def test_links_at_the_names_that_are_written_are_not_followed(
    tmp_path: Path,
    names: tuple[str, ...],
    is_dangling: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clips, out, other = (tmp_path / name for name in ("clips", "out", "other"))
    clips.mkdir()
    other.mkdir()
    moving(clips / "a.mp4", frames=4)
    moving(clips / "b.mp4", frames=4)
    for number, name in enumerate(names):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).symlink_to(other / str(number))
        if not is_dangling:
            (other / str(number)).write_text("a user's own")
    render = [] if names == RESULTS else ["--no-render"]
    status = main([str(clips), "--output", str(out), *render])
    assert [path.read_text() for path in other.iterdir()] == (
        [] if is_dangling else ["a user's own"] * len(names)
    )
    said = capsys.readouterr().err
    assert (status, "is a link" in said) == ((0, False) if names == RESULTS else (1, True)), said
    assert load_result(out / "b").report.frames == 4
    if "batch_report.json" not in names[0]:  # that one cannot be written
        rows = json.loads((out / "batch_report.json").read_text())["clips"]
        expected = ["failed", "done"] if names == (".a.lock",) else ["done", "done"]
        assert [row["status"] for row in rows] == expected


def test_the_output_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    clip = moving(tmp_path / "clip.mp4", frames=4)
    assert main([str(clip), "--output", str(tmp_path / "out"), "--no-render"]) == 0
    assert (tmp_path / "disk" / "clip" / "poses.npz").is_file()


def test_files_of_an_earlier_result_go_with_it(tmp_path: Path) -> None:
    """What an old run made and the new one does not would stand beside other numbers."""
    clip, out = moving(tmp_path / "clip.mp4", frames=4), tmp_path / "out" / "clip"
    assert main([str(clip), "--output", str(tmp_path / "out")]) == 0
    (out / "notes.txt").write_text("a user's own")
    assert main([str(clip), "--output", str(tmp_path / "out"), "--overwrite", "--no-render"]) == 0
    left = sorted(file.name for file in out.iterdir())
    assert left == ["notes.txt", "poses.npz", "report.json", "tracks.npz"]
