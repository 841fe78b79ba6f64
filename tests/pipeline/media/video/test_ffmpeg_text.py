import math
from fractions import Fraction

import pytest

from pipeline.media.video.ffmpeg_text import (
    HeaderReader,
    Headers,
    PacketReader,
    Packets,
    ShowinfoReader,
    read_stream,
)

LOG = """
Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:a.mp4':
  Duration: 00:01:03.10, start: 0.000000, bitrate: 1673 kb/s
  Stream #0:0[0x1](und): Video: h264 (High), yuv420p(tv, bt709, top first), 884x498, 29.97 fps
    Side data:
      Display Matrix: rotation of -90.00 degrees
  Stream #0:1[0x2](und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, mono, fltp
"""


def test_the_lines_on_an_input_are_read() -> None:
    stream = read_stream(LOG)
    assert stream is not None
    assert (stream.container, stream.codec, stream.sound) == (
        "mov,mp4,m4a,3gp,3g2,mj2", "h264", "aac",
    )  # fmt: skip
    assert (stream.fps, stream.turn_deg, stream.fields) == (29.97, -90.0, True)
    assert stream.duration_s == pytest.approx(63.1)
    assert read_stream("Input #0, mp3, from 'file:a.mp3':\n  Stream #0:0: Audio: mp3") is None
    clock = read_stream(LOG.replace("29.97 fps", "60k fps"))
    assert clock is not None
    assert clock.fps == 60000


def test_a_frame_is_read_with_the_clock_before_it() -> None:
    reader = ShowinfoReader()
    assert reader.frame("[x] config in time_base: 1/90000, frame_rate: 30000/1001") is None
    line = "[x] n:   0 pts: 132000 pts_time:1.46667 fmt:yuv420p cl:left sar:64/45 s:720x576 i:B is"
    frame = reader.frame(line)
    assert frame is not None
    assert frame.time_s == pytest.approx(132000 / 90000)
    assert (frame.width, frame.height, frame.sar) == (720, 576, Fraction(64, 45))
    assert frame.is_interlaced
    assert reader.rate == Fraction(30000, 1001)
    untimed = reader.frame(line.replace("132000", "NOPTS").replace("64/45", "0/1"))
    assert untimed is not None
    assert math.isnan(untimed.time_s)
    assert untimed.sar == 1
    reader.frame(
        "[x] color_range:tv color_space:bt2020nc color_primaries:bt2020 color_trc:smpte2084"
    )
    assert reader.transfer == "smpte2084"


def read_packets(listing: str, log: str, container: str) -> Packets:
    """As they come out of a pipe: in parts that end anywhere."""
    reader, data = PacketReader(), listing.encode()
    for at in range(0, len(data), 7):
        reader.read(data[at : at + 7])
    return reader.packets(log, container)


def test_packets_are_counted_and_hidden_ones_are_not_shown() -> None:
    listing = (
        "#tb 0: 1/100\n0, -20, -20, 10, 137, 0x9dea1c44, F=0x5\n0, 0, 0, 10, 99, 0x1\n"
        "0, 10, 20, 10, 99, 0x2, F=0x0\n0, 20, 10, 10, 99, 0x3, F=0x0, S=1, Stream, 1, 0x00e0\n"
    )
    packets = read_packets(listing, "", "mov")
    assert (packets.count, packets.span_s, packets.rate) == (3, 0.2, 10.0)
    assert (packets.are_hidden, packets.are_timed, packets.is_cut) == (True, True, False)
    untimed = read_packets(f"#tb 0: 1/30\n0, 0, {-(1 << 63)}, 1, 137, 0x9d\n", "", "avi")
    assert not untimed.are_timed
    assert untimed.rate is None
    assert read_packets(listing, "[in] File ended prematurely", "matroska").is_cut
    assert read_packets(listing, "corrupt input packet in stream 0", "flv").is_cut
    assert not read_packets(listing, "corrupt input packet in stream 0", "mpegts").is_cut


def read_headers(log: str) -> Headers:
    reader = HeaderReader()
    assert not any(reader.read(line) for line in log.encode().splitlines(keepends=True))
    return reader.headers


def test_headers_are_alike_until_a_value_differs() -> None:
    one = (
        "[trace_headers @ 0x1] 51   pic_width_in_mbs_minus1     00000111000 = 55\n"
        "[trace_headers @ 0x1] 73   frame_mbs_only_flag                   1 = 1\n"
    )
    assert read_headers(one + one).are_alike
    assert not read_headers(one + one.replace("= 55", "= 22")).are_alike
    assert not read_headers("").are_alike
    assert not read_headers(one).may_be_interlaced
    assert read_headers(one.replace("= 1\n", "= 0\n")).may_be_interlaced
    assert HeaderReader().read(b"[in] File ended prematurely\n"), "a line of something else"
