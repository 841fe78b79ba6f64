"""Frames read a second time are those of the first reading, wherever a file is sought."""

from pathlib import Path

import numpy as np
import pytest

from core.types import Frame, VideoInfo
from pipeline.media.clip import open_clip
from pipeline.media.ffmpeg_program import frame_sync_option
from pipeline.media.options import WHOLE_CLIP, ClipOptions
from pipeline.media.reread import Rereader
from testkit.make_video import encode, run_ffmpeg
from tests.pipeline.media.field_files import field_file


def read(path: Path, options: ClipOptions) -> tuple[VideoInfo, list[Frame]]:
    with open_clip(path, options) as clip:
        return clip.info, list(clip)


def check(path: Path, options: ClipOptions = WHOLE_CLIP, info: VideoInfo | None = None) -> None:
    described, frames = read(path, options)
    indices = np.array([frame.index for frame in frames])
    times_s = np.array([frame.time_s for frame in frames])
    with Rereader(path, options, info or described, indices, times_s) as reread:
        for start, stop in ((len(frames) - 7, len(frames)), (3, 9), (0, 1)):
            again = reread.frames(start, stop)
            assert [frame.index for frame in again] == [*indices[start:stop]]
            assert [frame.time_s for frame in again] == pytest.approx([*times_s[start:stop]])
            for a, b in zip(again, frames[start:stop], strict=True):
                assert np.array_equal(a.rgb, b.rgb)


@pytest.fixture
def numbered(tmp_path: Path) -> list[np.ndarray]:
    return [np.full((64, 96, 3), 3 * i, np.uint8) for i in range(80)]


def test_videos_that_can_be_sought(tmp_path: Path, numbered: list[np.ndarray]) -> None:
    check(encode(tmp_path / "b.mp4", numbered, "30000/1001", "-bf 3 -g 30"))
    check(encode(tmp_path / "b.mkv", numbered, "24", "-bf 3 -g 500"))
    check(encode(tmp_path / "b.mp4", numbered), ClipOptions(start=1.0, end=2.5))


def test_a_variable_rate(tmp_path: Path, numbered: list[np.ndarray]) -> None:
    even, odd = encode(tmp_path / "even.mp4", numbered), tmp_path / "odd.mp4"
    kept = "select='not(mod(n,7))+not(mod(n,5))+gt(n,40)'"
    run_ffmpeg("-i", str(even), "-vf", kept, f"-{frame_sync_option()}", "vfr", str(odd))
    check(odd)


@pytest.mark.parametrize("name", ["inter.mts", "jump.ts", "trim.mp4", "rec1000.webm"])
def test_videos_as_people_have_them(name: str) -> None:
    check(field_file(name))


def test_folders_of_pictures(tmp_path: Path, numbered: list[np.ndarray]) -> None:
    run_ffmpeg("-i", str(encode(tmp_path / "a.mp4", numbered)), str(tmp_path / "%03d.png"))
    (tmp_path / "a.mp4").unlink()
    check(tmp_path, ClipOptions(fps=25))


def test_where_its_stamps_are_not_its_times_a_file_is_read_from_its_start(
    tmp_path: Path, numbered: list[np.ndarray]
) -> None:
    path = encode(
        tmp_path / "stamps.mkv", numbered, "25", r"-bsf:v setts=ts=if(gt(N\,39)\,TS-900\,TS)"
    )
    check(path)
