import errno
import io
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageError
from pipeline.batch.inputs import find_jobs, shard
from pipeline.runtime.logs import LogOptions, start_logging
from testkit.make_video import moving


def tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def found(*words: str | Path, pattern: str | None = None) -> dict[str, str]:
    """Source → folder of results, of the words given to a batch with `--output out`."""
    jobs, empty = find_jobs([str(word) for word in words], Path("out"), pattern)
    assert not empty
    return {job.source.name: str(job.folder) for job in jobs}


def test_a_folder_is_searched_to_the_bottom_and_its_tree_mirrored(tmp_path: Path) -> None:
    clips = tree(
        tmp_path / "clips",
        "x.mp4",
        "a/y.MOV",
        "a/b c/z.mkv",
        "a/notes.txt",
        "a/cover.jpg",
        ".trash/old.mp4",
    )
    assert found(clips) == {"x.mp4": "out/x", "y.MOV": "out/a/y", "z.mkv": "out/a/b c/z"}


def test_folders_of_results_have_names_that_every_program_can_use(tmp_path: Path) -> None:
    name = os.fsdecode(b"a\xff")
    assert found(tree(tmp_path, f"{name}/x.mp4"))["x.mp4"].encode().startswith(b"out/a_~")


def test_a_folder_that_vanishes_while_it_is_searched_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clips = tree(tmp_path, "x.mp4", "gone/y.mp4")
    walk = os.walk

    def walking(*args: Any, **options: Any) -> Iterator[tuple[str, list[str], list[str]]]:
        for step in walk(*args, **options):
            if step[0].endswith("gone"):
                shutil.rmtree(step[0])
            yield step

    monkeypatch.setattr(os, "walk", walking)
    assert found(clips) == {"x.mp4": "out/x"}
    assert "gone: cannot be read" in caplog.text


def test_pictures_of_a_folder_count_where_there_is_no_video(tmp_path: Path) -> None:
    assert found(tree(tmp_path, "a/1.jpg", "2.png", "notes.txt")) == {
        "1.jpg": "out/a/1",
        "2.png": "out/2",
    }


def test_a_pattern_says_which_files_of_a_folder_are_meant(tmp_path: Path) -> None:
    clips = tree(tmp_path, "front_1.mp4", "back_1.mp4", "day/front_2.bin")
    assert found(clips, pattern="front_*").keys() == {"front_1.mp4", "front_2.bin"}
    assert found(clips, pattern="day/*").keys() == {"front_2.bin"}


def test_wildcards_are_ours_where_the_shell_left_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree(tmp_path, "clips/x.mp4", "clips/a/y.mp4", "clips/b/z.mov"))
    assert found("clips/**/*.mp4") == {"x.mp4": "out/x", "y.mp4": "out/a/y"}
    tree(tmp_path, "take[1].mp4")
    assert found("take[1].mp4") == {"take[1].mp4": "out/take[1]"}


@pytest.mark.parametrize("end", ["\n", "\0"])
def test_a_list_on_stdin_names_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    clips = tree(tmp_path, "one two.mp4", "folder/x.mp4")
    words = (
        f"{clips / 'one two.mp4'}{end}{clips / 'folder'}{end}".encode() + b"\xff.mp4" + end.encode()
    )
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(words)))
    assert found("-") == {
        "one two.mp4": "out/one two",
        "x.mp4": "out/x",
        "\udcff.mp4": "out/_~a8100ae6",
    }


def test_the_same_file_is_done_once(tmp_path: Path) -> None:
    clips = tree(tmp_path, "a/x.mp4")
    assert found(clips, clips / "a" / "x.mp4") == {"x.mp4": "out/a/x"}


def test_links_may_lead_in_circles(tmp_path: Path) -> None:
    clips = tree(tmp_path / "clips", "a/x.mp4")
    (clips / "a" / "up").symlink_to(clips)
    (clips / "again").symlink_to(clips / "a")
    assert found(clips) == {"x.mp4": "out/a/x"}


