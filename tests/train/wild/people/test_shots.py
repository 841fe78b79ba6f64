"""What a detector said of filmed people: kept, learnt from, measured with."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.camera import project
from core.skeletons import COCO_17, H36M_17
from core.types import Intrinsics
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from tests.train.made_motion import bvh
from tests.walker import walking
from train.__main__ import main
from train.wild.people.shots import FilmedWindows, Shots

CAMERA = Intrinsics(500.0, 500.0, 256.0, 192.0, "given")
FRAMES, UNSEEN = 20, 3  # the detector sees nobody in the last three


@pytest.fixture
def shots() -> Shots:
    """A walker seen from two distances; the detector is right in 2D and takes everybody for 30 % larger in 3D."""
    truth = np.stack([walking(FRAMES) + np.array([0.3, 0.0, z]) for z in (4.0, 7.0)])
    points = np.concatenate(
        [truth, np.repeat(truth[:, :, 10:11], 5, axis=2)], 2
    )  # the face is the top of the head
    seen = np.repeat(truth[:, :, 10:11], len(COCO_17), axis=2)
    seen[:, :, LIMBS_IN] = truth[:, :, LIMBS_OUT]
    keypoints = np.stack([project(shot, CAMERA) for shot in seen])
    keypoints_3d = 1.3 * (seen - truth[:, :, :1])
    scores = np.full(keypoints.shape[:3], 0.9)
    keypoints[:, -UNSEEN:], keypoints_3d[:, -UNSEEN:], scores[:, -UNSEEN:] = np.nan, np.nan, 0.0
    return Shots(
        keypoints, scores, keypoints_3d, points, np.tile([500.0, 500.0, 256.0, 192.0], (2, 1))
    )


def test_shots_come_back_as_they_were_kept(shots: Shots, tmp_path: Path) -> None:
    shots.save(tmp_path / "shots_00000.npz")
    shots.save(tmp_path / "shots_00001.npz")
    loaded = Shots.load(tmp_path, tmp_path)
    for name, value in vars(shots).items():
        np.testing.assert_allclose(vars(loaded)[name], np.concatenate([value] * 4), rtol=1e-6)


def test_windows_show_what_their_targets_say(shots: Shots) -> None:
    """Limb joints seen from far away lie where their keypoints are, up to place and size, however the camera rolls."""
    filmed = FilmedWindows(shots, 9, 4, torch.Generator().manual_seed(0))
    windows, target = filmed.batch(200)
    assert windows.shape == (200, 9, 18, 3)
    assert windows.isfinite().all()
    assert (target[:, 0] == 0).all()
    seen = (windows[:, 4, LIMBS_IN, 2] > 0.5).all(1)
    assert 0.7 < seen.float().mean() < 1
    for shown, true in zip(
        windows[seen][:, 4, LIMBS_IN, :2], target[seen][:, LIMBS_OUT, :2], strict=True
    ):
        both = np.stack([(shown - shown.mean(0)).flatten(), (true - true.mean(0)).flatten()])
        assert np.corrcoef(both)[0, 1] > 0.97
    heads = target[:, H36M_17.index("head_top"), :2]
    assert heads[:, 0].std() > 0.05 * heads[:, 1].std(), "cameras roll"


def test_a_detectors_own_idea_of_where_an_ankle_is_does_not_reach_the_windows(shots: Shots) -> None:
    many = Shots(**{name: np.concatenate([value] * 3) for name, value in vars(shots).items()})
    higher = many.points.copy()
    for side in "lr":
        knee, ankle = (H36M_17.index(f"{side}_{joint}") for joint in ("knee", "ankle"))
        higher[:, :, ankle] += 0.2 * (higher[:, :, knee] - higher[:, :, ankle])
    keypoints = many.keypoints.copy()
    ankles = [LIMBS_OUT.index(H36M_17.index(name)) for name in ("l_ankle", "r_ankle")]
    for at in ankles:
        keypoints[:, :, LIMBS_IN[at]] += [
            project(moved[:, LIMBS_OUT[at]], CAMERA) - project(points[:, LIMBS_OUT[at]], CAMERA)
            for moved, points in zip(higher, many.points, strict=True)
        ]
    drawn = [
        FilmedWindows(replace(many, keypoints=seen), 9, 4, torch.Generator().manual_seed(0)).batch(
            100
        )[0]
        for seen in (many.keypoints, keypoints)
    ]
    off = (drawn[1] - drawn[0])[:, 4, LIMBS_IN, :2].norm(dim=-1)
    assert off.max() < 0.05, "of a person's size; the ankles were off by 0.2"


def test_windows_reach_beyond_a_shot_by_standing_still_or_going_backwards(shots: Shots) -> None:
    windows, _ = FilmedWindows(
        shots, 2 * FRAMES - 1, FRAMES - 1, torch.Generator().manual_seed(0)
    ).batch(500)
    unseen = (windows[:, :, 0, 2] < 0.5).sum(1)
    around_the_last = {FRAMES - 1 + UNSEEN, 2 * UNSEEN - 1}
    assert around_the_last <= set(unseen.tolist())
    assert (unseen <= 2 * UNSEEN).float().mean() == pytest.approx(0.5 + 0.5 * 4 / FRAMES, abs=0.1)


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
        assert {row["group"] for row in rows} == {"shots", "shots, well seen"}
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
