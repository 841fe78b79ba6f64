import os
import socket
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError, OutputError
from pipeline.media import ffmpeg_program, video_reader
from pipeline.media.ffmpeg_program import frame_sync_option
from pipeline.media.frame_times import constant_rate, measured
from pipeline.media.images import write_image
from pipeline.media.video import facts, ffmpeg_decoder, frame_pipe
from pipeline.media.video.facts import examine
from pipeline.media.video.opencv_decoder import OpenCVDecoder
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


def test_a_file_cut_short_gives_its_frames_and_a_warning(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    clip = moving(tmp_path / "cut.mp4", frames=100, options="-movflags +faststart")
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with VideoReader(clip) as reader:
        frames = list(reader)
    assert 20 < len(frames) < 80
    assert reader.warning is not None
    assert f"only {len(frames)} of the 100 frames" in reader.warning
    assert capfd.readouterr().err == ""


def test_damage_in_the_middle_is_skipped_with_a_warning(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    clip = moving(tmp_path / "scratched.mp4", frames=100, options="-movflags +faststart")
    data = bytearray(clip.read_bytes())
    middle, length = len(data) // 2, len(data) // 5
    data[middle : middle + length] = np.random.default_rng(0).bytes(length)
    clip.write_bytes(data)
    with VideoReader(clip) as reader:
        times = [frame.time_s for frame in reader]
    assert times[-1] == pytest.approx(3.96)  # the good end is reached, at its own time
    assert np.all(np.diff(times) > 0)
    assert reader.warning is not None
    assert capfd.readouterr().err == ""


def test_a_whole_file_has_no_warning(tmp_path: Path) -> None:
    with VideoReader(moving(tmp_path / "good.mp4", sound_s=1.0)) as reader:
        assert len(list(reader)) == 25
    assert reader.warning is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.mp4", "no such file"),
        ("folder.mp4", "is a folder"),
        ("empty.mp4", "is empty"),
        ("text.mp4", "not a video"),
        ("sound.mp4", "sound but no picture"),
        ("no_index.mp4", "cut short.*moov"),
    ],
)
def test_a_file_that_is_no_video_gets_one_clear_line(
    tmp_path: Path, name: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is not a video, whatever its name says\n" * 50)
    moving(tmp_path / "sound.mp4", sound_s=1.0, options="-vn")
    whole = moving(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "no_index.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=reason) as error:
        probe(tmp_path / name)
    assert str(error.value).startswith(str(tmp_path / name))
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


def test_a_file_without_permission_is_not_called_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = moving(tmp_path / "private.mp4")
    # taking the right away would not stop root
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="permission denied"):
        probe(clip)


def test_a_picture_too_large_to_hold_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_reader, "MAX_PIXELS", 160 * 120 - 1)
    with pytest.raises(InputError, match=r"160 × 120 px is more than .* make it smaller first"):
        probe(moving(tmp_path / "huge.mp4"))


def test_a_pipe_or_device_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.mp4")
    with pytest.raises(InputError, match="is a pipe or a device"):
        probe(tmp_path / "fifo.mp4")
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        probe(tmp_path / ("x" * 300))


@pytest.mark.parametrize("kind", ["playlist.m3u8", "list.ffconcat"])
def test_an_address_in_a_playlist_is_not_fetched(tmp_path: Path, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/clip.ts"
        texts = {
            "playlist.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n"
            f"{address}\n#EXT-X-ENDLIST\n",
            "list.ffconcat": f"ffconcat version 1.0\nfile {address}\n",
        }
        (tmp_path / kind).write_text(texts[kind])
        with pytest.raises(InputError, match="its format is not read here"):
            probe(tmp_path / kind)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8", "list.idx"])
@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile {name}\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{name}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{folder}/{name}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\nfile:{folder}/{name}\n#EXT-X-ENDLIST\n",
        "# VobSub index file, v7\nsize: 160x120\nid: en, index: 0\n"
        "timestamp: 00:00:00:000, filepos: 000000000\n",
    ],
    ids=["concat", "hls", "hls absolute", "hls file:", "vobsub"],
)
def test_a_file_that_names_another_does_not_open_it(tmp_path: Path, name: str, text: str) -> None:
    neighbour, path = tmp_path / "list.sub", tmp_path / name  # VobSub's companion has this name
    moving(tmp_path / "list.ts").rename(neighbour)
    path.write_text(text.format(name=neighbour.name, folder=tmp_path))
    os.utime(neighbour, (0, 0))
    with pytest.raises(InputError, match=r"its format is not read here|not a video"):
        probe(path)
    assert not OpenCVDecoder(path).is_open
    assert neighbour.stat().st_atime == 0  # when it was last read


def test_a_url_is_a_missing_file_and_is_not_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        with pytest.raises(InputError, match="no such file"):
            probe(Path(f"http://127.0.0.1:{server.getsockname()[1]}/clip.mp4"))
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("suffix", ["mkv", "flv", "ts", "mp4", "avi", "wmv"])
def test_sound_longer_than_the_picture_makes_no_warning(tmp_path: Path, suffix: str) -> None:
    clip = moving(tmp_path / f"long.{suffix}", sound_s=20.0, options=_codecs(suffix))
    with VideoReader(clip) as reader:
        assert len(list(reader)) == 25
    assert reader.warning is None
    assert reader.info.frame_count == pytest.approx(25, abs=1)
    assert reader.info.duration_s == pytest.approx(1.0, abs=0.05)


