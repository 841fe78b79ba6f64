"""Clips and results at addresses, with fsspec's own file system in memory behind them."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pytest

from core.errors import UsageError, Video3DError
from infer_video import main
from pipeline.batch.addresses import parse_location
from pipeline.batch.clip import ClipWorker
from pipeline.batch.inputs import find_jobs
from pipeline.batch.jobs import Job, Outcome, Tick
from pipeline.config import PipelineConfig
from testkit.make_video import moving
from tests.pipeline.batch.batches import good_clip

OUTPUT = parse_location("memory://out")
CONFIG = PipelineConfig.from_flat(output=OUTPUT, render=False)


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    system = fsspec.filesystem("memory")
    yield system
    system.rm("/", recursive=True)


def ignore(tick: Tick) -> None: ...


def put(memory: fsspec.AbstractFileSystem, clip: Path, *names: str) -> None:
    for name in names:
        memory.pipe_file(f"/clips/{name}", clip.read_bytes())


def test_results_at_an_address_are_those_of_a_folder_and_are_not_made_twice(
    memory: fsspec.AbstractFileSystem, tmp_path: Path
) -> None:
    put(memory, good_clip(tmp_path / "x.mp4"), "a/x.mp4")
    ((job,), _) = find_jobs(["memory://clips"], OUTPUT)
    here = ClipWorker(replace(CONFIG, output=tmp_path)).do(
        Job(tmp_path / "x.mp4", tmp_path / "here"), ignore
    )
    worker = ClipWorker(CONFIG)
    done = worker.do(job, ignore)
    assert (done.status, done.frames, done.people, done.job) == (
        "done",
        here.frames,
        here.people,
        job,
    )
    assert sorted(memory.ls("/out/a/x", detail=False)) == [
        "/out/a/x/poses.npz",
        "/out/a/x/report.json",
        "/out/a/x/tracks.npz",
    ]
    ours, theirs = (
        np.load(io.BytesIO(memory.cat_file("/out/a/x/poses.npz"))),
        np.load(tmp_path / "here" / "poses.npz"),
    )
    for key in set(theirs.files) - {"metadata_json"}:
        np.testing.assert_array_equal(ours[key], theirs[key])
    assert worker.do(job, ignore).status == "skipped"
    put(memory, moving(tmp_path / "other.mp4", frames=3), "a/x.mp4")
    assert worker.do(job, ignore).frames == 3, "another clip under the same name"
    memory.pipe_file("/out/a/x/poses.npz", b"cut")
    assert worker.do(job, ignore).status == "done"


def test_results_can_stay_here(memory: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    put(memory, moving(tmp_path / "x.mp4", frames=3), "x.mp4")
    worker, job = (
        ClipWorker(replace(CONFIG, output=tmp_path)),
        Job(parse_location("memory://clips/x.mp4"), tmp_path / "out"),
    )
    assert worker.do(job, ignore).status == "done"
    assert worker.do(job, ignore).status == "skipped"
    assert json.loads((tmp_path / "out" / "report.json").read_text())["frames"] == 3


@pytest.mark.parametrize(
    ("name", "reason"),
    [("gone.mp4", "cannot be fetched"), ("text.mp4", "memory://clips/text.mp4: ")],
)
def test_failures_name_the_address_and_leave_nothing(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, name: str, reason: str
) -> None:
    memory.pipe_file("/clips/text.mp4", b"no video")
    outcome: Outcome = ClipWorker(CONFIG).do(
        Job(parse_location(f"memory://clips/{name}"), OUTPUT / "x"), ignore
    )
    assert outcome.status == "failed"
    assert outcome.reason.startswith(f"memory://clips/{name}: ")
    assert reason in outcome.reason
    assert not memory.exists("/out")


def test_addresses_name_files_folders_and_patterns(
    memory: fsspec.AbstractFileSystem, tmp_path: Path
) -> None:
    put(
        memory,
        moving(tmp_path / "x.mp4", frames=1),
        "x.mp4",
        "a/y.mp4",
        "a/notes.txt",
        "done/x/x_3d.mp4",
    )
    memory.pipe_file("/clips/done/x/report.json", b"{}")

    def found(word: str, pattern: str | None = None) -> dict[str, str]:
        return {str(job.source): str(job.folder) for job in find_jobs([word], OUTPUT, pattern)[0]}

    both = {"memory://clips/x.mp4": "memory://out/x", "memory://clips/a/y.mp4": "memory://out/a/y"}
    assert found("memory://clips/") == both
    assert found("memory://clips", "y*") == {"memory://clips/a/y.mp4": "memory://out/a/y"}
    assert found("memory://clips/a/*.mp4") == {"memory://clips/a/y.mp4": "memory://out/y"}
    memory.store["/evil/../../z.mp4"] = memory.store["/clips/x.mp4"]
    assert set(found("memory://evil").values()) == {"memory://out/z"}, (
        "a name in a store never leads out of the output"
    )
    del memory.store["/evil/../../z.mp4"]
    assert found("memory://clips/x.mp4") == {"memory://clips/x.mp4": "memory://out/x"}


def test_paths_and_addresses_are_distinguished(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_location("file:///data/a%20b.mp4") == Path("/data/a b.mp4")
    assert parse_location("nonsense://x") == Path("nonsense://x")
    assert str(parse_location("memory://a") / "b") == "memory://a/b"

    def missing(scheme: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.get_filesystem_class", missing)
    with pytest.raises(UsageError, match=r"s3://bucket/x\.mp4: Install s3fs to access S3"):
        parse_location("s3://bucket/x.mp4")


def test_what_is_live_is_recorded_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["0", "--output", "memory://out"]) == 2
    assert "--output memory://out: what is live is recorded in a folder" in capsys.readouterr().err


def test_a_store_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str) -> None:
        raise ConnectionError("refused")

    monkeypatch.setattr("fsspec.core.url_to_fs", refuse)
    with pytest.raises(Video3DError, match=r"memory://clips: cannot be listed \(refused\)"):
        find_jobs(["memory://clips"], OUTPUT)
