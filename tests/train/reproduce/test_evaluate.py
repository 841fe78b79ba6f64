import json
from pathlib import Path

import numpy as np
import pytest

from lifter.checkpoint import load_lifter
from train.__main__ import main
from train.datasets.h36m import load_h36m
from train.reproduce.evaluate import Mirror, predict

DATA = Path(__file__).parents[2] / "data" / "h36m_like"
EXPECTED = json.loads((DATA / "expected.json").read_text())


@pytest.fixture
def run(tmp_path, small):
    def run(*flags):
        report = tmp_path / "errors.json"
        assert main([*small, "-c", str(DATA), "--report", str(report), *flags]) == 0
        return json.loads(report.read_text())["errors"]

    return run


def check(got, expected):
    for clip, errors in expected["clips"].items():
        assert got["actions"][clip] == pytest.approx(errors, abs=0.05)
    assert got["average"] == pytest.approx(
        expected["average"], abs=0.051
    )  # those are rounded to 0.1 mm


def test_supervised_checkpoint_with_mirrored_average(run, capsys):
    expected = EXPECTED["supervised_epoch_4"]["flip_test_time_augmentation"]
    check(run("--evaluate", "supervised_epoch_4.bin")["all"], expected)
    assert "average    196.1    150.1    184.7     6.43" in capsys.readouterr().out


def test_supervised_checkpoint_without_mirroring(run):
    got = run("--evaluate", "supervised_epoch_4.bin", "-no-tta")
    check(got["all"], EXPECTED["supervised_epoch_4"]["no_flip"])


def test_supervised_checkpoint_by_subject(run):
    got = run("--evaluate", "supervised_epoch_4.bin", "--by-subject")
    for subject, expected in EXPECTED["supervised_epoch_4"]["by_subject"].items():
        check(got[subject], expected)


def test_semi_supervised_causal_checkpoint(run):
    got = run("--evaluate", "semi_causal_epoch_4.bin", "--causal")
    check(got["all"], EXPECTED["semi_causal_epoch_4"]["flip_test_time_augmentation"])


def test_only_the_asked_actions_count(run):
    got = run("--evaluate", "supervised_epoch_4.bin", "-a", "Clip8")
    assert list(got["all"]["actions"]) == ["Clip8"]


@pytest.mark.parametrize(
    ("flags", "status", "text"),
    [
        (["--evaluate", "none.bin"], 1, "none.bin: cannot be read"),
        (["--evaluate", "supervised_epoch_4.bin", "-ch", "32"], 1, "does not fit -arc, -ch"),
        (
            ["--evaluate", "supervised_epoch_4.bin", "-ste", "S2"],
            2,
            "--subjects-test: h36m has no subject 'S2'",
        ),
        (
            ["--evaluate", "supervised_epoch_4.bin", "-a", "Fly"],
            2,
            "-a: S9, S11 have no action that starts with Fly",
        ),
        (
            ["--evaluate", "supervised_epoch_4.bin", "-k", "cpn"],
            1,
            "data_2d_h36m_cpn.npz: no such file",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_line(small, flags, status, text, capsys):
    assert main([*small, "-c", str(DATA), *flags]) == status
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1


def test_a_prediction_mirrored_by_hand_is_the_mirrored_prediction(data_dir):
    """What averaging relies on: both orders of flipping agree."""
    data = load_h36m(data_dir, "gt")
    model, _ = load_lifter(data_dir / "supervised_epoch_4.bin")
    mirror = Mirror(data.keypoint_flip, data.skeleton.flip_order)
    keypoints = data.clips[0].keypoints[:40]
    flipped = keypoints[:, mirror.keypoints] * np.float32([-1, 1])
    straight = predict(model, keypoints, mirror)
    other = predict(model, flipped, mirror)[:, mirror.joints] * np.float32([-1, 1, 1])
    np.testing.assert_allclose(straight, other, atol=1e-6)
