"""A small run of the shipped lifter's training."""

import json
import math
from pathlib import Path

import pytest
import torch

from lifter.predict import Lifter
from testkit.made.motion import bvh
from train.__main__ import main


def test_a_run_learns_and_a_killed_one_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "motion"
    folder.mkdir()
    frames = [{"place": [0, 15.6, 0], "LeftArm": [math.sin(t / 9) * 60, 0, 0]} for t in range(120)]
    (folder / "wave.bvh").write_text(bvh(frames))
    command = ["wild", "--mocap", str(folder), "--output", str(tmp_path / "run"), "--arc", "3,3",
               "--channels", "32", "--batch", "64", "--device", "cpu"]  # fmt: skip
    assert main([*command, "--windows", "6400"]) == 0
    assert main([*command, "--windows", "12800"]) == 0
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [entry["windows"] for entry in log] == [3200, 6400, 9600, 12800]
    assert log[-1]["loss_mm"] < 0.7 * log[0]["loss_mm"]
    lifter = Lifter.load(tmp_path / "run" / "lifter.safetensors")
    assert lifter.spec.normalization == "person"
    assert lifter.spec.model.receptive_field == 9
    other = [*command, "--windows", "6400", "--channels", "16", "--output", str(tmp_path / "other")]
    assert main([*other, "--start", str(tmp_path / "run" / "lifter.safetensors")]) == 1
    assert "not a network of this --arc and --channels" in capsys.readouterr().err
    assert main([*command, "--windows", "12800", "--channels", "16"]) == 2
    assert "state.pt: a run of another --arc or --channels" in capsys.readouterr().err
    state_path = tmp_path / "run" / "state.pt"
    state = torch.load(state_path, weights_only=True)
    state["average"] = {f"module.{name}": value for name, value in state["average"].items()}
    torch.save(state, state_path)
    assert main([*command, "--windows", "12800"]) == 2
    assert "or of another version" in capsys.readouterr().err
    state_path.write_bytes(state_path.read_bytes()[:1000])
    assert main([*command, "--windows", "12800"]) == 2
    assert "state.pt: damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags",
    [["--arc", "3,x"], ["--arc", "2,3"], ["--windows", "0"], ["--batch", "1"],
     ["--channels", "0"], ["--lr", "-1"], ["--shot-share", "1"], ["--device", "abacus"],
     ["--recipe", "noise"], ["--recipe", "loudness=1"], ["--recipe", "level_deg=1"]],
)  # fmt: skip
def test_a_flag_that_makes_no_sense_is_named_and_nothing_is_written(
    flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["wild", "--mocap", str(tmp_path), "--output", str(tmp_path / "run"), *flags]) == 2
    assert capsys.readouterr().err.startswith(f"error: {flags[0]}")
    assert not (tmp_path / "run").exists()


def test_missing_motion_capture_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["wild", "--mocap", str(tmp_path / "nowhere"), "--output", str(tmp_path / "run")]) == 1
    )
    assert "no such file or folder of motion capture" in capsys.readouterr().err
