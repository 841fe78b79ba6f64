"""The clips that speed is measured on, made of the sample or of a clip that is given."""

import subprocess
from pathlib import Path

from pipeline.media.ffmpeg_program import ffmpeg_program
from weights.store import resolve

PORTRAIT_FRAMES = 600
_WALKER = "crop=563:994:400:0,scale=1088:1920,fps=60"
"""A tall part of the sample in which one person walks."""
_CODED = ("-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p")


def ffmpeg(*words: str | Path) -> None:
    """Run the ffmpeg program."""
    command = [ffmpeg_program(), "-v", "error", "-y", *map(str, words)]
    subprocess.run(command, check=True)


def portrait(folder: Path, given: Path | None) -> Path:
    """One person, 1088 × 1920, H.264, looped to 600 frames: of a given clip, or of the sample."""
    once, path = given, folder / "portrait.mp4"
    if once is None:
        once = folder / "walker.mp4"
        ffmpeg("-i", resolve("demo-clip"), "-vf", _WALKER, *_CODED, once)
    frames = ("-frames:v", str(PORTRAIT_FRAMES))
    ffmpeg("-stream_loop", "-1", "-i", once, "-an", "-c", "copy", *frames, path)
    return path


def sample(folder: Path, seconds: float, width: int = 1920, height: int = 1080) -> Path:
    """The sample at a size, looped to so many seconds."""
    once, path = folder / f"{height}p.mp4", folder / f"{height}p_{seconds:g}s.mp4"
    if not once.exists():
        ffmpeg("-i", resolve("demo-clip"), "-vf", f"scale={width}:{height}", *_CODED, once)
    loop = ("-stream_loop", "-1", "-i", once, "-t", str(seconds), "-c", "copy")
    ffmpeg(*loop, path)
    return path


def abreast(folder: Path, single: Path, people: int) -> Path:
    """So many copies of a clip of one person beside each other, in 1920 × 1080."""
    path = folder / f"{people}_abreast.mp4"
    copies = "".join(f"[c{i}]" for i in range(people))
    graph = f"scale=480:-2,crop=480:min(ih\\,1080),split={people}{copies};{copies}"
    stack = f"hstack={people}," if people > 1 else "null,"
    graph += f"{stack}pad=1920:1080:(ow-iw)/2:(oh-ih)/2"
    ffmpeg("-i", single, "-frames:v", "150", "-filter_complex", graph, *_CODED, path)
    return path
