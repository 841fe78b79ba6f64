"""Pictures of a result: animation, contact sheet, plots, recording; and VideoPose3D's array."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.export.__main__ import main
from pipeline.export.base import write_exports
from pipeline.results.report import read_report
from pipeline.results.result import Result, load_result
from testkit.made.made_people import FRAMES, THERE, two_people
from testkit.results import FRAMES as CLIP_FRAMES
from testkit.results import made_result


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A result whose clip is still there."""
    return made_result(tmp_path_factory.mktemp("filmed"), people=2)


def test_a_gif_has_the_times_of_the_video(filmed: Result, tmp_path: Path) -> None:
    assert write_exports(filmed, ["gif"], tmp_path).lines == ()
    with Image.open(tmp_path / "clip.gif") as animation:
        assert animation.width == 800
        lasts_ms = 0
        for number in range(animation.n_frames):
            animation.seek(number)
            lasts_ms += animation.info["duration"]
        assert animation.info["loop"] == 0
    assert lasts_ms == pytest.approx(CLIP_FRAMES / filmed.report.video.fps * 1000, abs=100)


def test_a_contact_sheet_shows_the_video_and_the_people(filmed: Result, tmp_path: Path) -> None:
    assert write_exports(filmed, ["png"], tmp_path).lines == ()
    sheet = np.asarray(Image.open(tmp_path / "clip.png").convert("RGB")).astype(int)
    assert sheet.shape[1] == 3 * 640 + 2 * 4
    tile = sheet[:180, :640]
    assert tile[:, :400].std() > 10
    orange = (tile[..., 0] > 200) & (tile[..., 2] < 120)
    assert orange.any()


def test_pictures_of_a_video_that_is_gone_are_blank_and_that_is_said(
    filmed: Result, tmp_path: Path
) -> None:
    copy = shutil.copytree(filmed.folder, tmp_path / "copy")
    report = (copy / "report.json").read_text()
    (copy / "report.json").write_text(report.replace("clip.mp4", "lost.mp4"))
    assert main([str(copy), "--to", "png", "--plots"]) == 0
    written = read_report(copy)
    assert any("lost.mp4 is not there any more" in line for line in written.warnings)
    assert {"lost.png", "lost_person1_angles.png"} <= set(written.files)
    assert load_result(copy).report.exports == {"npz", "png", "plots"}


def test_plots_break_where_the_person_is_away(tmp_path: Path) -> None:
    assert write_exports(two_people(tmp_path), ["plots"], tmp_path).lines == ()
    plot = cv2.imread(str(tmp_path / "clip_person1_angles.png"))
    assert plot.shape[1] == 1100
    knee = plot[40:170].astype(int)  # the first panel
    is_line = (np.abs(knee - knee.mean(2, keepdims=True)).max(2) > 60).any(0)
    columns = np.flatnonzero(is_line)
    assert np.diff(columns).max() > 100  # half a second of three
    assert (tmp_path / "clip_person2_angles.png").exists()


def test_npy_has_a_row_a_frame(tmp_path: Path) -> None:
    result = two_people(tmp_path)
    assert write_exports(result, ["npy"], tmp_path).lines == ()
    array = np.load(tmp_path / "clip_person1.npy")
    assert array.shape == (FRAMES, 21, 3)
    np.testing.assert_array_equal(array[THERE], result.people[0].joints_camera_m)
    assert np.isnan(array[30:45]).all()
    assert np.isnan(np.load(tmp_path / "clip_person2.npy")[:10]).all()
