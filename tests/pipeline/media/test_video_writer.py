import shutil
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from core.errors import OutputError
from core.types import VideoInfo
from pipeline.media import ffmpeg_program, video_writer
from pipeline.media.encoding import encoders
from pipeline.media.encoding.encoders import Encoder, encoder_of
from pipeline.media.frame_times import constant_rate
from pipeline.media.video_reader import VideoReader, probe
from pipeline.media.video_writer import VideoWriter
from testkit.make_video import (
    RED,
    describe,
    encode,
    marked,
    moving,
    packet_times,
    packets,
    read,
    run_ffmpeg,
    same_colour,
    samples,
    uneven,
)


def copy(
    source: Path, target: Path, start_s: float | None = None, end_s: float | None = None
) -> None:
    """Decode and encode, as the two passes do it."""
    times = np.array([frame.time_s for frame in read(source, start_s, end_s)])
    info = probe(source)
    with (
        VideoReader(source, start_s, end_s) as reader,
        VideoWriter(target, info, constant_rate(times, info.fps), end_s) as writer,
    ):
        for frame in reader:
            writer.write(frame.rgb, frame.time_s)


def _missing() -> str:
    raise RuntimeError


@pytest.fixture(params=["on PATH", "bundled"])
def each_ffmpeg(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "on PATH" and shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg on PATH; the bundled one is tested")
    if request.param == "bundled":
        monkeypatch.setattr(shutil, "which", lambda name: None)
    else:
        monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", _missing)
    ffmpeg_program.ffmpeg_program.cache_clear()
    yield
    ffmpeg_program.ffmpeg_program.cache_clear()


@pytest.mark.usefixtures("each_ffmpeg")
@pytest.mark.parametrize("fps", ["25", "24000/1001"])
def test_a_written_video_is_the_source_s_equal(tmp_path: Path, fps: str) -> None:
    clip, out = moving(tmp_path / "clip.mp4", fps=fps, sound_s=1.0), tmp_path / "out.mp4"
    copy(clip, out)
    np.testing.assert_allclose(packet_times(out), np.arange(25) / float(Fraction(fps)), atol=1e-5)
    streams = describe(out)
    assert "Video: h264" in streams
    assert "yuv420p" in streams
    assert packet_times(out, "a:0") == pytest.approx(packet_times(clip, "a:0"))
    data = out.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays while it loads
    difference = np.abs(read(out)[12].rgb.astype(int) - read(clip)[12].rgb)
    assert difference.mean() < 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.mp4"]


@pytest.mark.usefixtures("each_ffmpeg")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_frame_times_survive_writing(tmp_path: Path, suffix: str) -> None:
    kept = [0, 1, 2, 7, 8, 20, 21, 22, 49, 50]
    clip, out = uneven(tmp_path / f"clip.{suffix}", kept), tmp_path / "out.mp4"
    copy(clip, out)
    np.testing.assert_allclose(packet_times(out), np.array(kept) / 50, atol=0.001)
    # ffmpeg before 6 gives the last frame the usual duration
    assert sum(packets(out)[-1]) == pytest.approx(51 / 50, abs=0.05)


def test_frames_hours_apart_keep_their_times(tmp_path: Path) -> None:
    times_s, out = [0.0, 4000.0, 9000.0], tmp_path / "out.mp4"
    info = VideoInfo(tmp_path / "clip.mp4", 64, 48, 3 / 14000, 3, 0, 14000.0)
    with VideoWriter(out, info, constant_rate(np.array(times_s), info.fps), sound=False) as writer:
        for time_s in times_s:
            writer.write(np.zeros((48, 64, 3), np.uint8), time_s)
    np.testing.assert_allclose(packet_times(out), times_s, atol=0.001)


@pytest.mark.usefixtures("each_ffmpeg")
@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "pcm_s16le"])
def test_sound_is_in_sync_in_a_part(tmp_path: Path, codec: str) -> None:
    # silence for a second, then a tone: in the part from 0.6 s on it must start at 0.4 s
    late = f"-af adelay=1000 -c:a {codec}"
    clip = moving(tmp_path / "clip.mkv", frames=75, sound_s=2.0, options=late)
    out = tmp_path / "out.mp4"
    copy(clip, out, 0.6, 2.2)
    sound = samples(out)
    assert np.argmax(np.abs(sound) > 500) / 8000 == pytest.approx(0.4, abs=0.03)
    assert len(sound) / 8000 == pytest.approx(1.6, abs=0.08)  # whole blocks are cut
    assert len(read(out)) == 40


@pytest.mark.usefixtures("each_ffmpeg")
def test_sound_that_starts_before_or_after_the_picture(tmp_path: Path) -> None:
    for delay in ("-0.5", "0.5"):
        clip, out = tmp_path / "clip.mkv", tmp_path / "out.mp4"
        plain = moving(
            tmp_path / "plain.mkv", frames=50, sound_s=2.0, options="-af adelay=1000 -c:a aac"
        )
        _shift_sound(plain, clip, delay)
        copy(clip, out)
        onset = np.argmax(np.abs(samples(out)) > 500) / 8000
        assert onset == pytest.approx(1 + float(delay), abs=0.03)


