"""A raw-video Matroska stream, byte by byte: frames with times of their own through a pipe.

ffmpeg's `rawvideo` input knows one constant rate only. Matroska holds raw frames with a timestamp
and a duration each, and is simple to write forwards: a header, then one cluster a frame. Elements
are `id, length, content` (RFC 8794), the ids those of RFC 9559.
"""

from fractions import Fraction

TICKS_PER_S = 1_000_000
"""Times are in microseconds: every frame rate in use survives being rounded to them and back."""

_LENGTH_UNKNOWN = bytes.fromhex("01ffffffffffffff")
_BT601 = 6


def stream_header(width: int, height: int, frame_duration_s: Fraction) -> bytes:
    """The bytes before the frames: one track of I420 pictures, BT.601, limited range.

    Args:
        width: Of a picture, px; even.
        height: Likewise.
        frame_duration_s: How long a frame usually lasts, seconds.
    """
    colour = (
        _uint("55b1", _BT601) + _uint("55b9", 1) + _uint("55ba", _BT601) + _uint("55bb", _BT601)
    )
    video = (
        _uint("b0", width)
        + _uint("ba", height)
        + _element("2eb524", b"I420")
        + _element("55b0", colour)
    )
    track = (
        _uint("d7", 1)  # number
        + _uint("73c5", 1)  # unique id
        + _uint("83", 1)  # type: video
        + _element("86", b"V_UNCOMPRESSED")
        + _uint("23e383", round(frame_duration_s * 1_000_000_000))
        + _element("e0", video)
    )
    return (
        _element("1a45dfa3", _element("4282", b"matroska"))
        + bytes.fromhex("18538067")  # the segment: everything that follows
        + _LENGTH_UNKNOWN
        + _element("1549a966", _uint("2ad7b1", 1_000_000_000 // TICKS_PER_S))
        + _element("1654ae6b", _element("ae", track))
    )


def frame_header(ticks: int, duration_ticks: int, size: int) -> bytes:
    """The bytes before one frame.

    Args:
        ticks: The time the frame is shown at, `TICKS_PER_S` a second.
        duration_ticks: How long it is shown.
        size: Bytes of the frame itself.
    """
    duration = _uint("9b", duration_ticks)
    # track 1, at the cluster's own time, no flags
    block = bytes.fromhex("a1") + _length(size + 4) + b"\x81\x00\x00\x00"
    group = bytes.fromhex("a0") + _length(len(duration) + len(block) + size) + duration + block
    time = _uint("e7", ticks)
    return bytes.fromhex("1f43b675") + _length(len(time) + len(group) + size) + time + group


def _element(identifier: str, content: bytes) -> bytes:
    return bytes.fromhex(identifier) + _length(len(content)) + content


def _uint(identifier: str, value: int) -> bytes:
    return _element(identifier, value.to_bytes(8, "big"))


def _length(size: int) -> bytes:
    """A length in eight bytes: the marker bit says so."""
    return ((1 << 56) | size).to_bytes(8, "big")
