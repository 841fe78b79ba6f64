"""How fast all of it is, beside MediaPipe's loop, in one run: tables, a picture, JSON.

    python -m benchmarks.speed [--portrait CLIP] [--write]

Measures: whole processes, ours and MediaPipe's in turns, on an upright clip of one person and on
the sample; start-up; each stage alone with what it cannot do without; two workers; the lifter
beside torch; cost and memory against length, resolution and people. MediaPipe gets an environment
of its own. `--write` puts the tables into docs/performance.md. Takes about eight minutes on two
cores; nothing else should run meanwhile.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.speed import clips, programs
from benchmarks.speed.page import write_page
from benchmarks.speed.programs import ROOT, Cost, Spread
from core.limits import usable_cores
from core.options import Parser
from pipeline.media.opencv import mute_opencv
from pipeline.results.report import Report, read_report
from pipeline.results.result import load_result
from testkit.command_lines import existing, positive, run_benchmark
from weights.store import resolve

PAGE = ROOT / "docs" / "performance.md"


def main() -> None:
    parser = Parser(
        prog="python -m benchmarks.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--portrait", type=existing, help="an upright clip of one person, 1088 × 1920"
    )
    parser.add_argument(
        "--runs", type=positive(int), default=5, help="of both programs (default: 5)"
    )
    parser.add_argument("--mediapipe-python", type=existing, help=f"with {programs.MEDIAPIPE}")
    parser.add_argument("--json", type=Path, help="where all figures go")
    parser.add_argument("--write", action="store_true", help=f"put tables into {PAGE.name}")
    chosen = parser.parse_args()
    mute_opencv()
    peer = chosen.mediapipe_python or programs.mediapipe_python(ROOT / ".venv" / "mediapipe")
    found: dict[str, Any] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": {
            "cores": usable_cores(), "processor": processor(), "load": os.getloadavg()[0],
        },
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        upright = clips.portrait(folder, chosen.portrait)
        found["end_to_end"] = [
            end_to_end("one person, 1088 × 1920, 600 frames", upright, peer, folder, chosen.runs),
            end_to_end("the sample, two people", resolve("demo-clip"), peer, folder, 3),
        ]
        found["start_up"] = start_up(upright, folder, chosen.runs)
        found["workers"] = two_workers(folder)
        found["costs"] = costs(upright, folder)
        # Last and imported last: a process counts as large as the one that started it.
        from benchmarks.speed.lifting import lifting
        from benchmarks.speed.stages import stages

        found["stages"] = [asdict(s) for s in stages(upright, load_result(folder / upright.stem))]
        found["lifting"] = {name: asdict(rate) for name, rate in lifting().items()}
    text = json.dumps(found, indent=1)
    if chosen.json:
        chosen.json.write_text(text)
    if chosen.write:
        write_page(PAGE, found)
    print(text)


def processor() -> str:
    """The processor's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def report_of(clip: Path, folder: Path) -> Report:
    return read_report(folder / clip.stem)


def end_to_end(title: str, clip: Path, peer: Path, folder: Path, times: int) -> dict[str, Any]:
    """Whole processes in turns; ratios are of person-frames a second: MediaPipe sees one person."""
    own, theirs = programs.interleaved(
        times, lambda: programs.ours(clip, folder), lambda: programs.mediapipe(peer, clip)
    )
    report = report_of(clip, folder)
    rows = len(load_result(folder / clip.stem).table)
    people = max(rows / report.frames, 1.0)
    pairs = list(zip(own, theirs, strict=True))
    spreads = {
        "ours_s": [cost.wall_s for cost in own],
        "ours_cpu_s": [cost.cpu_s for cost in own],
        "peer_s": [cost.wall_s for cost in theirs],
        "peer_cpu_s": [cost.cpu_s for cost in theirs],
        "ratio": [people * peer.wall_s / cost.wall_s for cost, peer in pairs],
        "loop_ratio": [
            people * report.frames / cost.wall_s / float(peer.output) for cost, peer in pairs
        ],
    }
    return {
        "clip": title, "frames": report.frames, "people": people,
        "peak_mib": max(cost.peak_mib for cost in own),
        **{name: asdict(Spread.of(values)) for name, values in spreads.items()},
    }  # fmt: skip


def start_up(clip: Path, folder: Path, times: int) -> dict[str, Any]:
    """`--help`, three frames, and the first of them."""
    short = folder / "three.mp4"
    clips.ffmpeg("-i", clip, "-frames:v", "3", "-an", "-c:v", "libx264", short)
    helped = [sys.executable, "infer_video.py", "--help"]
    texts, runs = programs.interleaved(
        times, lambda: programs.run(helped), lambda: programs.ours(short, folder)
    )
    first = [programs.first_frame_s(short, folder) for _ in range(times)]
    return {
        "help_s": wall(texts), "first_frame_s": asdict(Spread.of(first)),
        "three_frames_s": wall(runs),
    }  # fmt: skip


def wall(costs: Sequence[Cost]) -> dict[str, float]:
    return asdict(Spread.of(cost.wall_s for cost in costs))


def two_workers(folder: Path) -> float:
    """The share of two cores' time that eight clips by two workers take no longer than."""
    clip = clips.sample(folder, 4)
    eight = [folder / f"eight_{i}.mp4" for i in range(8)]
    for copy in eight:
        copy.write_bytes(clip.read_bytes())
    words = ["infer_video.py", *eight, "--output", folder / "eight", "--workers", "2"]
    cost = programs.run([sys.executable, *words])
    return cost.cpu_s / cost.wall_s / min(usable_cores(), 2)


def costs(upright: Path, folder: Path) -> list[dict[str, Any]]:
    """Cost of a frame and peak memory against length, resolution and people."""
    made = {
        "1080p, 10 s": clips.sample(folder, 10),
        "1080p, 60 s": clips.sample(folder, 60),
        "720p, 5 s": clips.sample(folder, 5, 1280, 720),
        "1080p, 5 s": clips.sample(folder, 5),
        "2160p, 5 s": clips.sample(folder, 5, 3840, 2160),
        **{f"{n} abreast, 1080p": clips.abreast(folder, upright, n) for n in (1, 2, 4)},
    }
    found = []
    for title, clip in made.items():
        cost = programs.ours(clip, folder)
        frames = report_of(clip, folder).frames
        per_frame = {"cpu_ms": 1e3 * cost.cpu_s / frames, "wall_ms": 1e3 * cost.wall_s / frames}
        found.append({"clip": title, "frames": frames, "peak_mib": cost.peak_mib, **per_frame})
    return found


if __name__ == "__main__":
    run_benchmark(main)
