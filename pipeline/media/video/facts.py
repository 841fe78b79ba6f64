"""What is known of a video before it is decoded: what the ffmpeg program says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.types import Array
from pipeline.media.ffmpeg_program import (
    BOUNDED,
    Answer,
    frame_sync_option,
    has_ffmpeg,
    local_input,
    run_ffmpeg,
    short_of_memory_error,
)
from pipeline.media.files import too_large_error
from pipeline.media.video.ffmpeg_text import (
    HeaderReader,
    Headers,
    PacketReader,
    Packets,
    ShowinfoReader,
    ShownFrame,
    StreamText,
    first_track,
    is_short_of_memory,
    read_stream,
)
from pipeline.media.video.mp4 import is_image_sequence, is_mirrored, is_of_parts

PICTURE = "0:V:0"
"""ffmpeg's word for the first video stream that is no cover picture."""

SKETCH_PX = 64
"""Width and height of a sketch."""

_SKETCHES = 3
_ONE_THREAD = ("-threads", "1")  # starting more takes longer than a few frames do
_LOOK_S, _LOOK_BYTES_S = 60.0, 1e6
"""Seconds, and bytes a second, that ffmpeg may take to look through a file."""
_ONE_SIZE = frozenset({
    "dvvideo", "rawvideo", "v210", "huffyuv", "ffvhuff", "ffv1", "utvideo",
})  # fmt: skip
"""Codecs whose frames have the size that the container says, or one of a few."""
_SIZES_IN = {
    "h264": "filter_units=pass_types=7", "hevc": "filter_units=pass_types=33",
    "mpeg2video": "filter_units=pass_types=179|181", "vp9": "null",
}  # fmt: skip
"""Codecs whose headers ffmpeg prints → the filter that keeps those that sizes stand in."""
_PLAIN = ("mov,", "matroska,", "avi", "mpegts", "mpeg", "h264", "hevc", "dv", "yuv4mpegpipe")
"""How the names of containers begin that have no further headers between the packets."""


@dataclass(frozen=True)
class VideoFacts:
    """What ffmpeg says of a video's picture.

    picture: ffmpeg's word for the stream. stream: The lines on the input. frames: The first frames.
    sketches: (N, 64, 64) uint8, these frames in grey, upright and squeezed. rate: The container's
    frame rate, exactly; None without. transfer: ffmpeg's name of the transfer function.
    is_interlaced: Whether lines of two moments are, or may be, in one frame. is_mirrored: Whether
    the display matrix mirrors. is_alike: Whether size, pixels and fields are certain to stay as
    they are. packets: What the container holds.
    """

    picture: str
    stream: StreamText
    frames: tuple[ShownFrame, ...]
    sketches: Array
    rate: Fraction | None
    transfer: str
    is_interlaced: bool
    is_mirrored: bool
    is_alike: bool
    packets: Packets

    @property
    def lead_s(self) -> float:
        """Seconds from the start of the file's clock to the first frame that is shown."""
        time_s = self.frames[0].time_s
        return time_s if np.isfinite(time_s) else 0.0


def examine(path: Path) -> VideoFacts | None:
    """Ask the ffmpeg program about a video.

    The first frames are decoded and all packets are listed. The answer is kept while the file stays
    as it is.

    Returns:
        None where ffmpeg can decode no picture, or is not there.

    Raises:
        InputError: A frame has more pixels than are read, or the file takes more memory or time
            than one is given.
    """
    if not has_ffmpeg():
        return None
    status = path.stat()
    return _examine(path.absolute(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=32)
def _examine(path: Path, size: int, mtime_ns: int) -> VideoFacts | None:
    sketch = f"scale={SKETCH_PX}:{SKETCH_PX}:flags=area,format=gray"
    words = ["-vf", f"showinfo=checksum=0,{sketch}", f"-{frame_sync_option()}", "passthrough"]
    words += ["-frames:v", str(_SKETCHES), "-f", "rawvideo"]
    picture = _picture(path)
    head = _ask(path, picture, words, _ONE_THREAD)
    stream, reader = read_stream(head.log), ShowinfoReader()
    frames = tuple(frame for line in head.log.splitlines() if (frame := reader.frame(line)))
    _refuse_huge(path, reader)
    count = min(len(head.output) // SKETCH_PX**2, len(frames))
    if stream is None or not count:
        return None
    packets, headers = _packets(path, picture, stream)
    sketches = np.frombuffer(head.output, np.uint8, count * SKETCH_PX**2)
    is_interlaced = stream.fields or any(frame.is_interlaced for frame in frames)
    return VideoFacts(
        picture,
        stream,
        frames[:count],
        sketches.reshape(count, SKETCH_PX, SKETCH_PX),
        reader.rate,
        reader.transfer,
        is_interlaced or headers.may_be_interlaced,
        is_mirrored(path),
        _is_alike(path, stream, headers),
        packets,
    )


def _is_alike(path: Path, stream: StreamText, headers: Headers) -> bool:
    """Whether all frames are certain to have the first one's size."""
    is_told = stream.codec in _ONE_SIZE or headers.are_alike
    return is_told and stream.container.startswith(_PLAIN) and not is_of_parts(path)


def _picture(path: Path) -> str:
    """ffmpeg's word for a file's picture: not the still that animations begin with."""
    if is_image_sequence(path):
        log = run_ffmpeg(*local_input(path)).log
        if track := first_track(log):
            return f"0:{track}"
    return PICTURE


def _packets(path: Path, picture: str, stream: StreamText) -> tuple[Packets, Headers]:
    """List all packets of a picture and, where ffmpeg can, the headers in them.

    All packets are looked into: that one begins with a key frame is what the container says.
    """
    listing, reader, headers = ["-c", "copy", "-f", "framecrc"], PacketReader(), HeaderReader()
    if sizes := _SIZES_IN.get(stream.codec):
        words = ["-c", "copy", "-bsf:v", f"{sizes},trace_headers", "-f", "null", "-"]
        traced = _ask(path, picture, [*words, "-map", picture, *listing], (), reader, headers)
        if traced.is_well:
            return reader.packets(traced.log, stream.container), headers.headers
        reader = PacketReader()
    answer = _ask(path, picture, listing, (), reader)
    return reader.packets(answer.log, stream.container), Headers(False, False)


def _refuse_huge(path: Path, reader: ShowinfoReader) -> None:
    if reader.too_large is not None:
        raise too_large_error(path, reader.too_large)


def _ask(
    path: Path,
    picture: str,
    after: list[str],
    before: Sequence[str] = (),
    packets: PacketReader | None = None,
    headers: HeaderReader | None = None,
) -> Answer:
    """Run ffmpeg on a video's picture.

    Raises:
        InputError: It takes more memory or time than a file is given, or lists too many packets.
    """
    words = [*before, *BOUNDED, *local_input(path), "-map", picture, *after, "pipe:1"]
    within_s = _LOOK_S + path.stat().st_size / _LOOK_BYTES_S
    try:
        answer = run_ffmpeg(
            "-nostats", *words, within_s=within_s,
            output=packets.read if packets else None, keep=headers.read if headers else bool,
        )  # fmt: skip
    except ValueError as error:
        raise InputError(f"{path}: has {error}; cut it into shorter files") from error
    if answer.is_late:
        raise InputError(f"{path}: takes more than {within_s:.0f} s to look through")
    if is_short_of_memory(answer.log):
        raise short_of_memory_error(path)
    return answer
