"""Batches on Ray: results as on this machine alone, also after deaths.

Without Ray, only options and messages are tested.
"""

import contextlib
import importlib.util
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import UsageError
from infer_video import main
from pipeline.batch.run import BatchOptions
from tests.pipeline.batch.batches import (
    ROOT,
    assert_all_whole,
    assert_equal,
    command,
    good_clip,
    infer,
    rows,
)

HAS_RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed")

WORDS = ("--engine", "ray", "--workers", "2", "--ray-cpus-per-worker", "1")


def test_without_ray_one_line_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([str(tmp_path), "--output", str(tmp_path / "out"), "--engine", "ray"]) == 2
    assert (
        capsys.readouterr().err
        == "infer_video.py: --engine ray needs Ray: pip install -c constraints.txt -e '.[ray]'"
        " in the folder of this program\n"
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--ray-address", "auto"], "--ray-address is for --engine ray"),
        (["--ray-gpus-per-worker", "0.5"], "--ray-gpus-per-worker is for --engine ray"),
        (["--ray-cpus-per-worker", "3"], "--ray-cpus-per-worker is for --engine ray"),
        (["--ray-ship", "program"], "--ray-ship is for --engine ray"),
        (
            ["--engine", "ray", "--ray-ship", "program"],
            "--ray-ship is for a cluster's --ray-address",
        ),
        (
            ["--engine", "ray", "--ray-address", "ray://head:10001"],
            "--ray-address must be HOST:PORT or auto",
        ),
        (
            ["--engine", "ray", "--ray-gpus-per-worker", "1.5"],
            "--ray-gpus-per-worker must be a share",
        ),
        (
            ["--engine", "ray", "--ray-gpus-per-worker", "-1"],
            "--ray-gpus-per-worker must be a share",
        ),
        (
            ["--engine", "ray", "--ray-cpus-per-worker", "0"],
            "--ray-cpus-per-worker must be 1 or more",
        ),
    ],
)
def test_contradictions_are_said_before_any_work(
    words: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--output", str(tmp_path / "out"), *words]) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_shares_of_a_machine_are_taken_as_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert (
        BatchOptions(
            engine="ray", ray_address="10.0.0.1:6379", ray_gpus_per_worker=0.25
        ).ray_gpus_per_worker
        == 0.25
    )
    assert BatchOptions(engine="ray", ray_gpus_per_worker=2).ray_gpus_per_worker == 2
    with pytest.raises(UsageError, match="a finite number"):
        BatchOptions(engine="ray", ray_gpus_per_worker=float("nan"))


