"""What the tests of batches share: commands, clips, and checks of what a batch leaves."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.media.video_reader import probe
from testkit.make_video import run_ffmpeg
from weights.store import resolve

ROOT = Path(__file__).parents[3]

CLIPS = int(os.environ.get("VIDEO3D_CLIPS", "0"))

KILLS = int(os.environ.get("VIDEO3D_KILLS", "1"))

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def command(*words: str | Path) -> list[str]:
    return [sys.executable, str(ROOT / "infer_video.py"), *map(str, words)]


def infer(*words: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words),
        capture_output=True,
        text=True,
        errors="replace",
        cwd=ROOT,
        check=False,
        **options,
    )


def failures(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("failed: ")]


def rows(out: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """The batch report's rows by the clip's path in its folder."""
    report = json.loads((out / "batch_report.json").read_text())
    assert report["clips_total"] == len(report["clips"])
    return {str(Path(row["clip"]).relative_to(folder)): row for row in report["clips"]}


def good_clip(path: Path, start_s: float = 2.2, frames: int = 6) -> Path:
    """A little of the sample in which both people are in view."""
    words = (
        "-ss",
        str(start_s),
        "-i",
        str(resolve("demo-clip")),
        "-frames:v",
        str(frames),
        "-vf",
        "scale=320:-2",
    )
    run_ffmpeg(*words, str(path))
    return path


@dataclass(frozen=True)
class Calm:
    """The results of an undisturbed run, and how long it took."""

    out: Path
    seconds: float


def assert_all_whole(out: Path) -> None:
    """Check that nothing half-made lies there, and that reports account for all other files."""
    for path in out.rglob("*"):
        assert not path.name.startswith("."), path
        if path.is_dir():
            assert any(path.iterdir()), f"{path} is empty"
    for report in out.rglob("report.json"):
        sizes = json.loads(report.read_text())["files"]
        lying = {
            path.name: path.stat().st_size for path in report.parent.iterdir() if path.is_file()
        }
        assert {**sizes, "report.json": lying["report.json"]} == lying
    assert {path.parent for path in out.rglob("poses.npz")} == {
        path.parent for path in out.rglob("report.json")
    }


def assert_equal(ours: Path, theirs: Path) -> None:
    """The same poses, bit for bit, and the same videos, and no more than that."""
    assert_all_whole(ours)
    assert_all_whole(theirs)
    names = sorted(path.parent.name for path in theirs.glob("*/report.json"))
    assert names == sorted(path.parent.name for path in ours.glob("*/report.json"))
    for name in names:
        expected = poses(theirs / name / "poses.npz")
        for key, values in poses(ours / name / "poses.npz").items():
            np.testing.assert_array_equal(values, expected[key])
        assert (ours / name / f"{name}_3d.mp4").read_bytes() == (
            theirs / name / f"{name}_3d.mp4"
        ).read_bytes()


def open_whole(file: Path) -> None:
    opener: dict[str, Callable[[Path], object]] = {".npz": poses, ".mp4": probe, ".json": _json}
    opener[file.suffix](file)


def poses(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive if name != "metadata_json"}


def _json(path: Path) -> object:
    return json.loads(path.read_text())
