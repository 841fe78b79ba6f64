"""The ffmpeg program: where it is, and what it says of files that OpenCV cannot.

Only the `ffmpeg` program is needed, not `ffprobe`: imageio-ffmpeg brings the one without the other.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from core.errors import OutputError

MP4_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac"})
"""Audio codecs, as ffmpeg names them, that players know in mp4; others are encoded again."""

LOCAL_ONLY = "file,pipe"
"""`-protocol_whitelist`: no file name, and no playlist in a file, makes ffmpeg open the network."""

MOV_BOXES = frozenset({b"ftyp", b"mdat", b"moov", b"free", b"skip", b"wide"})
"""The boxes that an mp4 or QuickTime file begins with, after four bytes of length."""


@dataclass(frozen=True)
class Sound:
    """The first audio stream of a video file.

    codec: ffmpeg's name of its codec.
    lead_s: Seconds from the start of the file's own clock, which ffmpeg seeks by, to the first
        frame of the picture.
    """

    codec: str
    lead_s: float


@cache
def ffmpeg_program() -> str:
    """Find an ffmpeg that has libx264: the one on PATH, else imageio-ffmpeg's.

    Raises:
        OutputError: There is none.
    """
    try:
        bundled = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:  # no wheel of it holds a program for this machine
        bundled = None
    for program in (shutil.which("ffmpeg"), bundled):
        if program and "libx264" in _run(program, "-encoders").stdout:
            return program
    raise OutputError(
        "no ffmpeg program with libx264 found: install ffmpeg, or `pip install imageio-ffmpeg`"
    )


@cache
def frame_sync_option() -> str:
    """The option whose value `passthrough` keeps frame times; ffmpeg 5.1 renamed it."""
    return "fps_mode" if "-fps_mode" in _run(ffmpeg_program(), "-h", "long").stdout else "vsync"


def local_url(path: Path) -> str:
    """A URL that ffmpeg takes for a local file, whatever its name (`-x.mp4`, `http://…`)."""
    return f"file:{path.absolute()}"


def find_sound(path: Path) -> Sound | None:
    """Find the first audio stream of a video file.

    The first video packet, copied into ffmpeg's `framecrc` text, gives the time of the first frame
    (to the tick, without a decoder and without ffprobe); the lines on the input name the audio
    codec and the start of the file's clock.

    Returns:
        None where there is no audio, or too little of it to give a sampling rate.
    """
    words = ["-copyts", "-protocol_whitelist", LOCAL_ONLY, "-i", local_url(path)]
    words += ["-map", "0:v:0", "-c", "copy", "-frames:v", "1", "-f", "framecrc", "-"]
    answer = _run(ffmpeg_program(), *words)
    codec = re.search(r"^ *Stream #0:\d.*?: Audio: (\w+).* \d+ Hz", answer.stderr, re.M)
    if codec is None or codec[1] == "none":
        return None
    clock_start = re.search(r"^ *Duration: .*, start: (-?[\d.]+)", answer.stderr, re.M)
    tick = re.search(r"^#tb 0: (\d+)/(\d+)", answer.stdout, re.M)
    packet = re.search(r"^0, *-?\d+, *(-?\d+),", answer.stdout, re.M)  # stream, dts, pts, …
    if not (clock_start and tick and packet):
        return Sound(codec[1], 0.0)
    return Sound(codec[1], int(packet[1]) * int(tick[1]) / int(tick[2]) - float(clock_start[1]))


def unreadable_reason(path: Path) -> str:
    """What is wrong with a file that OpenCV cannot open, in words for a person."""
    words = ["-protocol_whitelist", LOCAL_ONLY, "-i", local_url(path)]
    log = _run(ffmpeg_program(), *words).stderr
    with path.open("rb") as file:
        is_mov = file.read(8)[4:] in MOV_BOXES
    if is_mov and "moov atom not found" in log:
        return (
            "the file is cut short: the index at its end (moov) is missing; copy or record it again"
        )
    if "Audio:" in log and "Video:" not in log:
        return "the file has sound but no picture"
    if unknown := re.search(r"Video: none \((\w+)", log):
        return f"its picture is coded as {unknown[1]}, which FFmpeg does not know"
    return "not a video that FFmpeg can read"


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, "-hide_banner", "-nostdin", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