@pytest.fixture
def without_virtualenv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let `import virtualenv` fail in processes that are started."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "virtualenv.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.fixture
def head(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Start a cluster of our own: two cores, nothing beyond 127.0.0.1, a key of its own."""
    for name, value in {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # Ray's way to say 127.0.0.1
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }.items():
        monkeypatch.setenv(name, value)
    port = _free_port()
    words = (
        "start",
        "--head",
        "--block",
        "--num-cpus=2",
        "--include-dashboard=false",
        f"--port={port}",
    )
    ray = [str(Path(sys.executable).with_name("ray")), *words, f"--object-store-memory={100 << 20}"]
    log = tmp_path_factory.mktemp("ray") / "log"
    with log.open("w") as said:
        process = subprocess.Popen(ray, stdout=said, stderr=said)
    try:
        while "Ray runtime started" not in log.read_text():
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


@needs_ray
def test_a_killed_worker_costs_nothing_and_results_are_those_of_one_machine(
    head: str, tmp_path: Path
) -> None:
    clips, local, out = tmp_path / "clips", tmp_path / "local", tmp_path / "out"
    clips.mkdir()
    for number in range(4):
        good_clip(clips / f"{number}.mp4", start_s=2 + 0.2 * number, frames=20)
    (clips / "text.mp4").write_text("no video")
    assert infer(clips, "--output", local, "--workers", "2").returncode == 1
    process = subprocess.Popen(
        [
            *command(clips, "--output", out, *WORDS), "--log-level", "info",
            "--ray-address", head, "--ray-ship", "program",
        ],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.kill(_first_worker(process), signal.SIGKILL)
    _, said = process.communicate()
    assert process.returncode == 1, said
    assert said.count("it is tried again") == 1, said
    assert "Traceback" not in said
    assert_equal(out, local)
    assert {name: row["status"] for name, row in rows(out, clips).items()} == {
        **{f"{number}.mp4": "done" for number in range(4)}, "text.mp4": "failed"
    }  # fmt: skip
    again = infer(clips, "--output", out, *WORDS, "--ray-address", "127.0.0.1:1")
    assert json.loads((out / "batch_report.json").read_text())["skipped"] == 4, again.stderr


def _first_worker(process: "subprocess.Popen[str]") -> int:
    """The process that gets a clip first."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if (found := re.search(r"goes to process (\d+) on", line)) is not None:
            return int(found[1])
    raise AssertionError("".join(said))


@needs_ray
def test_where_no_cluster_is_that_is_said(tmp_path: Path) -> None:
    clip = good_clip(tmp_path / "clip.mp4")
    done = infer(
        clip,
        "--output",
        tmp_path / "out",
        "--engine",
        "ray",
        "--ray-address",
        f"127.0.0.1:{_free_port()}",
    )
    assert done.returncode == 2
    assert re.fullmatch(r"infer_video.py: --ray-address \S+: no Ray there .*\n", done.stderr), (
        done.stderr
    )
    assert not (tmp_path / "out").exists()


@needs_ray
def test_sigterm_ends_all_and_leaves_nothing_half_made(head: str, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    good_clip(clips / "0.mp4", frames=60)
    words = command(
        clips, "--output", tmp_path / "out", *WORDS,
        "--ray-address", head, "--ray-ship", "nothing",
    )  # fmt: skip
    process = subprocess.Popen(
        [*words, "--log-level", "info"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    worker = _first_worker(process)
    process.terminate()
    _, said = process.communicate()
    assert process.returncode == 143, said
    assert _has_ended(worker)
    assert_all_whole(tmp_path / "out")


def _has_ended(process: int, within_s: float = 20.0) -> bool:
    """Whether a process ends by itself; Ray's workers take a moment to."""
    until = time.monotonic() + within_s
    while Path(f"/proc/{process}").exists() and time.monotonic() < until:
        time.sleep(0.1)
    return not Path(f"/proc/{process}").exists()


@needs_ray
def test_a_machine_that_cannot_start_a_worker_is_named(
    without_virtualenv: None, head: str, tmp_path: Path
) -> None:
    clip = good_clip(tmp_path / "clip.mp4", frames=5)
    done = infer(clip, "--output", tmp_path / "out", *WORDS, "--ray-address", head)
    assert done.returncode == 1
    assert (
        "no worker could start: 127.0.0.1: its Python lacks virtualenv, with which Ray installs"
        " libraries: pip install virtualenv there" in done.stderr
    )


@needs_ray
def test_a_gpu_that_this_machine_lacks_is_not_waited_for(tmp_path: Path) -> None:
    good_clip(tmp_path / "clip.mp4", start_s=2)
    words = (tmp_path, "--output", tmp_path / "out", "--engine", "ray")
    done = infer(*words, "--ray-gpus-per-worker", "64")
    assert done.returncode == 2
    told = "Ray on this machine: each takes 2 cores, 64 GPUs, and the largest has"
    assert told in done.stderr


@needs_ray
def test_no_room_is_told_from_installing(
    head: str,
) -> None:
    import ray

    from pipeline.batch.cluster.engine import _Room

    ray.init(address=head, log_to_driver=False, logging_level="ERROR")
    try:
        too_large, installing = _Room(ray, 3, 0.0), _Room(ray, 1, 0.0)
        assert too_large.why_none_started() == (
            "no machine of the cluster is large enough: each takes 3 cores, 0 GPUs, and the"
            " largest has 2 cores, 0 GPUs"
        )
        assert installing.why_none_started() == (
            "no machine of the cluster has had room for one: each takes 1 cores, 0 GPUs"
        )
        taken = ray.remote(_Sleeper).options(num_cpus=1).remote()
        ray.get(taken.answer.remote())
        while ray.available_resources().get("CPU") != 1:
            time.sleep(0.1)
        assert "installing what workers need" in installing.why_none_started()
    finally:
        ray.shutdown()


class _Sleeper:
    """An actor that takes its share."""

    def answer(self) -> None: ...
