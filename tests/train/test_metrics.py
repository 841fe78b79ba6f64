from pathlib import Path

import numpy as np
import pytest
import torch

from train import metrics

REFERENCE = np.load(Path(__file__).parent.parent / "data" / "videopose3d_reference.npz")
PREDICTED, TARGET, WEIGHT = (
    REFERENCE[f"metrics/{name}"] for name in ("predicted", "target", "weight")
)


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
@pytest.mark.parametrize("name", ["mpjpe", "p_mpjpe", "n_mpjpe", "mean_velocity_error"])
def test_equals_the_published_metric(name, kind):
    value = getattr(metrics, name)(kind(PREDICTED), kind(TARGET))
    assert float(value) == pytest.approx(REFERENCE[f"metrics/{name}"].item(), rel=1e-6)


def test_the_weighted_error_equals_the_published_one():
    weighted = metrics.weighted_mpjpe(PREDICTED, TARGET, WEIGHT)
    assert weighted == pytest.approx(REFERENCE["metrics/weighted_mpjpe"].item(), rel=1e-6)


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_alignment_undoes_a_similarity_but_not_a_mirror(kind):
    angle = 0.7
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    moved = 0.3 * TARGET @ turn + [1.0, -2.0, 5.0]
    assert metrics.p_mpjpe(kind(moved), kind(TARGET)) < 1e-9
    assert metrics.p_mpjpe(kind(TARGET * [-1, 1, 1]), kind(TARGET)) > 0.01


def test_the_aligned_error_descends_along_its_gradient():
    predicted, target = (
        torch.from_numpy(PREDICTED.copy()).requires_grad_(),
        torch.from_numpy(TARGET),
    )
    loss = metrics.p_mpjpe(predicted, target)
    loss.backward()
    assert metrics.p_mpjpe(predicted.detach() - 1e-2 * predicted.grad, target) < loss


def test_a_perfect_prediction_has_a_gradient():
    predicted = torch.from_numpy(TARGET.copy()).requires_grad_()
    metrics.mpjpe(predicted, torch.from_numpy(TARGET)).backward()
    assert torch.isfinite(predicted.grad).all()


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"target's shape \(40, 17, 3\), got \(39, 17, 3\)"):
        metrics.mpjpe(PREDICTED[1:], TARGET)
