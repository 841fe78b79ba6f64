"""Peak memory must not grow with a video's length: the sample looped to one minute and to ten, or more, at 1080p.

python -m benchmarks.memory                 # prints both peaks and their ratio
python -m benchmarks.memory --minutes 60    # an hour beside a minute; takes some hours
"""

import argparse
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
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, status)
"""


def looped(minutes: float, folder: Path) -> Path:
    path = folder / f"{minutes:g}_minutes.mp4"
    command = [ffmpeg_program(), "-v", "error", "-stream_loop", "-1", "-i", str(resolve("demo-clip"))]
    command += ["-t", str(60 * minutes), "-vf", "scale=1920:1080", "-preset", "ultrafast", "-y", str(path)]
    subprocess.run(command, check=True)
    return path


def peak_mib(video: Path, folder: Path) -> float:
    arguments = [sys.executable, "-c", CHILD, str(video), "--output", str(folder / "out"), "--overwrite"]
    done = subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True)
    kib, status = done.stdout.split()[-2:]
    if status != "0":
        raise SystemExit(done.stderr)
    return int(kib) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of the longer clip (default: 10)")
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short, long = (peak_mib(looped(length, folder), folder) for length in (1.0, minutes))
    print(f"peak memory: 1 minute {short:.0f} MiB, {minutes:g} minutes {long:.0f} MiB, ratio {long / short:.3f}")


if __name__ == "__main__":
    main()