def _codecs(suffix: str) -> str:
    return {"avi": "-c:v mpeg4 -bf 0", "wmv": "-c:v wmv2 -bf 0", "flv": "-ar 44100"}.get(suffix, "")


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


def test_nonsense_in_a_header_makes_no_warning(tmp_path: Path) -> None:
    clip = moving(tmp_path / "nonsense.avi", options="-c:v mpeg4 -bf 0")
    data = bytearray(clip.read_bytes())
    for box, offset in ((b"avih", 16), (b"strh", 32)):
        struct.pack_into("<I", data, data.index(box) + 8 + offset, 1_000_000)
    clip.write_bytes(data)
    with VideoReader(clip) as reader:
        assert len(list(reader)) == 25
    assert reader.warning is None
    assert reader.info.frame_count == 25


@pytest.mark.parametrize("suffix", ["mkv", "avi", "flv"])
def test_a_file_cut_short_is_told_from_one_with_long_sound(tmp_path: Path, suffix: str) -> None:
    clip = moving(tmp_path / f"cut.{suffix}", frames=100, options=_codecs(suffix))
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with VideoReader(clip) as reader:
        assert 20 < len(list(reader)) < 80
    assert reader.warning is not None
    assert "cut short or damaged" in reader.warning


def test_the_cover_of_a_song_is_no_video(tmp_path: Path) -> None:
    cover, song = tmp_path / "cover.jpg", tmp_path / "song.m4a"
    write_image(cover, marked())
    words = ["-f", "lavfi", "-i", "sine=440:d=1", "-i", str(cover), "-map", "0", "-map", "1"]
    run_ffmpeg(*words, "-c:v", "mjpeg", "-disposition:v", "attached_pic", str(song))
    with pytest.raises(InputError, match="has sound but no picture"):
        probe(song)


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


@pytest.mark.parametrize(
    ("coding", "name"),
    [("libx264 -preset ultrafast", "grows.ts"), ("mjpeg", "grows.mjpeg"), ("mjpeg", "grows.mkv")],
)
def test_a_picture_that_grows_beyond_the_limit_in_mid_stream_is_refused(
    coding: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenCVDecoder, "retrieve", None)  # it has no limit
    path = tmp_path / name
    joint = path.with_suffix(".mjpeg" if coding == "mjpeg" else ".ts")
    parts = []
    for side in (160, 8256):
        part = joint.with_stem(str(side))
        source = ("-f", "lavfi", "-i", f"color=s={side}x{side}:r=25:d=0.04")
        run_ffmpeg(*source, "-c:v", *coding.split(), "-threads", "1", str(part))
        parts.append(part.read_bytes())
    joint.write_bytes(b"".join(parts))
    if joint != path:
        run_ffmpeg("-i", str(joint), "-c", "copy", str(path))
    with pytest.raises(InputError, match="8256 × 8256 px is more than the 67 megapixels"):
        read(path)


@pytest.mark.parametrize("coding", ["-c:v libx264", "-c:v mpeg4"])
def test_a_file_that_takes_more_memory_than_there_is_for_it_is_refused(
    coding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = moving(tmp_path / "hungry.mp4", options=coding)
    frame_sync_option()  # asked once in a process, and not under the limit
    monkeypatch.setattr(ffmpeg_program, "_MEMORY_BYTES", 40 << 20)
    with pytest.raises(InputError, match=r"takes more memory to decode than the 4. MiB"):
        read(path)


def test_a_file_of_which_no_frame_comes_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o755)
    path = moving(tmp_path / "slow.mp4", options="-c:v mpeg4")
    examine(path)  # by the true program, once in a process
    monkeypatch.setattr(ffmpeg_decoder, "STALLED_S", 0.3)
    monkeypatch.setattr(frame_pipe, "ffmpeg_program", lambda: str(sleeper))
    with pytest.raises(InputError, match="its next frame takes more than 0 s"):
        read(path)
    monkeypatch.setattr(facts, "_LOOK_S", 0.3)
    monkeypatch.setattr(ffmpeg_program, "ffmpeg_program", lambda: str(sleeper))
    with pytest.raises(InputError, match="takes more than 0 s to look through"):
        read(moving(tmp_path / "slower.mp4"))


@pytest.mark.parametrize(
    ("box", "options"), [("trun", "-movflags frag_keyframe+empty_moov"), ("stsz", "")]
)
def test_tables_that_announce_more_than_anyone_films_are_refused_unread(
    box: str, options: str, tmp_path: Path
) -> None:
    path = moving(tmp_path / "parts.mp4", frames=6, options=options)
    assert len(read(path)) == 6
    data = path.read_bytes()
    count = data.index(box.encode()) + {"trun": 8, "stsz": 12}[box]
    path.write_bytes(data[:count] + struct.pack(">I", 80_000_000) + data[count + 4 :])
    with pytest.raises(InputError, match="announces more than 10,000,000 samples"):
        read(path)
