"""Clips as people have them, through all stages."""

from pathlib import Path

import numpy as np
import pytest

from core.types import Floats
from pipeline.config import PipelineConfig
from pipeline.results.report import NO_PEOPLE
from pipeline.results.result import Person, Result
from pipeline.run import process_video
from testkit.make_video import read, samples
from testkit.stored.ours import our_poses
from tests.pipeline.media.field_files import field_file

BRIGHTER = 50.0


def processed(path: Path, folder: Path, **options: object) -> Result:
    return process_video(path, PipelineConfig.from_flat(**options), folder)


@pytest.mark.parametrize(
    ("name", "times_s"), [("trim.mp4", [0.4, 1.4, 2.4]), ("flashb.avi", [1.0, 2.0])]
)
def test_flashes_and_beeps_stay_together(name: str, times_s: list[float], tmp_path: Path) -> None:
    no_one = our_poses(tmp_path, [[]], (884, 498))
    result = processed(field_file(name), tmp_path / "out", keypoints=no_one)
    assert result.report.warnings == (NO_PEOPLE,)
    made = next((tmp_path / "out").glob("*_3d.mp4"))
    frames = read(made)
    light = np.array([frame.rgb[:, : frame.rgb.shape[1] // 2].mean() for frame in frames])
    flashes = [frames[i + 1].time_s for i in np.flatnonzero(np.diff(light) > BRIGHTER)]
    loud = np.abs(samples(made).astype(int)) > 500
    beeps = [i / 8000 for i in np.flatnonzero(loud) if not loud[max(0, i - 800) : i].any()]
    assert flashes == pytest.approx(times_s, abs=0.05)
    assert beeps == pytest.approx(times_s, abs=0.05)


@pytest.mark.parametrize("name", ["inter.mts", "av1.mp4"])
def test_people_are_found_where_opencv_sees_none(name: str, tmp_path: Path) -> None:
    result = processed(field_file(name), tmp_path, render=False)
    assert len(result.people) == 2
    assert result.report.warnings == ()
    assert result.report.video.decoder.startswith("ffmpeg: ")


def test_wide_pixels_make_no_thin_people(tmp_path: Path) -> None:
    square = processed(field_file("base.mp4"), tmp_path / "square", render=False)
    wide = processed(field_file("sar.mp4"), tmp_path / "wide", render=False)
    apart_m = [_apart_m(*both) for both in zip(square.people, wide.people, strict=True)]
    assert np.mean(np.concatenate(apart_m)) < 0.015


def _apart_m(one: Person, other: Person) -> Floats:
    """(T, J) distances of two persons' joints from each other in the frames that both have."""
    here = np.isin(one.frame_indices, other.frame_indices)
    there = np.isin(other.frame_indices, one.frame_indices)
    difference = one.joints_camera_m[here] - other.joints_camera_m[there]
    distances: Floats = np.linalg.norm(difference, axis=-1)
    return distances


def test_a_part_of_a_recording_has_the_rate_of_its_frames(tmp_path: Path) -> None:
    result = processed(field_file("rec1000.webm"), tmp_path, render=False, start=2.0, end=3.0)
    assert result.report.video.fps == pytest.approx(31, abs=0.5)
    assert result.report.measures["foot_skate_m_s"] is not None


def test_a_name_as_long_as_a_disk_has_them_is_done(tmp_path: Path) -> None:
    clip = tmp_path / f"{'x' * 251}.mp4"
    clip.write_bytes(field_file("av1.mp4").read_bytes())
    result = process_video(clip, PipelineConfig.from_flat(output=tmp_path / "out"))
    assert sorted(result.report.files) == sorted(
        ["poses.npz", "tracks.npz", f"{result.folder.name}_3d.mp4"]
    )
