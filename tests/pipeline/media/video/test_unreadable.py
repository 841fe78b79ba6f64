"""Files that are no video, are damaged, or ask for too much: one line says so."""

import os
import socket
import struct
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from pipeline.media import ffmpeg_program, video_reader
from pipeline.media.ffmpeg_program import frame_sync_option
from pipeline.media.images import write_image
from pipeline.media.video import facts, ffmpeg_decoder, frame_pipe
from pipeline.media.video.facts import examine
from pipeline.media.video.opencv_decoder import OpenCVDecoder
from pipeline.media.video_reader import VideoReader, probe
from testkit.make_video import (
    marked,
    moving,
    read,
    run_ffmpeg,
)


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


def test_the_cover_of_a_song_is_no_video(tmp_path: Path) -> None:
    cover, song = tmp_path / "cover.jpg", tmp_path / "song.m4a"
    write_image(cover, marked())
    words = ["-f", "lavfi", "-i", "sine=440:d=1", "-i", str(cover), "-map", "0", "-map", "1"]
    run_ffmpeg(*words, "-c:v", "mjpeg", "-disposition:v", "attached_pic", str(song))
    with pytest.raises(InputError, match="has sound but no picture"):
        probe(song)


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
