"""What is known of a video before it is decoded, and what of it need not be looked for."""

import re
from pathlib import Path

import pytest
from PIL import Image

from pipeline.media.clip import open_clip
from pipeline.media.video import facts as looking
from pipeline.media.video.facts import examine
from pipeline.media.video.mp4 import is_of_parts
from pipeline.media.video_reader import VideoReader
from testkit.video_kinds import NO_B_FRAMES, TALL, WIDE, X265, Make, Source, encoded, joined, listed

SOURCE = Source(160, 96, 12)
VP9 = "-c:v libvpx-vp9 -b:v 1M -deadline realtime -cpu-used 8"
MPEG2 = "-c:v mpeg2video -q:v 4 -bf 0"
FFV1 = "-c:v ffv1 -pix_fmt yuv420p"


def made(make: Make, path: Path) -> Path:
    make(path, SOURCE)
    return path


@pytest.mark.parametrize(
    ("coding", "name"),
    [(NO_B_FRAMES, "a.mp4"), (X265, "a.mkv"), (VP9, "a.webm"), (MPEG2, "a.ts"), (FFV1, "a.mkv")],
)
def test_frames_are_alike_where_headers_are(coding: str, name: str, tmp_path: Path) -> None:
    facts = examine(made(encoded(coding), tmp_path / name))
    assert facts is not None
    assert facts.is_alike


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (joined((WIDE, "", "0"), (TALL, "", "0.5")), "a.mp4"),
        (joined((WIDE, X265, "0"), (TALL, X265, "0")), "a.ts"),
        (joined((WIDE, MPEG2, "0"), (TALL, MPEG2, "0")), "b.ts"),
        (listed(WIDE, TALL, coding=VP9), "a.webm"),
        # these may change, whether they do or not
        (encoded("-c:v libvpx -b:v 1M -deadline realtime"), "b.webm"),
        (encoded("-c:v mjpeg -q:v 2"), "a.avi"),
        (encoded("-c:v mpeg4"), "b.mp4"),
        (encoded(NO_B_FRAMES), "a.flv"),
    ],
)
def test_frames_that_are_not_known_to_be_alike_are_decoded_by_ffmpeg(
    make: Make, name: str, tmp_path: Path
) -> None:
    path = made(make, tmp_path / name)
    facts = examine(path)
    assert facts is not None
    assert not facts.is_alike
    with VideoReader(path) as reader:
        assert reader.info.decoder == "ffmpeg: its frames may change their size"


def test_a_change_of_size_is_seen_where_the_container_calls_no_frame_a_key_frame(
    tmp_path: Path,
) -> None:
    path = made(joined((WIDE, "", "0"), (TALL, "", "0.5")), tmp_path / "a.mkv")
    path.write_bytes(re.sub(rb"(\xa3[\x10-\x7f].\x81..)\x80", rb"\1\0", path.read_bytes()))
    facts = examine(path)
    assert facts is not None
    assert not facts.is_alike


def test_a_change_of_pixels_is_seen_in_the_headers(tmp_path: Path) -> None:
    parts = joined(("", NO_B_FRAMES, "0"), ("", f"-vf setsar=4/3 {NO_B_FRAMES}", "0"))
    facts = examine(made(parts, tmp_path / "a.ts"))
    assert facts is not None
    assert not facts.is_alike


def test_an_ffmpeg_that_prints_no_headers_still_lists_packets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(looking._SIZES_IN, "h264", "no_such_filter")
    facts = examine(made(encoded(NO_B_FRAMES), tmp_path / "a.mp4"))
    assert facts is not None
    assert not facts.is_alike
    assert facts.packets.count == SOURCE.frames


def test_a_track_of_several_codings_is_of_parts(tmp_path: Path) -> None:
    path = made(encoded(NO_B_FRAMES), tmp_path / "a.mp4")
    assert not is_of_parts(path)
    data = bytearray(path.read_bytes())
    count_at = data.index(b"stsd") + 8  # after the name and the version
    data[count_at : count_at + 4] = (2).to_bytes(4, "big")
    path.write_bytes(data)
    assert is_of_parts(path)


def test_an_animated_avif_is_all_of_its_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    pictures = [Image.new("RGB", (64, 48), (20 * i, 200 - 20 * i, 60)) for i in range(8)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=40)
    with open_clip(path) as reader:
        frames = list(reader)
    assert [frame.time_s for frame in frames] == pytest.approx([0.04 * i for i in range(8)])
    reds = [frame.rgb[..., 0].mean() for frame in frames]
    assert reds == pytest.approx([20 * i for i in range(8)], abs=8)