def _shift_sound(source: Path, target: Path, delay_s: str) -> None:
    inputs = ["-i", str(source), "-itsoffset", delay_s, "-i", str(source)]
    run_ffmpeg(*inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", str(target))


def test_sound_that_mp4_cannot_hold_is_encoded_again(tmp_path: Path) -> None:
    clip = moving(tmp_path / "clip.mkv", sound_s=1.0, options="-c:a pcm_s16le")
    out = tmp_path / "out.mp4"
    copy(clip, out)
    assert "Audio: aac" in describe(out)


def test_odd_pictures_are_padded_by_a_pixel(tmp_path: Path) -> None:
    clip, out = encode(tmp_path / "odd.mp4", [marked(97, 65)] * 3), tmp_path / "out.mp4"
    copy(clip, out)
    info = probe(out)
    assert (info.width, info.height, info.frame_count) == (98, 66, 3)
    assert same_colour(read(out)[0].rgb[8, 8], RED)


def test_an_exception_leaves_nothing_behind(tmp_path: Path) -> None:
    clip, out = moving(tmp_path / "clip.mp4"), tmp_path / "out.mp4"
    out.write_bytes(b"an older result")
    with pytest.raises(KeyError):
        _break_off(clip, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.mp4"]
    assert out.read_bytes() == b"an older result"


def _break_off(clip: Path, out: Path) -> None:
    with VideoReader(clip) as reader, VideoWriter(out, reader.info) as writer:
        for frame in reader:
            writer.write(frame.rgb, frame.time_s)
            if frame.index == 10:
                raise KeyError("stop")


@pytest.mark.parametrize("reads_first", [False, True])
def test_a_failing_encoder_is_an_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads_first: bool
) -> None:
    clip = moving(tmp_path / "clip.mp4")
    program = tmp_path / "ffmpeg"
    read_all = "sys.stdin.buffer.read()" if reads_first else ""
    program.write_text(
        f"#!{sys.executable}\nimport sys\n{read_all}\nsys.exit('x\\nNo space left on device')\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(video_writer, "ffmpeg_program", lambda: str(program))
    with pytest.raises(OutputError, match=r"out.mp4: ffmpeg failed \(1\): No space left on device"):
        copy(clip, tmp_path / "out.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "ffmpeg"]


def test_a_folder_that_is_not_there_and_a_name_that_is_taken(tmp_path: Path) -> None:
    clip = moving(tmp_path / "clip.mp4")
    with pytest.raises(OutputError, match="No such file or directory"):
        copy(clip, tmp_path / "nowhere" / "out.mp4")
    (tmp_path / "taken.mp4").mkdir()
    with pytest.raises(OutputError, match="Is a directory"):
        copy(clip, tmp_path / "taken.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "taken.mp4"]


def test_no_frame_is_no_video(tmp_path: Path) -> None:
    info = probe(moving(tmp_path / "clip.mp4"))
    with pytest.raises(OutputError, match="no frame"), VideoWriter(tmp_path / "out.mp4", info):
        pass
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    "name",
    [
        'it\'s "a" clip ü 50%.mp4',
        "-i.mp4",
        "concat:a|b.mp4",
        "take%03d.mp4",
        "a\nb.mp4",
        "\udcff.mp4",
    ],
)
def test_names_are_only_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    moving(tmp_path / name, sound_s=1.0)
    monkeypatch.chdir(tmp_path)
    copy(Path(name), Path("out.mp4"))
    assert len(read(Path("out.mp4"))) == 25
    assert "Audio: aac" in describe(Path("out.mp4"))


def test_an_encoder_that_works_here_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    of_a_chip = Encoder({"vcodec": "mjpeg", "q:v": 3}, filters={"format": "yuvj420p", "vflip": ""})
    monkeypatch.setitem(encoders.HARDWARE, "nvenc", of_a_chip)
    monkeypatch.setitem(encoders.HARDWARE, "vaapi", Encoder({"vcodec": "h264_of_no_chip"}))
    encoder_of.cache_clear()
    clip = moving(tmp_path / "clip.mp4")
    for name, codec in (("nvenc", "mjpeg"), ("auto", "mjpeg"), ("vaapi", "h264")):
        out = tmp_path / f"{name}.mp4"
        with VideoReader(clip) as reader, VideoWriter(out, reader.info, encoder=name) as writer:
            for frame in reader:
                writer.write(frame.rgb, frame.time_s)
        assert f"Video: {codec}" in describe(out)
    encoder_of.cache_clear()
    assert [record.getMessage() for record in caplog.records] == [
        "encoder vaapi does not work here (Unknown encoder 'h264_of_no_chip'): libx264 encodes"
    ]
