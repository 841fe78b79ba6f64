"""The sound of a video file, and when it starts against the picture."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.types import Floats
from pipeline.media.ffmpeg_program import local_input, run_ffmpeg
from pipeline.media.video.facts import examine

SAMPLE_RATE = 16_000
"""Hz."""
_WITHIN_S, _SECONDS_A_SECOND = 60.0, 10.0  # that ffmpeg may take: in all, and faster than it lasts


@dataclass(frozen=True)
class Sound:
    """The first audio stream of a video file.

    codec: ffmpeg's name of its codec.
    lead_s: Seconds from the start of the file's own clock, which ffmpeg seeks by, to the first
        frame that is shown.
    """

    codec: str
    lead_s: float


def find_sound(path: Path) -> Sound | None:
    """Find the first audio stream of a video file.

    Returns:
        None where there is no audio, or too little of it to give a sampling rate.
    """
    facts = examine(path)
    if facts is None or facts.stream.sound is None:
        return None
    return Sound(facts.stream.sound, facts.lead_s)


def read_sound(path: Path, seconds: float, take: Callable[[Floats], object]) -> bool:
    """Decode the first audio stream of a video file, mixed to one channel.

    Args:
        path: The file.
        seconds: How much of it, from the first frame on.
        take: Is given the samples (N,) in -1…1 at `SAMPLE_RATE`, part after part; the first one is
            of the moment of the first frame, and silence fills what lacks sound.

    Returns:
        Whether there is sound that could be decoded.
    """
    sound = find_sound(path)
    if sound is None:
        return False
    # ffmpeg's clock begins with the file; the filter puts the picture's first moment at 0
    trim = f"aresample=async=1:first_pts=0,atrim=start={max(sound.lead_s, 0.0)}:duration={seconds}"
    words = ["-map", "0:a:0", "-vn", "-af", trim, "-ac", "1", "-ar", str(SAMPLE_RATE)]
    rest = bytearray()

    def take_bytes(part: bytes) -> None:
        rest.extend(part)
        whole = len(rest) // 2 * 2
        take(np.frombuffer(bytes(rest[:whole]), "<i2") / 32768)
        del rest[:whole]

    answer = run_ffmpeg(
        *local_input(path), *words, "-f", "s16le", "pipe:1",
        within_s=_WITHIN_S + seconds / _SECONDS_A_SECOND, output=take_bytes,
    )  # fmt: skip
    return answer.is_well and not answer.is_late
