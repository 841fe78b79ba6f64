"""What a video gives, whatever wrote it: upright frames, their times, warnings where due."""

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError, OutputError
from pipeline.media import ffmpeg_program
from pipeline.media.frame_times import constant_rate, measured
from pipeline.media.video_reader import VideoReader, probe
from testkit.make_video import (
    BLUE,
    GREEN,
    RED,
    encode,
    marked,
    moving,
    read,
    run_ffmpeg,
    same_colour,
    turn_display,
    uneven,
)
from testkit.video_kinds import Source, encoded


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_phone_clips_come_out_upright(tmp_path: Path, degrees: int) -> None:
    stored = np.rot90(marked(96, 64), degrees // 90)  # np turns anticlockwise
    clip = encode(tmp_path / "phone.mp4", [np.ascontiguousarray(stored)] * 2)
    turn_display(clip, degrees)
    info, frame = probe(clip), read(clip)[1]
    assert (info.width, info.height, info.rotation) == (96, 64, degrees)
    assert frame.rgb.shape == (64, 96, 3)
    assert same_colour(frame.rgb[8, 8], RED)
    assert same_colour(frame.rgb[8, -8], GREEN)
    assert same_colour(frame.rgb[-8, 8], BLUE)


@pytest.mark.parametrize("name", ["uneven.mp4", "uneven.mkv"])
def test_variable_frame_times_are_the_container_s(tmp_path: Path, name: str) -> None:
    kept = [0, 1, 2, 7, 8, 20, 21, 22, 49, 50]
    frames = read(uneven(tmp_path / name, kept))
    assert [frame.index for frame in frames] == list(range(len(kept)))
    np.testing.assert_allclose([frame.time_s for frame in frames], np.array(kept) / 50, atol=0.001)


def test_measured_times_replace_the_container_s_guesses(tmp_path: Path) -> None:
    kept = [0, 1, 2, 7, 8, 20, 21, 22, 49, 50]
    clip = uneven(tmp_path / "uneven.mkv", kept)
    with VideoReader(clip) as reader:
        info = measured(reader.info, np.array([frame.time_s for frame in reader]))
    assert reader.warning is None
    assert info.frame_count == 10
    assert info.duration_s == pytest.approx(1.02, abs=0.001)
    assert info.fps == pytest.approx(10 / 1.02, rel=0.01)


@pytest.mark.parametrize("fps", ["25", "30000/1001", "60"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_constant_rates_are_recognised_exactly(tmp_path: Path, fps: str, suffix: str) -> None:
    clip = moving(tmp_path / f"even.{suffix}", frames=30, fps=fps)
    times = np.array([frame.time_s for frame in read(clip)])
    np.testing.assert_allclose(times, np.arange(30) / float(Fraction(fps)), atol=0.001)
    assert constant_rate(times, probe(clip).fps) == Fraction(fps)


def test_joined_recordings_whose_clock_restarts_rise_on(tmp_path: Path) -> None:
    part = moving(tmp_path / "part.ts", frames=40)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part.read_bytes() * 2)
    times = [frame.time_s for frame in read(joined)]
    np.testing.assert_allclose(times, np.arange(80) / 25, atol=0.001)


def test_frames_without_any_time_get_the_nominal_rate(tmp_path: Path) -> None:
    times = [frame.time_s for frame in read(moving(tmp_path / "bare.h264", frames=10))]
    np.testing.assert_allclose(times, np.arange(10) / 25)


def test_odd_sizes_and_single_frames(tmp_path: Path) -> None:
    clip = encode(tmp_path / "odd.mp4", [marked(97, 65)])
    info = probe(clip)
    assert (info.width, info.height, info.frame_count) == (97, 65, 1)
    (frame,) = read(clip)
    assert (frame.index, frame.time_s) == (0, 0.0)
    assert same_colour(frame.rgb[64, 0], BLUE)


def test_frame_count_is_none_where_the_container_does_not_know(tmp_path: Path) -> None:
    info = probe(moving(tmp_path / "bare.h264"))
    assert info.frame_count is None
    assert info.duration_s is None


def test_start_and_end_keep_index_and_time(tmp_path: Path) -> None:
    clip = moving(tmp_path / "clip.mp4", frames=25)
    whole, part = read(clip), read(clip, 0.2, 0.4)
    assert [frame.index for frame in part] == [5, 6, 7, 8, 9]
    np.testing.assert_allclose([frame.time_s for frame in part], [0.2, 0.24, 0.28, 0.32, 0.36])
    np.testing.assert_array_equal(part[0].rgb, whole[5].rgb)
    with pytest.raises(InputError, match=r"no frame from 7 s on; the last one read is at 0.960 s"):
        read(clip, 7.0)


def test_a_whole_file_has_no_warning(tmp_path: Path) -> None:
    with VideoReader(moving(tmp_path / "good.mp4", sound_s=1.0)) as reader:
        assert len(list(reader)) == 25
    assert reader.warning is None


def _codecs(suffix: str) -> str:
    return {"avi": "-c:v mpeg4 -bf 0", "wmv": "-c:v wmv2 -bf 0", "flv": "-ar 44100"}.get(suffix, "")


@pytest.mark.parametrize("suffix", ["mkv", "flv", "ts", "mp4", "avi", "wmv"])
def test_sound_longer_than_the_picture_makes_no_warning(tmp_path: Path, suffix: str) -> None:
    clip = moving(tmp_path / f"long.{suffix}", sound_s=20.0, options=_codecs(suffix))
    with VideoReader(clip) as reader:
        assert len(list(reader)) == 25
    assert reader.warning is None
    assert reader.info.frame_count == pytest.approx(25, abs=1)
    assert reader.info.duration_s == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("suffix", ["mkv", "avi", "flv"])
def test_a_file_cut_short_is_told_from_one_with_long_sound(tmp_path: Path, suffix: str) -> None:
    clip = moving(tmp_path / f"cut.{suffix}", frames=100, options=_codecs(suffix))
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with VideoReader(clip) as reader:
        assert 20 < len(list(reader)) < 80
    assert reader.warning is not None
    assert "cut short or damaged" in reader.warning


def test_subtitles_longer_than_the_picture_make_no_warning(tmp_path: Path) -> None:
    lines = tmp_path / "lines.srt"
    late = "1\n00:00:00,000 --> 00:00:01,000\none\n\n2\n00:01:00,000 --> 00:01:30,000\ntwo\n"
    lines.write_text(late)
    picture, clip = moving(tmp_path / "picture.mp4"), tmp_path / "clip.mkv"
    words = ["-i", str(picture), "-i", str(lines), "-map", "0:v", "-map", "1", "-c:v", "copy"]
    run_ffmpeg(*words, str(clip))
    with VideoReader(clip) as reader:
        assert len(list(reader)) == 25
    assert (reader.warning, reader.info.frame_count) == (None, 25)


def test_without_an_ffmpeg_program_a_warning_says_what_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = moving(tmp_path / "clip.mp4")

    def none() -> str:
        raise OutputError("no ffmpeg program")

    monkeypatch.setattr(ffmpeg_program, "ffmpeg_program", none)
    with VideoReader(clip) as reader:
        assert len(list(reader)) == 25
    assert reader.info.decoder == "OpenCV"
    assert reader.warning is not None
    assert "no ffmpeg to ask whether OpenCV's pictures are right" in reader.warning


@pytest.mark.parametrize(("profile", "compatibility", "is_told"), [(5, 0, True), (8, 1, False)])
def test_colours_that_only_dolby_vision_has_are_told(
    profile: int, compatibility: int, is_told: bool, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    encoded("-vf setsar=1 -c:v libx264")(path, Source(160, 96, 6))
    data = bytearray(path.read_bytes())
    at = data.index(b"pasp") - 4  # this box and the one behind it become Dolby's
    assert data.index(b"btrt") - 4 == at + 16
    record = struct.pack(">BBHB", 1, 0, profile << 9 | 6 << 3 | 0b101, compatibility << 4)
    data[at : at + 36] = struct.pack(">I4s28s", 36, b"dvcC", record)
    path.write_bytes(data)
    with VideoReader(path) as reader:
        assert len(list(reader)) == 6
    assert ("Dolby Vision" in (reader.warning or "")) is is_told


@pytest.mark.parametrize(("written", "expected"), [("24", 24 * 160 / 34.61), ("0", None)])
def test_the_lens_is_what_the_phone_wrote_into_the_video(
    tmp_path: Path, written: str, expected: float | None
) -> None:
    tag = f"com.apple.quicktime.camera.focal_length.35mm_equivalent={written}"
    clip = moving(tmp_path / "IMG.MOV", options=f"-movflags use_metadata_tags -metadata {tag}")
    focal_px = probe(clip).focal_px
    assert focal_px == (None if expected is None else pytest.approx(expected, rel=1e-3))
