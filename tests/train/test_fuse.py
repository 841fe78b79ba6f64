"""Learning how a detector's own 3D errs, from shots that are made up here."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.camera import project
from core.skeletons import COCO_17, H36M_17
from core.types import Floats
from lifter.checkpoint import LifterSpec, load_fusion, load_lifter, save_lifter
from lifter.model import ModelConfig, TemporalConvNet
from lifter.predict import LIMBS_IN, LIMBS_OUT, Lifter
from tests.walker import CAMERA, walking
from train.__main__ import main
from train.people.film import COCO_POINTS, Shots
from train.people.posing import POINTS

BIAS_M = np.array([0.0, 0.05, 0.12])
"""Everything this detector sees of the arms is so far off."""


def shots(count: int, seed: int) -> Shots:
    """People who walk about at several places, seen by a detector with perfect 2D and a constant error in 3D."""
    rng = np.random.default_rng(seed)
    columns: list[tuple[Floats, ...]] = []
    for _ in range(count):
        turn = rng.uniform(0, 2 * np.pi)
        axis = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
        joints = walking(60) @ axis.T
        place = rng.uniform((-1, -0.3, 4), (1, 0.3, 7))
        points = np.zeros((60, len(POINTS), 3))
        points[:, : len(H36M_17)] = joints + place
        points[:, len(H36M_17) :] = points[:, [H36M_17.index("head_top")]]
        seen = joints[:, LIMBS_OUT] + np.where(np.isin(LIMBS_IN, COCO_17.indices(ARMS))[:, None], BIAS_M, 0.0)
        metres = np.zeros((60, len(COCO_17), 3))
        metres[:, LIMBS_IN] = seen * 0.8
        keypoints = project(points[:, COCO_POINTS], CAMERA)
        keypoints[50:52] = np.nan  # out of sight for a moment
        metres[50:52] = np.nan
        scores = np.where(np.isnan(keypoints[..., 0]), 0.0, 0.9)
        columns.append((keypoints, scores, metres, points, np.array([CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy])))
    return Shots(*(np.stack(column) for column in zip(*columns, strict=True)))


ARMS = ("left_elbow", "right_elbow", "left_wrist", "right_wrist")


@pytest.fixture
def lifter(tmp_path: Path) -> Path:
    """A lifter that knows nothing."""
    torch.manual_seed(0)
    config = ModelConfig(18, 3, 17, (3, 3), 16)
    path = tmp_path / "lifter.safetensors"
    save_lifter(path, TemporalConvNet(config), LifterSpec(config, COCO_17, H36M_17, 30.0, "person", {"data": "none"}))
    return path


def test_fusion_learns_a_detectors_errors(tmp_path: Path, lifter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, count, seed in (("train", 12, 1), ("unseen", 3, 2)):
        (tmp_path / name).mkdir()
        shots(count, seed).save(tmp_path / name / "shots_00000.npz")
    fused = tmp_path / "fused.safetensors"
    command = ["fuse", "--lifter", str(lifter), "--shots", str(tmp_path / "train"), "--output", str(fused)]
    command += ["--arc", "3,3", "--channels", "64", "--epochs", "30", "--batch", "64", "--dropout", "0"]
    assert main([*command, "--evaluate", str(tmp_path / "unseen")]) == 0
    table = {row.split()[0]: float(row.split()[2]) for row in capsys.readouterr().out.splitlines()[-4:]}
    assert list(table) == ["detector", "lifter", "average", "fusion"]
    assert table["fusion"] < 0.7 * min(table["detector"], table["lifter"], table["average"])

    # The file is the lifter's own, with a second network in it.
    (before, spec), (after, same) = load_lifter(lifter), load_lifter(fused)
    assert same == spec
    for name, tensor in before.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name], tensor)
    assert load_fusion(lifter) is None
    assert Lifter.load(fused).fusion is not None


def test_shots_without_anybody_are_left_out(tmp_path: Path, lifter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = shots(2, 3)
    few.keypoints[0], few.keypoints_3d[0], few.scores[0] = np.nan, np.nan, 0.0
    few.save(tmp_path / "shots_00000.npz")
    assert main(["fuse", "--lifter", str(lifter), "--evaluate", str(tmp_path)]) == 0
    assert "nan" not in capsys.readouterr().out
