"""Whole batches on real files: what a user types, what is told, and what lies there afterwards, whatever goes wrong.

The same tests on a larger scale: VIDEO3D_CLIPS=60 VIDEO3D_KILLS=50 python -m pytest tests/pipeline/batch/test_run.py
"""

import contextlib
import errno
import fcntl
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InputError
from infer_video import main
from pipeline.batch import run as batch
from pipeline.batch.locks import locked
from pipeline.batch.workers import InProcess
from pipeline.config import PipelineConfig
from pipeline.media.video_reader import probe
from pipeline.run import process_video
from tests.make_faults import make_faults
from tests.make_video import moving, run_ffmpeg
from weights.store import resolve

ROOT = Path(__file__).parents[3]
CLIPS = int(os.environ.get("VIDEO3D_CLIPS", "0"))
KILLS = int(os.environ.get("VIDEO3D_KILLS", "1"))


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


Run = Callable[..., "subprocess.CompletedProcess[str]"]


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


def assert_all_whole(out: Path) -> None:
    """Nothing half-made under any name, no litter: every folder holds results that their report accounts for."""
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


def poses(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive if name != "metadata_json"}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder of good clips and one of each fault, and what must become of each."""
    folder = tmp_path_factory.mktemp("faulty")
    expected = make_faults(folder)
    for number in range(max(CLIPS - len(expected), 2)):
        good_clip(folder / f"good_{number}.mp4", start_s=2 + 0.05 * number)
        expected[f"good_{number}.mp4"] = "GOOD"
    return folder, expected


def test_every_good_clip_is_done_and_every_bad_one_named(
    faulty: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    folder, expected = faulty
    words = (
        folder,
        "--output",
        tmp_path / "out",
        "--workers",
        "2",
        "--render" if CLIPS else "--no-render",
    )
    done = infer(*words)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert_all_whole(tmp_path / "out")
    told = rows(tmp_path / "out", folder)
    assert told.keys() == expected.keys()
    for name, what in expected.items():
        row = told[name]
        if what.startswith("FAILED "):
            assert row["status"] == "failed", name
            assert re.search(what.removeprefix("FAILED "), row["reason"]), row
        else:
            assert row["status"] == "done", row
            assert re.search(what.removeprefix("GOOD"), row["warnings"]), row
            assert row["people"] >= 1 or what != "GOOD", row
    bad = sum(what.startswith("FAILED ") for what in expected.values())
    assert len(failures(done)) == bad
    before = {
        path: path.stat().st_mtime_ns
        for path in (tmp_path / "out").rglob("*.*")
        if path.parent.name != "out"
    }
    started = time.monotonic()
    again = infer(*words)
    print(f"{len(expected)} clips, second run: {time.monotonic() - started:.2f} s")
    assert again.returncode == 1
    assert sorted(line[:-10] for line in failures(again)) == sorted(
        line[:-10] for line in failures(done)
    )
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not any(row["status"] == "done" for row in rows(tmp_path / "out", folder).values())


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three good clips, which no test changes."""
    folder = tmp_path_factory.mktemp("three")
    for number in range(max(3, CLIPS // 6)):
        good_clip(folder / f"{number}.mp4", start_s=2 + 0.2 * number, frames=6 if CLIPS else 3)
    return folder


@dataclass(frozen=True)
class Calm:
    """The results of an undisturbed run, and how long it took."""

    out: Path
    seconds: float


@pytest.fixture(scope="module")
def calm(three: Path, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    out, started = tmp_path_factory.mktemp("calm"), time.monotonic()
    done = infer(three, "--output", out, "--workers", "2")
    assert done.returncode == 0, done.stderr
    return Calm(out, time.monotonic() - started)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """`infer_video.py …` without a process but this one, for what does not depend on processes."""
    monkeypatch.setattr(batch, "Pool", lambda config, workers, log: InProcess(config))

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        status = main([str(word) for word in words])
        return subprocess.CompletedProcess(words, status, *capfd.readouterr())

    return run


def test_killed_and_started_again_it_ends_as_if_undisturbed(
    three: Path, calm: Calm, tmp_path: Path
) -> None:
    """The parent dies at random moments; its workers must not outlive it, nor leave anything in the way."""
    chance, out = random.Random(0), tmp_path / "out"
    assert_stops_cleanly(three, out)
    in_time = 0
    for _ in range(KILLS):
        words = command(three, "--output", out, "--workers", "2")
        process = subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0, calm.seconds))
        in_time += process.poll() is None
        process.kill()
        if process.wait() == 0:
            assert_equal(out, calm.out)
            shutil.rmtree(out)  # and from the beginning, so that there is something left to kill
        for file in [*out.rglob("poses.npz"), *out.rglob("*.mp4"), *out.rglob("report.json")]:
            if ".partial-" not in str(file):
                open_whole(file)
    last = infer(three, "--output", out, "--workers", "2")
    print(f"{KILLS} kills, {in_time} of them before the batch was done")
    assert last.returncode == 0, last.stderr
    assert_equal(out, calm.out)


def assert_stops_cleanly(clips: Path, out: Path) -> None:
    """SIGTERM: what is half-made is cleared away at once."""
    words = command(clips, "--output", out, "--workers", "2", "--log-level", "info")
    process = subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    _first_worker(process)
    process.terminate()
    _, said = process.communicate()
    assert process.returncode == 143
    assert "Traceback" not in said
    assert_all_whole(out)


def open_whole(file: Path) -> None:
    opener: dict[str, Callable[[Path], object]] = {".npz": poses, ".mp4": probe, ".json": _json}
    opener[file.suffix](file)


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


def _json(path: Path) -> object:
    return json.loads(path.read_text())


def test_a_killed_worker_costs_its_clip_a_second_try(
    three: Path, calm: Calm, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        command(three, "--output", tmp_path / "out", "--workers", "2", "--log-level", "info"),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.kill(_first_worker(process), signal.SIGKILL)
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert "was killed (SIGKILL" in said
    assert "it is tried again" in said
    assert_equal(tmp_path / "out", calm.out)
    assert {row["status"] for row in rows(tmp_path / "out", three).values()} == {"done"}


def _first_worker(process: "subprocess.Popen[str]") -> int:
    """The process that begins with a clip first."""
    assert process.stderr is not None
    for line in process.stderr:
        if ": begins" in line:
            break
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [
        pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    return int(workers[0])


def test_two_runs_on_one_folder_share_the_work(three: Path, tmp_path: Path) -> None:
    words = command(three, "--output", tmp_path / "out", "--no-render")
    both = [subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert_all_whole(tmp_path / "out")
    clips = len(list(three.iterdir()))
    assert sum(text.count(" frames, ") for text in said) == clips, (
        "each clip is done by one of the two"
    )


def test_a_lock_whose_holder_died_locks_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    (tmp_path / ".x.lock").write_text("left by a killed run")
    with locked(folder) as first, locked(folder) as second:
        assert (first, second) == (True, False)
    with locked(folder) as third:
        assert third
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_knows_no_locks_can_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path / "x") as mine:
        assert mine
    assert list(tmp_path.iterdir()) == []


def test_what_changed_is_done_again(
    three: Path, calm: Calm, in_process: Run, tmp_path: Path
) -> None:
    clips = shutil.copytree(three, tmp_path / "clips")
    out = shutil.copytree(calm.out, tmp_path / "out")
    good_clip(clips / "1.mp4", start_s=3.0)  # other content
    os.utime(clips / "2.mp4")  # same content
    (out / "0" / "poses.npz").write_bytes(b"cut")  # no longer whole
    words = (clips, "--output", out)
    again = in_process(*words)
    assert again.returncode == 0
    assert {name: row["status"] for name, row in rows(out, clips).items()} == {
        "0.mp4": "done", "1.mp4": "done", "2.mp4": "skipped", **{f"{i}.mp4": "skipped" for i in range(3, CLIPS // 6)}
    }  # fmt: skip
    dry = in_process(*words, "--smooth", "none", "--dry-run")
    assert dry.stdout.count("would do ") == len(list(clips.iterdir())), (
        "other settings are other results"
    )
    part = in_process(*words, "--shard", "2/3", "--dry-run")
    assert part.stdout.count("already done") == len(list(clips.iterdir())) // 3


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(
            f"cannot mount a small disk here: {mounted.stderr.decode(errors='replace').strip()}"
        )
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_said_and_what_fits_is_done(
    in_process: Run, small_disk: Path, tmp_path: Path
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    tiny = moving(clips / "tiny.mp4", frames=2)
    for name in ("0.mp4", "1.mp4"):
        moving(clips / name, frames=40)
    done = in_process(clips, "--output", small_disk)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert all("No space left on device" in line for line in failures(done)), done.stderr
    assert f"{small_disk / 'tiny'}: 2 frames" in done.stdout, done
    assert tiny.exists()
    assert_all_whole(small_disk)


def test_an_output_that_cannot_be_written_costs_only_its_clip(three: Path, tmp_path: Path) -> None:
    """And the log is JSON, with the run's id in every line."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "1").write_text("a file where a folder should be")
    words = ("--no-render", "--end", "0.1", "--log-json", "--log-level", "info")
    done = infer(three, "--output", out, *words)
    assert done.returncode == 1
    assert (
        sum(row["status"] == "done" for row in rows(out, three).values())
        == len(list(three.iterdir())) - 1
    )
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert len({line["run"] for line in lines}) == 1
    assert {line["level"] for line in lines} >= {"info", "error"}
    (failed,) = [line for line in lines if line["level"] == "error"]
    assert failed["clip"] == str(three / "1.mp4")
    assert "out/1: cannot write there" in failed["message"]


def test_a_file_that_vanishes_between_the_passes_leaves_nothing(tmp_path: Path) -> None:
    clip = moving(tmp_path / "clip.mp4", frames=6)

    def vanish(items: Any, stage: str, total: int | None) -> Any:
        yield from items
        if stage == "detect":
            clip.unlink()

    with pytest.raises(InputError, match="no such file"):
        process_video(clip, PipelineConfig(output=tmp_path / "out"), progress=vanish)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_failure_leaves_the_results_that_were_there(tmp_path: Path) -> None:
    clip, words = (
        moving(tmp_path / "clip.mp4", frames=4),
        ["--output", str(tmp_path / "out"), "--no-render"],
    )
    assert main([str(clip), *words]) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out" / "clip").iterdir()}
    shutil.copy(ROOT / "README.md", clip)
    assert main([str(clip), *words]) == 1
    assert {
        path.name: path.read_bytes() for path in (tmp_path / "out" / "clip").iterdir()
    } == before
