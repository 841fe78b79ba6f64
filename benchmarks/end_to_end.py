"""The speed of a whole run beside MediaPipe's detection alone, on the same clip.

    python -m benchmarks.end_to_end [CLIP] [--mediapipe-python ENV/bin/python] [--repeat 3]

A whole run decodes, detects, lifts, draws and encodes. ENV is as benchmarks/compare_mediapipe.py
says. Both run one after the other, with all cores; loading models is not counted.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

from pipeline.config import PipelineConfig
from pipeline.results.report import Report
from pipeline.run import process_video
from weights.store import resolve

MEDIAPIPE = """
import sys, time, cv2, mediapipe as mp
graph = mp.solutions.pose.Pose(model_complexity=1)
capture, frames, start = cv2.VideoCapture(sys.argv[1]), 0, None
while True:
    read, bgr = capture.read()
    if not read:
        break
    graph.process(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
    start, frames = start or time.perf_counter(), frames + 1
print((frames - 1) / (time.perf_counter() - start))
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", nargs="?", type=Path, help="video; default the sample clip")
    parser.add_argument(
        "--mediapipe-python", help="Python of an environment with mediapipe==0.10.21"
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; the best counts")
    chosen = parser.parse_args()
    clip = chosen.clip or resolve("demo-clip")
    ours = max(
        (whole_run(clip) for _ in range(chosen.repeat)),
        key=lambda report: report.frames_per_second or 0.0,
    )
    print(
        f"whole run: {ours.frames_per_second:.1f} frames/s, {ours.frames} frames,"
        f" seconds {dict(ours.seconds)}"
    )
    if chosen.mediapipe_python:
        command = [chosen.mediapipe_python, "-c", MEDIAPIPE, str(clip)]
        runs = [
            subprocess.run(command, check=True, capture_output=True, text=True)
            for _ in range(chosen.repeat)
        ]
        theirs = max(float(run.stdout) for run in runs)
        print(f"MediaPipe's decoding and detection of one person alone: {theirs:.1f} frames/s")
        print(f"ratio: {(ours.frames_per_second or 0.0) / theirs:.2f}")


def whole_run(clip: Path) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        return process_video(clip, PipelineConfig(output=Path(folder))).report


if __name__ == "__main__":
    main()
