"""Whole batches on real files: the command line, its answers, and the output folder afterwards.

On a larger scale: VIDEO3D_CLIPS=60 VIDEO3D_KILLS=50 python -m pytest tests/pipeline/batch
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.make_video import moving
from tests.make_faults import make_faults
from tests.pipeline.batch.batches import (
    CLIPS,
    Calm,
    Run,
    assert_all_whole,
    failures,
    good_clip,
    infer,
    rows,
)


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
        "--render=side-by-side" if CLIPS else "--no-render",
    )
    done = infer(*words)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert_all_whole(tmp_path / "out")
    reported = rows(tmp_path / "out", folder)
    assert reported.keys() == expected.keys()
    for name, what in expected.items():
        row = reported[name]
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
        "0.mp4": "done", "1.mp4": "done", "2.mp4": "skipped",
        **{f"{i}.mp4": "skipped" for i in range(3, CLIPS // 6)},
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


@pytest.mark.parametrize("lifter", ["lifter", "videopose3d-coco"])
def test_a_dry_run_fetches_nothing(lifter: str, tmp_path: Path) -> None:
    clip, cache = moving(tmp_path / "clip.mp4", frames=2), tmp_path / "cache"
    environment = {**os.environ, "VIDEO3D_WEIGHTS": str(cache)}
    done = infer(clip, "-o", tmp_path / "out", "--lifter", lifter, "--dry-run", env=environment)
    assert done.returncode == 0, done.stderr
    assert f"would do {clip}" in done.stdout
    assert not cache.exists()
    assert not (tmp_path / "out").exists()


def test_a_lifter_that_cannot_be_used_is_said_once_before_any_clip(tmp_path: Path) -> None:
    lifter, clips = tmp_path / "bad.bin", tmp_path / "clips"
    lifter.write_bytes(b"\x80\x02.")
    clips.mkdir()
    for number in range(3):
        moving(clips / f"{number}.mp4", frames=2)
    done = infer(clips, "-o", tmp_path / "out", "--lifter", lifter, "--workers", "2")
    assert done.returncode == 1
    assert done.stderr.count("bad.bin: not a readable checkpoint") == 1, done.stderr
    assert not (tmp_path / "out").exists()
