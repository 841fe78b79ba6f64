"""The sound of a video file, and when it starts against the picture."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.media.video.facts import examine


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
