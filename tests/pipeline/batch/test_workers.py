"""Batches whose processes are killed.

On a larger scale: VIDEO3D_CLIPS=60 VIDEO3D_KILLS=50 python -m pytest tests/pipeline/batch
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.pipeline.batch.batches import (
    KILLS,
    ROOT,
    Calm,
    assert_all_whole,
    assert_equal,
    command,
    infer,
    open_whole,
    rows,
)


def test_killed_and_started_again_it_ends_as_if_undisturbed(
    three: Path, calm: Calm, tmp_path: Path
) -> None:
    """The parent dies at random moments; its workers must end too, and leave nothing in the way."""
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


@pytest.mark.parametrize("limit", ["-n 12", "-n 18", "-v 1000000", "-v 1100000", "-v 1500000"])
def test_under_tight_limits_every_clip_is_accounted_for(
    limit: str, three: Path, tmp_path: Path
) -> None:
    words = command(three, "--output", tmp_path / "out", "--workers", "1")
    done = subprocess.run(
        ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *words],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "a fault of this program" not in done.stderr
    assert done.returncode == (1 if "failed: " in done.stderr else 0)
    assert len(rows(tmp_path / "out", three)) == len(list(three.iterdir()))