def test_results_are_no_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(
        tree(tmp_path, "x.mp4", "out/x/x_3d.mp4", "elsewhere/y/y_3d.mp4", "elsewhere/y/report.json")
    )
    assert found(".") == {"x.mp4": "out/x"}


def test_equal_names_get_their_endings_and_equal_endings_are_refused(tmp_path: Path) -> None:
    clips = tree(tmp_path, "x.mp4", "x.mov", "y.mov")
    assert found(clips) == {"x.mp4": "out/x_mp4", "x.mov": "out/x_mov", "y.mov": "out/y"}
    others = tree(tmp_path, "1/y.mov", "2/y.mov")
    with pytest.raises(UsageError, match="would share one --output folder"):
        found(others / "1", others / "2")


def test_files_of_one_name_in_a_list_keep_their_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree(tmp_path, "clips/x.mp4", "clips/a/x.mp4", "clips/a/y.mp4"))
    text = "clips/x.mp4\nclips/b/../a/x.mp4\nclips/a/y.mp4\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    jobs, _ = find_jobs(["-"], Path("out"))
    assert [str(job.folder) for job in jobs] == ["out/x", "out/a/x", "out/y"]


def test_an_empty_list_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    assert find_jobs(["-"], Path("out")) == ([], ["-"])


@pytest.mark.parametrize(("names", "is_hinted"), [(("1", "2"), True), (("1", "cover"), False)])
def test_numbered_pictures_may_be_meant_as_a_clip(
    names: tuple[str, str], is_hinted: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    start_logging(LogOptions())
    shots = tree(tmp_path / "shots", *(f"{name}.jpg" for name in names))
    assert len(found(shots)) == 2
    assert ("--fps 25 makes them one" in capfd.readouterr().err) is is_hinted


@pytest.mark.parametrize("name", ["...mp4", "..mp4", "clips/../...mp4"])
def test_no_name_leads_out_of_the_output_folder(tmp_path: Path, name: str) -> None:
    (folder,) = found(name).values()
    assert Path(folder).parent == Path("out")
    assert Path(folder).name.strip(".")
    jobs, empty = find_jobs(["no-such-folder/..", ""], Path("out"))
    assert not jobs
    assert empty == ["no-such-folder/..", ""]


def test_shards_are_disjoint_and_whole(tmp_path: Path) -> None:
    jobs, _ = find_jobs([str(tree(tmp_path, *(f"{i}.mp4" for i in range(10))))], Path("out"))
    parts = [list(shard(jobs, i, 3)) for i in (1, 2, 3)]
    assert sorted(map(len, parts)) == [3, 3, 4]
    assert {job for part in parts for job in part} == set(jobs)


def test_a_folder_that_cannot_be_read_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    clips, real = tree(tmp_path / "clips", "closed/x.mp4", "open/y.mp4"), os.scandir

    def scandir(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    start_logging(LogOptions())
    assert found(clips) == {"y.mp4": "out/open/y"}
    assert (
        f"{clips / 'closed'}: cannot be read (Permission denied), and is left out"
        in capfd.readouterr().err
    )


def test_a_list_that_was_made_on_windows_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = tree(tmp_path, "x.mp4", "y.mp4")
    text = f"{clips / 'x.mp4'}\r\n{clips / 'y.mp4'}\r\n\r\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert found("-") == {"x.mp4": "out/x", "y.mp4": "out/y"}


def test_names_as_long_as_a_disk_has_them_have_results_of_their_own() -> None:
    jobs, _ = find_jobs([f"{'x' * 250}{number}.mp4" for number in (1, 2)], Path("out"))
    assert len({job.folder for job in jobs}) == 2
    assert max(len(job.folder.name) for job in jobs) <= 200


def test_a_video_on_stdin_is_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = moving(tmp_path / "clip.mp4", frames=2).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(video)))
    with pytest.raises(UsageError, match="what comes there is a video itself"):
        find_jobs(["-"], Path("out"))
