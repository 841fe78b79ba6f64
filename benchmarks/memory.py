"""Neither peak memory nor the cost of a frame may grow with a video's length: the sample looped to one minute and to
ten, or more, at 1080p.

python -m benchmarks.memory                 # prints both peaks, processor times a frame and their ratios
python -m benchmarks.memory --minutes 60    # an hour beside a minute; takes some hours
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.ffmpeg_program import ffmpeg_program
from weights.store import resolve

ROOT = Path(__file__).parents[1]
CHILD = """
import resource, subprocess, sys
status = subprocess.run([sys.executable, 'infer_video.py', *sys.argv[1:]]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime, status)
"""


def looped(minutes: float, folder: Path) -> Path:
    path = folder / f"{minutes:g}_minutes.mp4"
    command = [ffmpeg_program(), "-v", "error", "-stream_loop", "-1", "-i", str(resolve("demo-clip"))]
    command += ["-t", str(60 * minutes), "-vf", "scale=1920:1080", "-preset", "ultrafast", "-y", str(path)]
    subprocess.run(command, check=True)
    return path


def peak_and_cost(video: Path, folder: Path) -> tuple[float, float, float]:
    """Peak memory in MiB; a frame's processor and wall time in ms."""
    arguments = [sys.executable, "-c", CHILD, str(video), "--output", str(folder / "out"), "--overwrite"]
    done = subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True)
    kib, cpu_s, status = done.stdout.split()[-3:]
    if status != "0":
        raise SystemExit(done.stderr)
    report = json.loads((folder / "out" / video.stem / "report.json").read_text())
    wall_s = sum(report["seconds"].values())
    return int(kib) / 1024, 1e3 * float(cpu_s) / report["frames"], 1e3 * wall_s / report["frames"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of the longer clip (default: 10)")
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short, long = (peak_and_cost(looped(length, folder), folder) for length in (1.0, minutes))
    names = ("peak memory, MiB", "processor time, ms a frame", "wall time, ms a frame")
    for name, few, many in zip(names, short, long, strict=True):
        print(f"{name}: 1 minute {few:.1f}, {minutes:g} minutes {many:.1f}, ratio {many / few:.3f}")


if __name__ == "__main__":
    main()
