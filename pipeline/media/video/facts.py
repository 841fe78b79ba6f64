"""What is known of a video before it is decoded: what the ffmpeg program says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.errors import OutputError
from core.types import Array
from pipeline.media.ffmpeg_program import (
    BOUNDED,
    Answer,
    ffmpeg_program,
    frame_sync_option,
    local_input,
    run_ffmpeg,
)
from pipeline.media.files import too_large_error
from pipeline.media.video.ffmpeg_text import (
    Headers,
    Packets,
    ShowinfoReader,
    ShownFrame,
    StreamText,
    first_track,
    read_headers,
    read_packets,
    read_stream,
)
from pipeline.media.video.mp4 import is_image_sequence, is_mirrored, is_of_parts

PICTURE = "0:V:0"
"""ffmpeg's word for the first video stream that is no cover picture."""

SKETCH_PX = 64
"""Width and height of a sketch."""

_SKETCHES = 3
_ONE_THREAD = ("-threads", "1")  # starting more takes longer than a few frames do
_ONLY_KEY_FRAMES = frozenset({
    "mjpeg", "mjpegb", "dvvideo", "prores", "dnxhd", "cfhd", "rawvideo", "v210", "huffyuv",
    "ffvhuff", "ffv1", "utvideo", "magicyuv", "jpeg2000", "qtrle", "png", "apng", "gif",
})  # fmt: skip
_SIZES_IN = {
    "h264": "filter_units=pass_types=7", "hevc": "filter_units=pass_types=33",
    "mpeg2video": "filter_units=pass_types=179|181", "vp9": "null",
}  # fmt: skip
"""Codecs whose headers ffmpeg prints → the filter that keeps those that sizes stand in."""


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
        InputError: A frame has more pixels than are read.
    """
    try:
        ffmpeg_program()
    except OutputError:
        return None
    status = path.stat()
    return _examine(path.absolute(), status.st_size, status.st_mtime_ns)


def key_frames(path: Path, facts: VideoFacts) -> tuple[ShownFrame, ...]:
    """The key frames of a video, at which its size, and how its lines are coded, may change.

    They alone are decoded, which takes about a hundredth of what all frames do; none are, where
    nothing can change. The answer is kept while the file stays as it is.

    Raises:
        InputError: One has more pixels than are read.
    """
    if facts.is_alike:
        return ()
    status = path.stat()
    return _key_frames(path.absolute(), facts.picture, status.st_size, status.st_mtime_ns)


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
        stream.codec in _ONLY_KEY_FRAMES or (headers.are_alike and not is_of_parts(path)),
        packets,
    )


def _picture(path: Path) -> str:
    """ffmpeg's word for a file's picture: not the still that animations begin with."""
    if is_image_sequence(path):
        log = run_ffmpeg(*local_input(path)).log
        if track := first_track(log):
            return f"0:{track}"
    return PICTURE


def _packets(path: Path, picture: str, stream: StreamText) -> tuple[Packets, Headers]:
    """List all packets of a picture and, where ffmpeg can, the headers of its key frames."""
    listing, traced = ["-c", "copy", "-f", "framecrc"], None
    if sizes := _SIZES_IN.get(stream.codec):
        trace = f"noise=drop='not(key)',{sizes},trace_headers"
        words = ["-c", "copy", "-bsf:v", trace, "-f", "null", "-", "-map", picture]
        traced = _ask(path, picture, [*words, *listing])
    is_traced = traced is not None and traced.is_well
    answer = traced if traced is not None and traced.is_well else _ask(path, picture, listing)
    text = answer.output.decode(errors="replace")
    headers = read_headers(answer.log) if is_traced else Headers(False, False)
    return read_packets(text, answer.log, stream.container), headers


@lru_cache(maxsize=32)
def _key_frames(path: Path, picture: str, size: int, mtime_ns: int) -> tuple[ShownFrame, ...]:
    only_keys = [*_ONE_THREAD, "-skip_frame", "nokey", "-discard", "nokey"]
    words = ["-vf", "showinfo=checksum=0", f"-{frame_sync_option()}", "passthrough", "-f", "null"]
    log, reader = _ask(path, picture, words, only_keys).log, ShowinfoReader()
    frames = tuple(frame for line in log.splitlines() if (frame := reader.frame(line)))
    _refuse_huge(path, reader)
    return frames


def _refuse_huge(path: Path, reader: ShowinfoReader) -> None:
    if reader.too_large is not None:
        raise too_large_error(path, reader.too_large)


def _ask(path: Path, picture: str, after: list[str], before: Sequence[str] = ()) -> Answer:
    """Run ffmpeg on a video's picture."""
    source = [*before, *BOUNDED, *local_input(path)]
    return run_ffmpeg("-nostats", *source, "-map", picture, *after, "pipe:1")
