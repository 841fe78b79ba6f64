"""Videos as people have them, read through the one door: sizes, counts, times and warnings."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.media.clip import open_clip
from pipeline.media.options import ClipOptions
from pipeline.media.video.sound import find_sound
from testkit.video_kinds import expected_frames, psnr_db
from tests.pipeline.media.field_files import field_file


@pytest.mark.parametrize(
    ("name", "size", "frames", "last_s", "decoder"),
    [
        ("base.mp4", (884, 498), 60, 1.967, "OpenCV"),
        ("inter.mts", (884, 496), 30, 0.967, "ffmpeg: interlaced"),
        ("tv1080i.ts", (1920, 1080), 25, 0.96, "ffmpeg: interlaced"),
        ("dv.avi", (1024, 576), 25, 0.96, "ffmpeg: interlaced"),
        ("av1.mp4", (884, 498), 15, 0.467, "ffmpeg: its frames may change their size"),
        ("flashb.avi", (884, 498), 90, 2.967, "ffmpeg: frames without times"),
        ("trim.mp4", (884, 498), 92, 3.067, "ffmpeg: frames hidden by an edit list"),
        ("hflip.mp4", (884, 498), 60, 1.967, "ffmpeg: mirrored"),
        ("sar.mp4", (1024, 576), 60, 1.967, "ffmpeg: pixels of 64:45"),
        ("longsound.mkv", (884, 498), 60, 1.967, "OpenCV"),
        ("jump.ts", (640, 360), 96, 3.167, "ffmpeg: its clock leaps"),
        ("anim.webp", (442, 249), 60, 1.947, "ffmpeg: its frames may change their size"),
        ("photo.jfif", (884, 498), 1, 0.0, "OpenCV"),
    ],
)
def test_a_file_is_read_as_it_is_meant(
    name: str, size: tuple[int, int], frames: int, last_s: float, decoder: str
) -> None:
    with open_clip(field_file(name)) as reader:
        read = [(frame.time_s, frame.rgb.shape) for frame in reader]
    assert (reader.info.width, reader.info.height) == size
    assert {shape for _, shape in read} == {(size[1], size[0], 3)}
    assert len(read) == frames
    assert read[-1][0] == pytest.approx(last_s, abs=0.002)
    assert reader.info.decoder == decoder
    assert reader.warning is None


@pytest.mark.parametrize("name", ["inter.mts", "tv1080i.ts", "hflip.mp4"])
def test_pictures_are_those_that_ffmpeg_shows(name: str) -> None:
    path = field_file(name)
    with open_clip(path) as reader:
        frames = [frame.rgb for frame in reader]
    expected = expected_frames(path, "null", reader.info.width, reader.info.height)
    assert min(psnr_db(f, e) for f, e in zip(frames, expected, strict=True)) >= 30


def test_wide_pixels_lie_where_those_of_the_square_twin_do() -> None:
    with open_clip(field_file("sar.mp4")) as wide, open_clip(field_file("base.mp4")) as square:
        pairs = [(w.rgb, s.rgb) for w, s in zip(wide, square, strict=True)]
    for rgb, twin in pairs[::20]:
        resized = cv2.resize(twin, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        assert psnr_db(rgb, resized) >= 34
        greys = [cv2.cvtColor(of, cv2.COLOR_RGB2GRAY).astype(float) for of in (resized, rgb)]
        shift_px, _ = cv2.phaseCorrelate(*greys)
        assert np.hypot(*shift_px) < 0.1


def test_a_picture_that_changes_its_shape_gets_bars_and_is_told() -> None:
    with open_clip(field_file("turn2.ts")) as reader:
        frames = [frame.rgb for frame in reader]
    assert len(frames) == 96
    tall = frames[60]
    assert not tall[:, :215].any()
    assert not tall[:, -215:].any()
    assert tall[:, 222:418].mean() > 60
    assert reader.warning is not None
    assert "its picture becomes 360 × 640 px at 1.60 s" in reader.warning


@pytest.mark.parametrize("options", [ClipOptions(), ClipOptions(start=2.0)])
def test_a_container_s_clock_is_no_frame_rate(options: ClipOptions) -> None:
    with open_clip(field_file("rec1000.webm"), options) as reader:
        times = np.array([frame.time_s for frame in reader])
    assert reader.info.fps == pytest.approx(31, abs=0.5)
    assert np.median(np.diff(times)) > 0.015


@pytest.mark.parametrize(("name", "lead_s"), [("trim.mp4", 0.0), ("flashb.avi", 1 / 30)])
def test_sound_starts_with_the_first_frame_that_is_shown(name: str, lead_s: float) -> None:
    sound = find_sound(field_file(name))
    assert sound is not None
    assert sound.lead_s == pytest.approx(lead_s, abs=0.001)


def test_a_photo_of_another_ending_is_upright(tmp_path: Path) -> None:
    source = field_file("photo.jfif")
    copy = tmp_path / "photo"
    copy.write_bytes(source.read_bytes())
    for path in (source, copy):
        with open_clip(path) as reader:
            [frame] = reader
        assert frame.rgb.shape == (498, 884, 3)
