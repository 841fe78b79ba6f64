"""Where the page's video goes, and what is said where there is none."""

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from pipeline.export.base import ExportOptions, write_exports
from pipeline.media.video_reader import VideoReader
from pipeline.results.result import Result
from testkit.made.array_results import Actor, array_result
from testkit.made.moving_people import striding
from testkit.make_video import moving


@pytest.fixture
def result(tmp_path: Path) -> Result:
    moving(tmp_path / "clip.mp4", frames=40, sound_s=1.0)
    joints, contacts = striding(40)
    return array_result(
        tmp_path, [Actor(np.arange(40), joints, contacts=contacts)], np.arange(40) / 25
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "exports"
    path.mkdir()
    return path


def test_the_video_is_in_the_page(result: Result, folder: Path) -> None:
    assert write_exports(result, ["html"], folder).lines == ()
    assert [file.name for file in folder.iterdir()] == ["clip.html"]
    assert "data:video/mp4;base64," in (folder / "clip.html").read_text()


def test_a_large_video_lies_beside_the_page_with_all_its_frames(
    result: Result, folder: Path
) -> None:
    written = write_exports(result, ["html"], folder, ExportOptions(embed_mb=0.001))
    assert written.notes == ["html: the page shows clip_page.mp4, which must lie beside it"]
    assert '"url":"clip_page.mp4"' in (folder / "clip.html").read_text()
    with VideoReader(folder / "clip_page.mp4") as video:
        times = [frame.time_s for frame in video]
    np.testing.assert_allclose(times, np.arange(40) / 25, atol=0.002)


def test_a_page_finds_a_video_of_any_name_beside_it(
    result: Result, folder: Path, tmp_path: Path
) -> None:
    path = (tmp_path / "clip.mp4").rename(tmp_path / "100% #1?.mp4")
    report = replace(result.report, video=replace(result.report.video, path=path))
    renamed = replace(result, report=report)
    assert write_exports(renamed, ["html"], folder, ExportOptions(embed_mb=0.001)).failures == []
    (url,) = re.findall('"url":"([^"]*)"', (folder / "100% #1?.html").read_text())
    assert (folder / unquote(urlsplit(url).path)).is_file()


def test_a_private_page_has_no_pixel(result: Result, folder: Path) -> None:
    assert write_exports(result, ["html"], folder, ExportOptions(private=True)).lines == ()
    page = (folder / "clip.html").read_text()
    assert "data:video" not in page
    assert '"video":null' in page


def test_a_video_that_was_named_from_another_folder_is_found(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = replace(result.report, video=replace(result.report.video, path=Path("clip.mp4")))
    there = replace(result, folder=tmp_path / "output" / "clip", report=report)
    for name in ("elsewhere", "output/clip"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert write_exports(there, ["html", "png"], there.folder).lines == ()
    assert "data:video/mp4;base64," in (there.folder / "clip.html").read_text()


def test_where_the_video_is_gone_the_page_has_none_and_says_so(
    result: Result, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "clip.mp4").unlink()
    written = write_exports(result, ["html"], folder)
    assert written.lines == ("html: clip.mp4 is not there any more: without its picture",)
    assert '"video":null' in (folder / "clip.html").read_text()
