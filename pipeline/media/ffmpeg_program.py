"""The ffmpeg program: where it is, and the questions we ask of it that OpenCV cannot answer.

Only the `ffmpeg` program is needed, not `ffprobe`: the one that imageio-ffmpeg brings comes without.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from core.errors import OutputError

MP4_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac"})
"""Codecs, in ffmpeg's names, that an mp4 file holds and players know there; anything else is encoded again."""

LOCAL_ONLY = "file,pipe"
"""`-protocol_whitelist`: neither a name nor a playlist inside a file may make ffmpeg open the network."""


OPTIONS_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

MOV_BOXES = frozenset({b"ftyp", b"mdat", b"moov", b"free", b"skip", b"wide"})
"""What an mp4 or QuickTime file begins with, after four bytes of length."""


@dataclass(frozen=True)
class Sound:
    """The first audio stream of a video file: its codec (ffmpeg's name); `lead_s` how long before the picture's first
    frame the file's own clock, which ffmpeg seeks by, starts.
    """

    codec: str
    lead_s: float


@cache
def ffmpeg_program() -> str:
    """An ffmpeg that has libx264: the one on PATH, else imageio-ffmpeg's. `OutputError` if there is none."""
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
def keep_times_option() -> str:
    """What this ffmpeg calls the option that makes `passthrough` leave frame times alone: renamed in 5.1, gone in 8."""
    return "fps_mode" if "-fps_mode" in _run(ffmpeg_program(), "-h", "long").stdout else "vsync"


def local_url(path: Path) -> str:
    """A name that ffmpeg takes for a local file, whatever it looks like (`-x.mp4`, `concat:a`, `http://…`)."""
    return f"file:{path.absolute()}"


@contextmanager
def opencv_options(options: str) -> Iterator[None]:
    """Options for the FFmpeg in OpenCV, which takes them from the environment alone. A user's own stay as they are."""
    if OPTIONS_VARIABLE in os.environ:
        yield
        return
    os.environ[OPTIONS_VARIABLE] = options
    try:
        yield
    finally:
        del os.environ[OPTIONS_VARIABLE]


def find_sound(path: Path) -> Sound | None:
    """The first audio stream of a video file, None if it has none, or too little of it to tell its sampling rate.

    The first picture packet, copied into ffmpeg's `framecrc` text, tells when the picture starts (to the tick, without
    a decoder and without ffprobe); the lines on the input name the audio codec and when the file's clock starts.
    """
    source = ["-copyts", "-protocol_whitelist", LOCAL_ONLY, "-i", local_url(path)]
    told = _run(
        ffmpeg_program(),
        *source,
        "-map",
        "0:v:0",
        "-c",
        "copy",
        "-frames:v",
        "1",
        "-f",
        "framecrc",
        "-",
    )
    codec = re.search(r"^ *Stream #0:\d.*?: Audio: (\w+).* \d+ Hz", told.stderr, re.M)
    if codec is None or codec[1] == "none":
        return None
    clock_start = re.search(r"^ *Duration: .*, start: (-?[\d.]+)", told.stderr, re.M)
    tick = re.search(r"^#tb 0: (\d+)/(\d+)", told.stdout, re.M)
    packet = re.search(r"^0, *-?\d+, *(-?\d+),", told.stdout, re.M)  # stream, dts, pts, …
    if not (clock_start and tick and packet):
        return Sound(codec[1], 0.0)
    return Sound(codec[1], int(packet[1]) * int(tick[1]) / int(tick[2]) - float(clock_start[1]))


def why_unreadable(path: Path) -> str:
    """What is wrong with a file that OpenCV cannot open, in words for a person."""
    told = _run(ffmpeg_program(), "-protocol_whitelist", LOCAL_ONLY, "-i", local_url(path)).stderr
    with path.open("rb") as file:
        is_mov = file.read(8)[4:] in MOV_BOXES
    if is_mov and "moov atom not found" in told:
        return (
            "the file is cut short: the index at its end (moov) is missing; copy or record it again"
        )
    if "Audio:" in told and "Video:" not in told:
        return "the file has sound but no picture"
    if unknown := re.search(r"Video: none \((\w+)", told):
        return f"its picture is coded as {unknown[1]}, which FFmpeg does not know"
    return "not a video that FFmpeg can read"


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, "-hide_banner", "-nostdin", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
