"""Small videos, made with the ffmpeg that the project finds, and what ffmpeg says of a file."""

import re
import struct
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.types import Frame
from pipeline.media.ffmpeg_program import ffmpeg_program, frame_sync_option, local_url
from pipeline.media.video_reader import VideoReader

RED, GREEN, BLUE, GREY = (230, 30, 30), (30, 200, 30), (30, 30, 230), (128, 128, 128)


def marked(width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """A grey picture (H, W, 3) with corners red top left, green top right, blue bottom left."""
    picture = np.full((height, width, 3), GREY, np.uint8)
    picture[:20, :20], picture[:20, -20:], picture[-20:, :20] = RED, GREEN, BLUE
    return picture


def same_colour(pixel: NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    """Whether a decoded pixel is a painted colour, coding losses forgiven."""
    return bool(np.abs(pixel.astype(int) - colour).max() < 30)


def encode(
    path: Path, pictures: Sequence[NDArray[np.uint8]], fps: str = "25", options: str = ""
) -> Path:
    """Pictures (H, W, 3) as H.264 at a constant rate; `options`: more words for the output."""
    height, width = pictures[0].shape[:2]
    source = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        f"{width}x{height}",
        "-r",
        fps,
        "-i",
        "pipe:0",
    ]
    words = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        "10",
        "-pix_fmt",
        "yuv444p",
        *options.split(),
    ]
    run_ffmpeg(
        *source, *words, local_url(path), stdin=b"".join(picture.tobytes() for picture in pictures)
    )
    return path


def moving(
    path: Path, frames: int = 25, fps: str = "25", sound_s: float = 0.0, options: str = ""
) -> Path:
    """A moving test picture of 160 × 120 px with B-frames, and a tone of 440 Hz for `sound_s`."""
    picture = [
        "-f",
        "lavfi",
        "-i",
        f"testsrc2=s=160x120:r={fps}:d={float(frames / Fraction(fps)) + 0.001}",
    ]
    sound = ["-f", "lavfi", "-i", f"sine=440:d={sound_s}"] if sound_s else []
    words = [
        "-c:v",
        "libx264",
        "-bf",
        "3",
        "-g",
        "12",
        "-pix_fmt",
        "yuv420p",
        "-frames:v",
        str(frames),
    ]
    run_ffmpeg(*picture, *sound, *words, *options.split(), local_url(path))
    return path


def uneven(path: Path, kept: Sequence[int]) -> Path:
    """A video of variable frame rate: the frames `kept` of one of 50 a second, at their times."""
    choice = "+".join(f"eq(n\\,{number})" for number in kept)
    picture = [
        "-f",
        "lavfi",
        "-i",
        f"testsrc2=s=160x120:r=50:d={(max(kept) + 1) / 50}",
        "-vf",
        f"select={choice}",
    ]
    words = [
        f"-{frame_sync_option()}",
        "passthrough",
        "-enc_time_base",
        "1/1000",
        "-c:v",
        "libx264",
        "-bf",
        "2",
    ]
    run_ffmpeg(*picture, *words, local_url(path))
    return path


def turn_display(path: Path, degrees: int) -> None:
    """Make players of an mp4 turn its pictures clockwise: set the matrix in the first track header.

    By hand because ffmpeg's own option for it came with version 6.
    """
    cos, sin = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    data = bytearray(path.read_bytes())
    offset = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    struct.pack_into(
        ">9i", data, offset, cos * one, sin * one, 0, -sin * one, cos * one, 0, 0, 0, 1 << 30
    )
    path.write_bytes(data)


def describe(path: Path) -> str:
    """ffmpeg's lines on a file: codecs, pixel format, duration."""
    return subprocess.run(
        [ffmpeg_program(), "-hide_banner", "-nostdin", "-i", local_url(path)],
        capture_output=True, text=True, errors="replace", check=False,
    ).stderr  # fmt: skip


def packets(path: Path, stream: str = "v:0") -> list[tuple[float, float]]:
    """(time, duration) in seconds of a stream's packets, by time, as the container has them."""
    text = run_ffmpeg(
        "-copyts", "-i", local_url(path), "-map", f"0:{stream}", "-c", "copy", "-f", "framecrc", "-"
    ).decode()
    tick = re.search(r"^#tb 0: (\d+)/(\d+)", text, re.M)
    assert tick is not None, text
    second = int(tick[2]) / int(tick[1])
    found = re.findall(
        r"^0, *-?\d+, *(-?\d+), *(\d+),", text, re.M
    )  # stream, dts, pts, duration, …
    return sorted((int(time) / second, int(duration) / second) for time, duration in found)


def packet_times(path: Path, stream: str = "v:0") -> list[float]:
    """The times of `packets`."""
    return [time for time, _ in packets(path, stream)]


def samples(path: Path) -> NDArray[np.int16]:
    """The decoded sound, mono, 8000 a second, with silence where it starts after the picture."""
    words = [
        "-map",
        "0:a:0",
        "-af",
        "aresample=async=1:first_pts=0",
        "-ac",
        "1",
        "-ar",
        "8000",
        "-f",
        "s16le",
        "-",
    ]
    return np.frombuffer(run_ffmpeg("-i", local_url(path), *words), np.int16)


def run_ffmpeg(*words: str, stdin: bytes = b"") -> bytes:
    """Run ffmpeg, which must succeed; what it wrote to its output."""
    done = subprocess.run(
        [ffmpeg_program(), "-y", "-v", "error", *words],
        input=stdin,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def read(path: Path, start_s: float | None = None, end_s: float | None = None) -> list[Frame]:
    """All frames of a part."""
    with VideoReader(path, start_s, end_s) as reader:
        return list(reader)
