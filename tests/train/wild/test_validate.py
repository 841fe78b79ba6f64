"""How lifters are measured, on captured motion and on shots."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from core.camera import intrinsics_from_fov, project
from core.skeletons import COCO_17, H36M_17, H36M_21
from core.types import CameraPoses, Floats, Intrinsics, LifterInput
from lifter.predict import Lifter
from testkit.made.motion import bvh
from train.__main__ import main
from train.wild.motion.mocap import MotionClip
from train.wild.people.shots import Shots
from train.wild.validate import validate
from train.wild.validation_clips import film


class Oracle(Lifter):
    """Answers with the truth and keeps what a lifter would be given."""

    def __init__(self, truth: Floats) -> None:
        self.truth = truth
        self.inputs: list[LifterInput] = []

    class spec:  # noqa: N801
        fps = 30.0

    def lift(self, sequence: LifterInput, intrinsics: Intrinsics) -> CameraPoses:
        self.inputs.append(sequence)
        joints = self.truth[:, :21]
        return CameraPoses(joints - joints[:, :1], joints[:, 0], H36M_21)


def test_the_truth_has_no_error_and_noise_is_as_asked_for(clip: MotionClip) -> None:
    truth = film(clip, 30.0, 0.0, 20.0)
    oracle = Oracle(truth)
    rows = validate(oracle, [clip], [0.0, 1.0, 2.0], by="set")
    assert [(row["group"], row["noise"], row["clips"]) for row in rows] == [
        ("march", n, 1) for n in (0.0, 1.0, 2.0)
    ]
    own = ("bone spread", "foot skate")  # of the truth itself; these feet never stand
    assert all(
        value < 1e-3 for row in rows for name, value in row["errors"].items() if name not in own
    )
    camera = intrinsics_from_fov(1920, 1080, math.radians(55), "given")
    wrists = COCO_17.index("left_wrist"), H36M_17.index("l_wrist")
    exact = project(truth[:, wrists[1]], camera)
    off = [
        np.linalg.norm(given.keypoints[:, wrists[0]] - exact, axis=-1).mean()
        for given in oracle.inputs
    ]
    assert off[0] < 1e-6
    assert 3 < off[1] < 40
    assert 1.5 < off[2] / off[1] < 2.5
    again = Oracle(truth)
    validate(again, [clip], [1.0], by="action")
    np.testing.assert_array_equal(again.inputs[0].keypoints, oracle.inputs[1].keypoints)


def test_a_lifter_learns_from_shots_and_is_measured_on_them(
    shots: Shots, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, motion, run = tmp_path / "shots", tmp_path / "wave.bvh", tmp_path / "run"
    folder.mkdir()
    shots.save(folder / "shots_00000.npz")
    motion.write_text(bvh([{"place": [0, 15.6, 0], "LeftArm": [t, 0, 0]} for t in range(60)]))
    wild = [
        "wild",
        "--mocap",
        str(motion),
        "--arc",
        "3,3",
        "--channels",
        "32",
        "--batch",
        "64",
        "--device",
        "cpu",
    ]
    validate = [
        "validate",
        "--shots",
        str(folder),
        "--json",
        str(tmp_path / "numbers.json"),
        "--lifter",
    ]
    errors = {}
    for name, extra in (
        ("without", []),
        ("with", ["--shots", str(folder), "--shot-share", "0.75"]),
    ):
        assert (
            main([*wild, "--windows", "9600", "--lr", "3e-3", "--output", str(run / name), *extra])
            == 0
        )
        assert main([*validate, str(run / name / "lifter.safetensors")]) == 0
        rows = json.loads((tmp_path / "numbers.json").read_text())
        assert {row["group"] for row in rows} == {"shots", "shots, small", "shots, well seen"}
        errors[name] = {row["whose"]: row["errors"] for row in rows if row["group"] == "shots"}
    assert errors["with"]["detector"]["PA-MPJPE"] == pytest.approx(0, abs=0.1), (
        "right but for the size"
    )
    assert errors["with"]["detector"]["MPJPE"] > 100
    assert errors["with"]["lifter"]["PA-MPJPE"] < 0.7 * errors["without"]["lifter"]["PA-MPJPE"]
    assert errors["with"]["both"]["PA-MPJPE"] < errors["with"]["lifter"]["PA-MPJPE"]
    assert "PA-MPJPE" in capsys.readouterr().out


def test_a_folder_without_shots_and_nothing_to_measure_on_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "--shots", str(tmp_path)]) == 1
    assert "no shots of `python -m train film` in it" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["validate"])
    assert stopped.value.code == 2
    assert "--mocap or --shots is needed" in capsys.readouterr().err
