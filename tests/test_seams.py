"""A detector, an export format and a measure of a user's own, used from the command line.

They stand in one script, which defines them, by which they are registered, and calls `main`.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.export.base import exporter_names
from testkit.make_video import moving

ROOT = Path(__file__).parents[1]

SCRIPT = '''
import sys
from dataclasses import dataclass

import numpy as np

from core.options import option
from core.skeletons import HALPE_26
from core.types import Detections
from detectors.base import DetectorBackend
from infer_video import main
from pipeline.export.base import Exporter
from pipeline.results.measures import measure
from testkit.walker import keypoints, moving_root, walking


class ToyDetector:
    """One walker in every frame, with more joints than the lifter wants."""

    skeleton = HALPE_26

    def __init__(self, size):
        self._size = size

    def begin(self, video, picture_numbers=None):
        self._scale = video.width / 1920 * self._size

    def detect(self, frame):
        frames = walking(60)
        xy = keypoints(frames, moving_root(60))[frame.index] * self._scale
        joints = np.zeros((1, len(HALPE_26), 2))
        joints[0, :17] = xy
        box = np.concatenate([xy.min(0), xy.max(0)])[None]
        scores = np.full((1, len(HALPE_26)), 0.9)
        metres = np.full((1, len(HALPE_26), 3), np.nan)
        return Detections(frame.index, box, np.ones(1), joints, scores, metres, HALPE_26)

    def close(self):
        pass


@dataclass(frozen=True)
class Toy(DetectorBackend):
    name = "toy"
    about = "a walker that is always there"

    toy_size: float = option(1.0, "how large the walker is", metavar="X", above=0)

    def build(self, threads=None):
        return ToyDetector(self.toy_size)


class Heights(Exporter):
    name = "heights"
    about = "how high each head is, as text"

    def write(self, result, folder):
        head = result.joints.index("head_top")
        for person in result.people:
            heights = person.joints_world_m[:, head, 2]
            path = folder / f"{result.stem}_person{person.track_id}_heights.txt"
            path.write_text("\\n".join(f"{height:.3f}" for height in heights))


class Broken(Exporter):
    name = "broken"
    about = "fails after its first file"

    def write(self, result, folder):
        (folder / "half.txt").write_text("half")
        raise KeyError("a joint that is not there")


@measure("toy_rows", unit="1", about="how many rows a person has", summary=lambda persons: float(
    sum(person.count for person in persons.values())))
def toy_rows(part):
    return np.ones(len(part.rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
'''


def run(script: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), *map(str, arguments)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toy") / "toy.py"
    path.write_text(SCRIPT)
    return path


def test_they_work_from_the_command_line(script: Path, tmp_path: Path) -> None:
    clip = moving(tmp_path / "clip.mp4", frames=12)
    out = tmp_path / "out"
    done = run(script, clip, "-o", out, "--detector", "toy", "--toy-size", "0.9",
               "--export", "heights")  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((out / "clip" / "report.json").read_text())
    assert report["detector"] == {"name": "toy", "why": "asked for"}
    assert report["config"]["toy_size"] == 0.9
    assert report["toy_rows"] == 12
    heights = np.loadtxt(out / "clip" / "clip_person1_heights.txt")
    assert heights.shape == (12,)
    assert ((heights > 1.1) & (heights < 2.1)).all()
    assert "clip_person1_heights.txt" in report["files"]


def test_a_format_asked_for_later_is_added_to_what_is_done(script: Path, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    for name in ("a.mp4", "b.mp4"):
        moving(tmp_path / "clips" / name, frames=12)
    line = (tmp_path / "clips", "-o", tmp_path / "out", "--detector", "toy", "--workers", "2")
    assert run(script, *line).returncode == 0
    poses = tmp_path / "out" / "a" / "poses.npz"
    before = poses.stat().st_mtime_ns
    done = run(script, *line, "--export", "heights")
    assert done.returncode == 0, done.stderr
    assert poses.stat().st_mtime_ns == before
    assert f"{poses.parent}: already done, added a_person1_heights.txt" in done.stdout
    assert (tmp_path / "out" / "b" / "b_person1_heights.txt").exists()
    again = run(script, *line, "--export", "heights", "--dry-run")
    assert "0 to do, 2 done already" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--toy-size", "0"], "--toy-size must be positive"),
        (["--toy-size", "2"], "--toy-size is for --detector toy"),
        (
            ["--export", "wings"],
            f"--export must be one of {', '.join(exporter_names())}, heights, broken, got wings",
        ),
    ],
)
def test_their_options_are_checked_like_any_other(
    script: Path, tmp_path: Path, arguments: list[str], reason: str
) -> None:
    clip = moving(tmp_path / "clip.mp4", frames=2)
    detector = ["--detector", "toy"] if arguments[1] != "2" else []
    done = run(script, clip, "-o", tmp_path / "out", *detector, *arguments)
    assert done.returncode == 2
    assert reason in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_format_that_fails_costs_neither_the_clip_nor_other_formats(
    script: Path, tmp_path: Path
) -> None:
    clip, out = moving(tmp_path / "clip.mp4", frames=12), tmp_path / "out" / "clip"
    done = run(script, clip, "-o", out.parent, "--detector", "toy", "--export", "broken,heights")
    assert done.returncode == 1, "a file that was asked for is not there"
    assert "--export broken failed: KeyError: 'a joint that is not there'" in done.stderr
    assert (out / "clip_person1_heights.txt").exists()
    assert not (out / "half.txt").exists()
    again = run(script, clip, "-o", out.parent, "--detector", "toy", "--export", "broken,heights")
    assert again.returncode == 1
    assert "--export broken failed" in again.stderr, "what failed is tried again"


def test_a_name_that_is_taken_is_refused() -> None:
    from detectors.base import backends
    from pipeline.export.base import Exporter, exporters
    from pipeline.results.measures import measure

    taken = next(iter(exporters()))
    with pytest.raises(ValueError, match="already"):
        type("Again", (Exporter,), {"name": taken})
    with pytest.raises(ValueError, match="already"):
        measure("foot_skate_m_s", "m/s", "again")(lambda part: np.zeros(0))
    with pytest.raises(ValueError, match="already"):
        type("Again", (next(iter(backends().values())),), {"name": next(iter(backends()))})
