"""Whether peak memory and the cost of a frame grow with a video's length, which they must not.

    python -m benchmarks.memory                          # peaks, times per frame, their ratios
    python -m benchmarks.memory --minutes 60 --fps 15    # an hour; takes an hour on two cores

The sample clip is looped to one minute and to ten, or more, at 1080p. The minute is measured before
and after the longer clip, so that a change of the machine's speed shows.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from core.options import Parser
from pipeline.media.ffmpeg_program import ffmpeg_program
from testkit.command_lines import positive, run_benchmark
from weights.store import resolve

ROOT = Path(__file__).parents[1]
CHILD = """
import resource, subprocess, sys
status = subprocess.run([sys.executable, 'infer_video.py', *sys.argv[1:]]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime, status)
"""


def scaled(fps: float, folder: Path) -> Path:
    """The sample at 1080p."""
    path = folder / "sample.mp4"
    ffmpeg(
        "-i", str(resolve("demo-clip")), "-an", "-r", str(fps), "-vf", "scale=1920:1080", str(path)
    )
    return path


def looped(sample: Path, minutes: float, folder: Path) -> Path:
    path = folder / f"{minutes:g}_minutes.mp4"
    ffmpeg(
        "-stream_loop", "-1", "-i", str(sample), "-t", str(60 * minutes), "-c", "copy", str(path)
    )
    return path


def ffmpeg(*arguments: str) -> None:
    subprocess.run([ffmpeg_program(), "-v", "error", *arguments], check=True)


def peak_and_cost(video: Path, folder: Path) -> tuple[float, float, float]:
    """Peak memory in MiB; a frame's processor and wall time in ms."""
    arguments = [
        sys.executable, "-c", CHILD, str(video), "--output", str(folder / "out"), "--overwrite",
    ]  # fmt: skip
    done = subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True)
    kib, cpu_s, status = done.stdout.split()[-3:]
    if status != "0":
        raise SystemExit(done.stderr)
    report = json.loads((folder / "out" / video.stem / "report.json").read_text())
    wall_s = sum(report["seconds"].values())
    return int(kib) / 1024, 1e3 * float(cpu_s) / report["frames"], 1e3 * wall_s / report["frames"]


def main() -> None:
    parser = Parser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--minutes", type=positive(float), default=10.0, help="of the longer clip (default: 10)"
    )
    parser.add_argument(
        "--fps", type=positive(float), default=30.0, help="of both clips (default: 30)"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample = scaled(chosen.fps, folder)
        short, long = (looped(sample, length, folder) for length in (1.0, chosen.minutes))
        before, many, after = (peak_and_cost(video, folder) for video in (short, long, short))
    names = ("peak memory, MiB", "processor time, ms a frame", "wall time, ms a frame")
    for name, first, second, longer in zip(names, before, after, many, strict=True):
        print(
            f"{name}: 1 minute {first:.1f} and {second:.1f},"
            f" {chosen.minutes:g} minutes {longer:.1f}",
            end="; ",
        )
        print(f"ratio {longer / first:.3f} and {longer / second:.3f}")


if __name__ == "__main__":
    run_benchmark(main)
