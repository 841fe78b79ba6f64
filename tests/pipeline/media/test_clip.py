"""Clips of all kinds through one interface."""

import os
from pathlib import Path

import pytest

from core.errors import InputError
from pipeline.media.clip import open_clip
from pipeline.media.options import ClipOptions
from pipeline.media.video.fitting import Size, shrink
from pipeline.media.video_reader import VideoReader
from testkit.make_video import moving, run_ffmpeg
from testkit.video_kinds import psnr_db
from tests.pipeline.media.made_pictures import shots


def test_a_file_that_is_no_picture_is_opened_as_a_video(tmp_path: Path) -> None:
    with open_clip(moving(tmp_path / "a.mp4", frames=2)) as reader:
        assert isinstance(reader, VideoReader)
        assert reader.picture_numbers is None


def test_numbered_pictures_are_a_clip_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = shots(tmp_path / "shots", 9, 10, 100, 2)
    (folder / "notes.txt").write_text("not a picture")
    with open_clip(folder, ClipOptions(fps=12.5)) as reader:
        frames = list(reader)
    assert [frame.rgb[0, 0, 0] for frame in frames] == [2, 9, 10, 100]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.08, 0.16, 0.24])
    assert reader.picture_numbers == [2, 9, 10, 100]
    assert (reader.info.fps, reader.info.frame_count, reader.info.duration_s) == (
        12.5,
        4,
        pytest.approx(0.32),
    )


def test_a_pipe_among_the_pictures_is_not_waited_for(tmp_path: Path) -> None:
    folder = shots(tmp_path / "shots", 1, 2)
    os.mkfifo(folder / "3.png")
    with (
        open_clip(folder, ClipOptions(fps=10)) as reader,
        pytest.raises(InputError, match=r"3.png: is a pipe or a device, not a file"),
    ):
        list(reader)


def test_a_part_of_a_sequence_keeps_its_frames_numbers_and_times(tmp_path: Path) -> None:
    folder = shots(tmp_path / "shots", *range(1, 11))
    with open_clip(folder, ClipOptions(0.3, 0.5, fps=10)) as reader:
        assert [(frame.index, frame.rgb[0, 0, 0]) for frame in reader] == [(3, 4), (4, 5)]
    with (
        open_clip(folder, ClipOptions(5.0, None, fps=10)) as reader,
        pytest.raises(InputError, match="no picture from 5 s on"),
    ):
        list(reader)


def test_frames_of_any_clip_come_at_the_size_that_is_asked_for(tmp_path: Path) -> None:
    plain = moving(tmp_path / "plain.mp4", frames=3)
    turned, square = tmp_path / "turned.mp4", tmp_path / "wide_pixels.mp4"
    run_ffmpeg("-display_rotation", "90", "-i", str(plain), "-c", "copy", str(turned))
    run_ffmpeg("-i", str(plain), "-vf", "setsar=4/3", str(square))
    folder = shots(tmp_path / "shots", 1, 2, 3)
    for clip, options in (
        (plain, ClipOptions()), (turned, ClipOptions()), (square, ClipOptions()),
        (folder, ClipOptions(fps=10)),
    ):  # fmt: skip
        with open_clip(clip, options) as reader:
            info, frames = reader.info, list(reader)
        size = Size(info.width // 3 // 2 * 2, info.height // 3 // 2 * 2)
        with open_clip(clip, options, size) as reader:
            assert reader.info == info
            small = list(reader)
        for frame, whole in zip(small, frames, strict=True):
            assert (frame.index, frame.time_s) == (whole.index, whole.time_s)
            assert psnr_db(frame.rgb, shrink(whole.rgb, size)) > 25
