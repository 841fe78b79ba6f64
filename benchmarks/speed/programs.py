"""Programs as their users start them: wall time, core-seconds and peak memory of each run."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MEDIAPIPE = "mediapipe==0.10.21"
MEDIAPIPE_LOOP = """
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
"""Decodes and detects one person; prints frames a second from the first frame's end on."""
FIRST_FRAME = """
import sys, time

def is_scipy(event, arguments):
    if event == "import" and arguments[0].startswith("scipy."):  # once a frame is detected
        print(time.perf_counter())

sys.addaudithook(is_scipy)
import infer_video
sys.exit(infer_video.main(sys.argv[1:]))
"""
"""Our program; prints when its first frame has been detected."""


@dataclass(frozen=True)
class Cost:
    """What a run took, its child processes included; the peak is that of the largest process."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    output: str = ""
    started_s: float = 0.0
    """By `time.perf_counter`, which all processes of a machine share on Linux."""


@dataclass(frozen=True)
class Spread:
    """The median of several runs, and the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Of some values, at least one."""
        known = sorted(values)
        return cls(statistics.median(known), known[0], known[-1])


def run(command: Sequence[str | Path]) -> Cost:
    """Run a program to its end; Python keeps its compiled modules, as it does for users.

    Raises:
        SystemExit: It failed; with what it said.
    """
    words = [str(word) for word in command]
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as log:
        start = time.perf_counter()
        process = subprocess.Popen(words, cwd=ROOT, env=variables, stdout=output, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        log.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(words)}: {log.read()}")
        cpu_s = usage.ru_utime + usage.ru_stime
        return Cost(wall_s, cpu_s, usage.ru_maxrss / 1024, output.read(), start)


def ours(clip: Path, folder: Path, *options: str) -> Cost:
    """The whole program on a clip, from the shell's prompt to the next."""
    words = ["infer_video.py", clip, "--output", folder, "--overwrite", *options]
    return run([sys.executable, *words])


def first_frame_s(clip: Path, folder: Path) -> float:
    """Seconds from the command to the first frame's people."""
    cost = run([sys.executable, "-c", FIRST_FRAME, clip, "--output", folder, "--overwrite"])
    return float(cost.output.split()[0]) - cost.started_s


def mediapipe(python: Path, clip: Path) -> Cost:
    """MediaPipe's loop on a clip, likewise."""
    return run([python, "-c", MEDIAPIPE_LOOP, clip])


def mediapipe_python(folder: Path) -> Path:
    """The Python of an environment with MediaPipe, which is made where there is none."""
    python, mark = folder / "bin" / "python", folder / "installed"
    if not mark.exists():
        print(f"installing {MEDIAPIPE} into {folder}")
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", MEDIAPIPE], check=True)
        mark.touch()
    return python


def interleaved(times: int, *programs: Callable[[], Cost]) -> list[list[Cost]]:
    """Costs of each program, run in turns, so that what else the machine does hits all alike."""
    runs = [[program() for program in programs] for _ in range(times)]
    return [list(costs) for costs in zip(*runs, strict=True)]
