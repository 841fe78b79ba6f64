"""Time and memory of several views beside those of each video by itself.

    python -m benchmarks.several.cost left.mp4 right.mp4 --seconds 60

The videos, which must be synchronous, are played forward and backward until they are long enough,
at 1080p and 30 frames a second.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.clips import ffmpeg
from benchmarks.speed.programs import run
from core.options import Parser
from testkit.command_lines import existing, positive, run_benchmark


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=existing, nargs="+")
    parser.add_argument("--seconds", type=positive(float), default=60)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        clips = [lengthened(video, chosen.seconds, folder) for video in chosen.videos]
        alone = [measured([str(clip)], folder) for clip in clips]
        zeros = ",".join("0" * (len(clips) - 1))
        together = measured(["--views", *map(str, clips), f"--offset={zeros}"], folder)
    for clip, (seconds, megabytes) in zip(clips, alone, strict=True):
        print(f"{clip.stem:20} {seconds:8.1f} s of processor {megabytes:8.0f} MB")
    seconds, megabytes = together
    print(f"{'together':20} {seconds:8.1f} s of processor {megabytes:8.0f} MB")
    print(f"time over the sum of each alone: {seconds / sum(each[0] for each in alone):.2f}")
    print(f"memory over the largest of each alone: {megabytes / max(e[1] for e in alone):.2f}")


def lengthened(video: Path, seconds: float, folder: Path) -> Path:
    """A clip of the video, forward and backward."""
    once, path = folder / f"once_{video.stem}.mp4", folder / f"{video.stem}.mp4"
    there_and_back = (
        "[0:v]scale='if(gt(iw,ih),-2,1080)':'if(gt(iw,ih),1080,-2)',split[a][b];"
        "[b]reverse[c];[a][c]concat=n=2"
    )
    ffmpeg("-i", str(video), "-filter_complex", there_and_back, "-r", "30", str(once))
    ffmpeg("-stream_loop", "-1", "-i", str(once), "-t", str(seconds), "-c", "copy", str(path))
    once.unlink()
    return path


def measured(words: Sequence[str], folder: Path) -> tuple[float, float]:
    """Seconds of processor time, and the largest memory in MB, of a run."""
    cost = run([sys.executable, "infer_video.py", *words, "-o", folder / "out"])
    return cost.cpu_s, cost.peak_mib


if __name__ == "__main__":
    run_benchmark(main)
