"""The shipped lifter's training: its data, a small run of it, and how lifters are measured."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from core.camera import intrinsics_from_fov, project
from core.skeletons import COCO_17, H36M_17
from core.types import CameraPoses, Floats, Intrinsics, LifterInput
from lifter.predict import Lifter
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from tests.train.made_motion import bvh
from train.__main__ import main
from train.wild.mocap import MotionClip, clip_from_bvh
from train.wild.motion_bank import MotionBank
from train.wild.synthesis import Recipe, Synthesizer
from train.wild.validate import film, foot_skate, on_human_bones, validate


@pytest.fixture(scope="module")
def clip() -> MotionClip:
    """Four seconds of somebody marching on the spot with swinging arms."""
    frames = []
    for t in range(240):
        swing = 40 * math.sin(2 * math.pi * t / 60)
        frames.append({
            "place": [t / 30, 15.6, 0], "LeftUpLeg": [0, 0, swing], "RightUpLeg": [0, 0, -swing],
            "LeftArm": [-70, swing, 0], "RightArm": [70, swing, 0], "LeftForeArm": [0, -30, 0],
        })  # fmt: skip
    return clip_from_bvh(bvh(frames), "march_made_001")


def synthesizer(clip: MotionClip, recipe: Recipe, seed: int = 0) -> Synthesizer:
    device = torch.device("cpu")
    bank = MotionBank([clip], 30.0, 9, device)
    return Synthesizer(bank, recipe, torch.Generator().manual_seed(seed), 4)


def test_the_target_is_what_the_keypoints_show(clip: MotionClip) -> None:
    """Without errors, limb joints seen from far away lie where their keypoints are, up to place and size."""
    exact = Recipe(noise=0.0, lens_known=1.0)
    windows, target = synthesizer(clip, exact).batch(300)
    points, confidence = windows[:, 4, LIMBS_IN, :2], windows[:, 4, LIMBS_IN, 2]
    joints = target[:, LIMBS_OUT, :2]
    seen = (confidence > 0.5).all(1) & (windows[:, 4, -1, 2] < 0)  # nobody hidden, not too near
    assert seen.sum() > 30
    correlations = []
    for shown, true in zip(points[seen], joints[seen], strict=True):
        both = np.stack([(shown - shown.mean(0)).flatten(), (true - true.mean(0)).flatten()])
        correlations.append(np.corrcoef(both)[0, 1])
    assert np.median(correlations) > 0.98


def test_bodies_keep_human_sizes_and_poses_vary(clip: MotionClip) -> None:
    _, target = synthesizer(clip, Recipe()).batch(300)
    thigh = (target[:, 2] - target[:, 1]).norm(dim=-1)
    assert thigh.min() > 0.25
    assert thigh.max() < 0.6
    assert target[:, H36M_17.index("head_top")].std(0).min() > 0.1, (
        "seen from all sides, also lying"
    )
    assert (target[:, 0] == 0).all()


def test_rare_poses_are_drawn_more_often_where_asked(clip: MotionClip) -> None:
    hands_up = clip.joints_m.copy()[:24]
    wrists = H36M_17.indices(("l_wrist", "r_wrist"))
    hands_up[:, wrists, 2] = hands_up[:, [H36M_17.index("head_top")], 2]
    rare = MotionClip("rare", clip.fps, hands_up)
    bank = MotionBank([clip] * 8 + [rare], 30.0, 9, torch.device("cpu"))
    heights = bank.parts[3][:, :, 2].sum(1)  # of the left wrist over the thorax
    shares = []
    for exponent in (0.0, 0.8):
        first = bank.first_frames(
            torch.rand(4000, 2, generator=torch.Generator().manual_seed(0)), exponent
        )
        shares.append((heights[first + 4] > 0).float().mean())
    assert 0 < shares[0] < 0.05
    assert shares[1] > 3 * shares[0]


def test_windows_stay_within_one_performance(clip: MotionClip) -> None:
    """Two people who stand still in other poses: nobody turns from one into the other."""
    still = [
        MotionClip(f"still {at}", 30.0, clip.joints_m[at : at + 1].repeat(40, 0)) for at in (0, 15)
    ]
    bank = MotionBank(still, 30.0, 9, torch.device("cpu"))
    first = bank.first_frames(torch.rand(2000, 2, generator=torch.Generator().manual_seed(0)), 0.0)
    for part in bank.parts:
        assert part[first[:, None] + torch.arange(9)].std(1).max() < 1e-4
    assert bank.parts[0][first].std(0).max() > 0.01


def test_the_same_seed_draws_the_same_and_another_does_not(clip: MotionClip) -> None:
    one, again, other = (synthesizer(clip, Recipe(), seed).batch(8)[0] for seed in (1, 1, 2))
    torch.testing.assert_close(one, again, rtol=0, atol=0)
    assert not torch.equal(one, other)


def test_detectors_lose_joints_and_say_so(clip: MotionClip) -> None:
    windows, _ = synthesizer(clip, Recipe()).batch(300)
    confidence = windows[:, :, :17, 2]
    lost = confidence == 0
    assert 0.02 < lost.float().mean() < 0.3
    assert (windows[:, :, :17, :2][lost] == 0).all()
    assert windows.isfinite().all()


def test_a_run_learns_and_a_killed_one_goes_on(
    tmp_path: Path, clip: MotionClip, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "motion"
    folder.mkdir()
    frames = [{"place": [0, 15.6, 0], "LeftArm": [math.sin(t / 9) * 60, 0, 0]} for t in range(120)]
    (folder / "wave.bvh").write_text(bvh(frames))
    command = ["wild", "--mocap", str(folder), "--output", str(tmp_path / "run"), "--arc", "3,3", "--channels", "32",
               "--batch", "64", "--device", "cpu"]  # fmt: skip
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


@pytest.mark.parametrize(
    "flags",
    [["--arc", "3,x"], ["--arc", "2,3"], ["--windows", "0"], ["--batch", "1"], ["--channels", "0"], ["--lr", "-1"],
     ["--shot-share", "1"], ["--device", "abacus"], ["--recipe", "noise"], ["--recipe", "loudness=1"],
     ["--recipe", "level_deg=1"]],
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


class Oracle(Lifter):
    """Knows the truth and hears what the lifter would be given."""

    def __init__(self, truth: Floats) -> None:
        self.truth = truth
        self.heard: list[LifterInput] = []

    class spec:  # noqa: N801
        fps = 30.0

    def lift(self, sequence: LifterInput, intrinsics: Intrinsics) -> CameraPoses:
        self.heard.append(sequence)
        joints = self.truth[:, :17]
        return CameraPoses(joints - joints[:, :1], joints[:, 0], H36M_17)


def test_any_motion_can_be_given_an_adults_body(clip: MotionClip) -> None:
    adult = on_human_bones(clip).joints_m
    thigh = adult[:, H36M_17.index("l_knee")] - adult[:, H36M_17.index("l_hip")]
    before = clip.joints_m[:, H36M_17.index("l_knee")] - clip.joints_m[:, H36M_17.index("l_hip")]
    np.testing.assert_allclose(np.linalg.norm(thigh, axis=-1), 0.245 * 1.70, rtol=1e-5)
    np.testing.assert_allclose(np.cross(thigh, before), 0, atol=1e-5)
    assert 1.55 < np.ptp(adult[..., 2], axis=1).max() < 1.75, "ankles to crown"


def test_feet_that_should_stand_are_seen_to_slide() -> None:
    truth = np.zeros((10, 17, 3))
    truth[5:, H36M_17.index("l_ankle"), 0] = np.arange(5)  # one foot walks off
    slid = truth + 0.02 * np.arange(10)[:, None, None] * [0, 0, 1]
    assert foot_skate(truth, truth) == 0
    assert foot_skate(slid, truth) == pytest.approx(0.02)
    assert math.isnan(foot_skate(slid, truth + np.arange(10)[:, None, None]))


def test_the_truth_has_no_error_and_noise_is_as_asked_for(clip: MotionClip) -> None:
    truth = film(clip, 30.0, 0.0, 20.0)
    oracle = Oracle(truth)
    rows = validate(oracle, [clip], [0.0, 1.0, 2.0], by="set")
    assert [(row["group"], row["noise"], row["clips"]) for row in rows] == [
        ("march", n, 1) for n in (0.0, 1.0, 2.0)
    ]
    own = (
        "bone spread",
        "foot skate",
    )  # of the truth itself, and of nobody: these feet never stand
    assert all(
        value < 1e-3 for row in rows for name, value in row["errors"].items() if name not in own
    )
    camera = intrinsics_from_fov(1920, 1080, math.radians(55), "given")
    wrists = COCO_17.index("left_wrist"), H36M_17.index("l_wrist")
    exact = project(truth[:, wrists[1]], camera)
    off = [
        np.linalg.norm(heard.keypoints[:, wrists[0]] - exact, axis=-1).mean()
        for heard in oracle.heard
    ]
    assert off[0] < 1e-6
    assert 3 < off[1] < 40
    assert 1.5 < off[2] / off[1] < 2.5
    again = Oracle(truth)
    validate(again, [clip], [1.0], by="action")
    np.testing.assert_array_equal(again.heard[0].keypoints, oracle.heard[1].keypoints)
