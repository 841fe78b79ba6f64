"""What training adds to a lifter: feet, how sure it is, and a start from one without."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.skeletons import COCO_17, COCO_21, H36M_17, H36M_21
from core.types import LifterInput
from lifter.checkpoint import LifterSpec, save_lifter
from lifter.config import ModelConfig
from lifter.model import TemporalConvNet
from testkit.made.motion import bvh
from testkit.walker import keypoints, walking, with_feet
from tests.train.wild.made_people import CAMERA
from train.__main__ import main
from train.wild.loss import COVERAGE, training_loss
from train.wild.widening import starting_weights

WITHOUT_FEET = ModelConfig(18, 3, 17, (3, 3), 16)
WITH_FEET = ModelConfig(22, 3, 21, (3, 3), 16, dropout=0.0, features_out=4)


def test_sigma_is_learnt_as_the_radius_in_which_two_thirds_of_the_errors_lie() -> None:
    """Whatever their shape: here with a heavy tail."""
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(1, 21, 3, generator=generator).expand(4000, -1, -1)
    size = 0.05 * torch.randn(4000, 1, 1, generator=generator).exp()
    joints = target + size * torch.nn.functional.normalize(
        torch.randn(4000, 21, 3, generator=generator), dim=-1
    )
    log_sigma = torch.zeros(21, requires_grad=True)
    optimizer = torch.optim.Adam([log_sigma], lr=0.05)
    for _ in range(300):
        predicted = torch.cat([joints, log_sigma.expand(4000, -1)[..., None]], -1)
        loss, _ = training_loss(predicted, target)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    share = ((joints - target).norm(dim=-1) <= log_sigma.detach().exp()).float().mean(0)
    assert (share - COVERAGE).abs().max() < 0.03


def test_a_foot_that_points_elsewhere_costs_more_than_one_that_is_moved() -> None:
    target = torch.from_numpy(with_feet(walking(8))).float()

    def loss(joints: torch.Tensor) -> float:
        return float(training_loss(torch.nn.functional.pad(joints, (0, 1)), target)[0])

    ankle, heel, toe = H36M_21.indices(("l_ankle", "l_heel", "l_toe"))
    moved, turned = target.clone(), target.clone()
    moved[:, [ankle, heel, toe], 1] += 0.1
    turned[:, toe, 1] += 0.15
    turned[:, heel, 1] -= 0.15
    assert loss(target) < loss(moved) - 0.01
    distances = [(each - target).norm(dim=-1).mean() for each in (moved, turned)]
    assert distances[0] == pytest.approx(float(distances[1]), rel=0.01)
    feet = 0.3 * 2 * 0.15 / 4
    assert loss(turned) > loss(target) + float(distances[1]) + 0.9 * feet


def test_a_widened_lifter_gives_what_it_gave_and_feet_at_the_ankles(tmp_path: Path) -> None:
    old = TemporalConvNet(WITHOUT_FEET).eval()
    spec = LifterSpec(WITHOUT_FEET, COCO_17, H36M_17, 30.0, "person")
    save_lifter(tmp_path / "old.safetensors", old, spec, np.float32)
    wide = TemporalConvNet(WITH_FEET).eval()
    wide.load_state_dict(starting_weights(tmp_path / "old.safetensors"))
    body = torch.randn(5, 9, 17, 3)
    feet, path = torch.randn(5, 9, 4, 3), torch.randn(5, 9, 1, 3)
    with torch.inference_mode():
        was = old.forward_windows(torch.cat([body, path], 2))
        now = wide.forward_windows(torch.cat([body, feet, path], 2))
    torch.testing.assert_close(now[:, :17, :3], was)
    for ankle, foot in ((3, 17), (3, 18), (6, 19), (6, 20)):
        torch.testing.assert_close(now[:, foot, :3], was[:, ankle])
    torch.testing.assert_close(now[..., 3].exp(), torch.full((5, 21), 0.05))


def test_a_run_goes_on_from_a_lifter_with_feet(tmp_path: Path) -> None:
    model = TemporalConvNet(WITH_FEET)
    spec = LifterSpec(WITH_FEET, COCO_21, H36M_21, 30.0, "person")
    save_lifter(tmp_path / "lifter.safetensors", model, spec, np.float32)
    weights = starting_weights(tmp_path / "lifter.safetensors")
    torch.testing.assert_close(weights, dict(model.state_dict()))


def test_calibration_makes_two_thirds_of_the_errors_lie_within_sigma(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    motion, given, written = (
        tmp_path / name for name in ("a.bvh", "a.safetensors", "b.safetensors")
    )
    motion.write_text(bvh([{"place": [0, 15.6, 0], "LeftArm": [t, 0, 0]} for t in range(90)]))
    spec = LifterSpec(WITH_FEET, COCO_21, H36M_21, 30.0, "person")
    knows_nothing = TemporalConvNet(WITH_FEET)
    assert knows_nothing.shrink.bias is not None
    with torch.no_grad():
        knows_nothing.shrink.bias.view(21, 4)[:, 3] = -3.0  # and is sure of it
    save_lifter(given, knows_nothing, spec)
    figure = tmp_path / "curve.png"
    flags = ["calibrate", "--mocap", str(motion), "--lifter"]
    assert main([*flags, str(given), "--output", str(written), "--figure", str(figure)]) == 0
    before = capsys.readouterr().out.splitlines()[1].split()
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert main([*flags, str(written)]) == 0
    after = capsys.readouterr().out.splitlines()[1].split()
    assert float(before[2]) < 0.3, "it is not within 5 cm"
    assert float(after[2]) == pytest.approx(COVERAGE, abs=0.03)


def test_a_lifter_without_sigma_cannot_be_calibrated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, motion = tmp_path / "old.safetensors", tmp_path / "a.bvh"
    motion.write_text(bvh([{}] * 5))
    spec = LifterSpec(WITHOUT_FEET, COCO_17, H36M_17, 30.0, "person")
    save_lifter(path, TemporalConvNet(WITHOUT_FEET), spec)
    assert main(["calibrate", "--mocap", str(motion), "--lifter", str(path)]) == 2
    assert "does not say how sure" in capsys.readouterr().err


def test_feet_of_the_input_reach_the_network_where_it_knows_them() -> None:
    """The same person with and without foot keypoints is the same to a lifter of 17."""
    from lifter.predict import Lifter

    root = np.tile([0.0, 0.0, 4.0], (20, 1))
    joints = with_feet(walking(20))
    seen = keypoints(joints, root, CAMERA)
    times, no_3d = np.arange(20) / 30, np.full((20, 21, 3), np.nan)
    whole = LifterInput(times, seen, np.full((20, 21), 0.9), no_3d, 30.0, COCO_21)
    body = LifterInput(times, seen[:, :17], np.full((20, 17), 0.9), no_3d[:, :17], 30.0, COCO_17)
    torch.manual_seed(0)
    for config, skeletons, differs in (
        (WITHOUT_FEET, (COCO_17, H36M_17), False),
        (WITH_FEET, (COCO_21, H36M_21), True),
    ):
        lifter = Lifter(
            TemporalConvNet(config).eval(), LifterSpec(config, *skeletons, 30.0, "person")
        )
        one, other = (lifter.lift(given, CAMERA).joints_m for given in (whole, body))
        assert one.shape[1] == len(skeletons[1])
        assert bool(np.abs(one - other).max() > 1e-4) == differs
