"""A pipe in place of any file that is read: one line, not a wait for a program that writes."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import infer_video
import pipeline.export.__main__ as export
from testkit.make_video import moving
from testkit.results import made_result
from train.__main__ import main as train


@contextmanager
def soon(seconds: int = 300) -> Iterator[None]:
    """`TimeoutError` where the block waits."""

    def ring(*_: object) -> None:
        raise TimeoutError("it waits for a pipe")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def pipe(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


def _keypoint_folder(folder: Path) -> Path:
    pipe(folder / "keypoints" / "clip_000000000000_keypoints.json")
    return folder / "keypoints"


# a pipe that the command line itself names is a live source, and waited for
INPUTS: dict[str, Callable[[Path], list[str | Path]]] = {
    "numbered pictures": lambda folder: [pipe(folder / "c" / "1.png").parent, "--fps", "25"],
    "folder": lambda folder: [pipe(folder / "c" / "a.mp4").parent],
    "folder of pictures": lambda folder: [pipe(folder / "c" / "a.png").parent],
    "keypoints": lambda folder: [folder / "clip.mp4", "--keypoints", pipe(folder / "k.json")],
    "npz": lambda folder: [folder / "clip.mp4", "--keypoints", pipe(folder / "k.npz")],
    "folder of keypoints": lambda folder: [
        folder / "clip.mp4", "--keypoints", _keypoint_folder(folder)
    ],
    "lifter": lambda folder: [folder / "clip.mp4", "--lifter", pipe(folder / "l.safetensors")],
    "checkpoint": lambda folder: [folder / "clip.mp4", "--lifter", pipe(folder / "l.bin")],
}  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_the_application_does_not_wait(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moving(tmp_path / "clip.mp4", frames=2)
    words = [str(word) for word in INPUTS[name](tmp_path)]
    with soon():
        assert infer_video.main([*words, "-o", str(tmp_path / "out"), "--no-render"]) == 1
    assert "failed: " in capsys.readouterr().err
    assert not (tmp_path / "out" / "clip").exists()


@pytest.mark.parametrize("name", ["poses.npz", "report.json"])
def test_export_does_not_wait(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made_result(tmp_path).folder
    pipe(folder / name)
    with soon():
        assert export.main([str(folder), "--to", "npz"]) == 1
    assert capsys.readouterr().err.startswith("failed: ")


@pytest.mark.parametrize(
    "words",
    [
        ["--config", "{pipe}"],
        ["--resume", "{pipe}", "-c", "."],
        ["--evaluate", "{pipe}", "-c", "."],
        ["--data-dir", "{folder}", "-d", "custom", "-k", "x"],
        ["wild", "--mocap", "{pipe}.bvh", "--output", "{folder}/out"],
        ["wild", "--mocap", "{pipe}.npz", "--output", "{folder}/out"],
        ["wild", "--mocap", "{pipe}.tar", "--output", "{folder}/out"],
        ["wild", "--mocap", "{folder}", "--output", "{folder}/out"],
        ["validate", "--mocap", "{pipe}.bvh", "--lifter", "lifter"],
        ["validate", "--mocap", "{folder}", "--lifter", "{pipe}"],
        ["prepare", "poses", "{pipe}.npz", "--name", "x"],
        ["prepare", "2d-h36m", "{pipe}.tar", "--name", "cpn_x"],
    ],
    ids=" ".join,
)
def test_training_does_not_wait(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ending in ("", ".bvh", ".npz", ".tar"):
        pipe(tmp_path / f"pipe{ending}")
    pipe(tmp_path / "data_2d_custom_x.npz")
    line = [word.format(pipe=tmp_path / "pipe", folder=tmp_path) for word in words]
    with soon():
        assert train(line) in (1, 2)
    said = capsys.readouterr().err
    assert said.splitlines()[-1].startswith("error: ")


def test_names_that_we_write_do_not_make_us_wait(tmp_path: Path) -> None:
    clips, out = tmp_path / "clips", tmp_path / "out"
    clips.mkdir()
    moving(clips / "a.mp4", frames=2)
    names = ["a/poses.npz", "a/report.json", "a/a_3d.mp4", ".a.lock"]
    names += ["batch_report.json", "batch_report.csv", ".batch_report.json.lock"]
    for name in names:
        pipe(out / name)
    with soon():
        assert infer_video.main([str(clips), "-o", str(out)]) == 0
    (row,) = json.loads((out / "batch_report.json").read_text())["clips"]
    assert row["status"] == "done"
    assert all((out / name).is_file() for name in names if not name.endswith(".lock"))
