"""What is known of a video before it is decoded: what the ffmpeg program says of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.errors import OutputError
from core.types import Array
from pipeline.media.ffmpeg_program import (
    LOCAL_ONLY,
    Answer,
    ffmpeg_program,
    frame_sync_option,
    local_url,
    run_ffmpeg,
)
from pipeline.media.video.ffmpeg_text import (
    Packets,
    ShowinfoReader,
    ShownFrame,
    StreamText,
    read_packets,
    read_stream,
)
from pipeline.media.video.mp4 import is_mirrored

PICTURE = "0:V:0"
"""ffmpeg's word for the first video stream that is no cover picture."""

SKETCH_PX = 64
"""Width and height of a sketch."""

_SKETCHES = 3
_ONLY_KEY_FRAMES = frozenset({
    "mjpeg", "mjpegb", "dvvideo", "prores", "dnxhd", "cfhd", "rawvideo", "v210", "huffyuv",
    "ffvhuff", "ffv1", "utvideo", "magicyuv", "jpeg2000", "qtrle", "png", "apng", "gif",
})  # fmt: skip
_SAYS_INTERLACED = frozenset({"h264", "mpeg2video"})
_MAY_BE_INTERLACED = re.compile(r"\b(?:frame_mbs_only_flag|progressive_sequence)\b.* = 0\s*$", re.M)


@dataclass(frozen=True)
class VideoFacts:
    """What ffmpeg says of a video's picture.

    stream: The lines on the input. frames: The first frames. sketches: (N, 64, 64) uint8, these
    frames in grey, upright and squeezed. rate: The container's frame rate, exactly; None without.
    transfer: ffmpeg's name of the transfer function. is_interlaced: Whether lines of two moments
    are, or may be, in one frame. is_mirrored: Whether the display matrix mirrors. packets: What the
    container holds.
    """

    stream: StreamText
    frames: tuple[ShownFrame, ...]
    sketches: Array
    rate: Fraction | None
    transfer: str
    is_interlaced: bool
    is_mirrored: bool
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
    each frame is a key frame. The answer is kept while the file stays as it is.
    """
    if facts.stream.codec in _ONLY_KEY_FRAMES:
        return ()
    status = path.stat()
    return _key_frames(path.absolute(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=32)
def _examine(path: Path, size: int, mtime_ns: int) -> VideoFacts | None:
    sketch = f"scale={SKETCH_PX}:{SKETCH_PX}:flags=area,format=gray"
    words = ["-vf", f"showinfo=checksum=0,{sketch}", f"-{frame_sync_option()}", "passthrough"]
    head = _ask(path, [*words, "-frames:v", str(_SKETCHES), "-f", "rawvideo"])
    stream, reader = read_stream(head.log), ShowinfoReader()
    frames = tuple(frame for line in head.log.splitlines() if (frame := reader.frame(line)))
    count = min(len(head.output) // SKETCH_PX**2, len(frames))
    if stream is None or not count:
        return None
    packets = _ask(path, ["-c", "copy", "-f", "framecrc"])
    sketches = np.frombuffer(head.output, np.uint8, count * SKETCH_PX**2)
    is_interlaced = stream.fields or any(frame.is_interlaced for frame in frames)
    return VideoFacts(
        stream,
        frames[:count],
        sketches.reshape(count, SKETCH_PX, SKETCH_PX),
        reader.rate,
        reader.transfer,
        is_interlaced or (stream.codec in _SAYS_INTERLACED and _may_be_interlaced(path)),
        is_mirrored(path),
        read_packets(packets.output.decode(errors="replace"), packets.log, stream.container),
    )


def _may_be_interlaced(path: Path) -> bool:
    """Whether a stream's headers leave it open, though its first frames are of one moment each."""
    words = ["-c", "copy", "-bsf:v", "trace_headers", "-frames:v", "1", "-f", "null"]
    return _MAY_BE_INTERLACED.search(_ask(path, words).log) is not None


@lru_cache(maxsize=32)
def _key_frames(path: Path, size: int, mtime_ns: int) -> tuple[ShownFrame, ...]:
    only_keys = ["-skip_frame", "nokey", "-discard", "nokey"]
    words = ["-vf", "showinfo=checksum=0", f"-{frame_sync_option()}", "passthrough", "-f", "null"]
    log, reader = _ask(path, words, only_keys).log, ShowinfoReader()
    return tuple(frame for line in log.splitlines() if (frame := reader.frame(line)))


def _ask(path: Path, after: list[str], before: Sequence[str] = ()) -> Answer:
    """Run ffmpeg on a video's picture."""
    source = [*before, "-protocol_whitelist", LOCAL_ONLY, "-i", local_url(path)]
    return run_ffmpeg("-nostats", *source, "-map", PICTURE, *after, "pipe:1")
