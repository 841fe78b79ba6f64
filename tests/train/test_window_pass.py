"""The training pass that is written out does what autograd does."""

import copy
import itertools

import pytest
import torch

from lifter.config import ModelConfig
from lifter.model import TemporalConvNet
from train.reproduce.networks import RowAdam
from train.window_pass import DropoutMasks, lay_out_for_windows, train_windows

CONFIGS = {
    "three blocks": ModelConfig(17, 2, 17, (3, 3, 3), 32, dropout=0.0),
    "causal": ModelConfig(17, 2, 17, (3, 5), 32, causal=True, dropout=0.0),
    "no block": ModelConfig(18, 3, 21, (3,), 16, dropout=0.0, features_out=4),
}


def two(config: ModelConfig) -> tuple[TemporalConvNet, TemporalConvNet, torch.Tensor]:
    """The same network twice, the second laid out for windows, and windows for it."""
    torch.manual_seed(0)
    model = TemporalConvNet(config).train()
    for norm in (module for module in model.modules() if isinstance(module, torch.nn.BatchNorm1d)):
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.normal_(norm.bias)
    other = copy.deepcopy(model)
    lay_out_for_windows(other)
    x = torch.randn(20, config.receptive_field, config.joints_in, config.features_in)
    return model, other, x


def gradients(model: TemporalConvNet, joints: torch.Tensor) -> dict[str, torch.Tensor]:
    weight = torch.linspace(-1, 1, joints.numel()).view(joints.shape)
    (joints * weight).sum().backward()
    return {name: parameter.grad for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("name", CONFIGS)
def test_joints_gradients_and_statistics_are_those_of_autograd(name: str) -> None:
    model, other, x = two(CONFIGS[name])
    expected, got = model.forward_windows(x), train_windows(other, x, None)
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(gradients(other, got), gradients(model, expected))
    torch.testing.assert_close(dict(other.named_buffers()), dict(model.named_buffers()))


def test_dropped_activations_get_no_gradient() -> None:
    """As autograd has it where the same masks are drawn."""
    model, other, x = two(CONFIGS["three blocks"])
    masks, same = DropoutMasks(0.25), DropoutMasks(0.25)

    class Dropout(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * same.mask(x.shape, x.dtype).clone() * same.scale

    model.dropout = Dropout()
    results = []
    for network, lifted in (
        (model, lambda: model.forward_windows(x)),
        (other, lambda: train_windows(other, x, masks)),
    ):
        torch.manual_seed(1)
        joints = lifted()
        results.append((joints, gradients(network, joints)))
    torch.testing.assert_close(results[1], results[0], rtol=1e-4, atol=1e-4)


def test_in_bf16_gradients_are_as_near_to_those_of_fp32_as_autograds() -> None:
    model, other, x = two(CONFIGS["three blocks"])
    exact = gradients(model, model.forward_windows(x))
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        of_autograd = gradients(model, model.forward_windows(x).float())
        joints = train_windows(other, x, None)
    assert joints.dtype == torch.float32
    for name, gradient in gradients(other, joints).items():
        assert gradient.dtype == torch.float32
        off, expected = ((g - exact[name]).norm() for g in (gradient, of_autograd[name]))
        assert off < 1.5 * expected + 0.01 * exact[name].norm(), name


def test_masks_of_one_seed_are_alike_and_change_from_one_to_the_next() -> None:
    drawn = []
    for _ in range(2):
        masks = DropoutMasks(0.25)
        torch.manual_seed(0)
        drawn.append([masks.mask(torch.Size((64, 512)), torch.float32).clone() for _ in range(40)])
    torch.testing.assert_close(*drawn)
    shares = torch.stack(drawn[0])
    assert set(shares.unique().tolist()) == {0.0, 1.0}
    assert abs(shares.mean().item() - 0.75) < 0.005
    pairs = [(a * b).mean().item() for a, b in itertools.pairwise(shares)]
    assert max(abs(share - 0.75**2) for share in pairs) < 0.02, "one mask says nothing of the next"


def test_adam_steps_are_those_of_torch_whatever_the_order_in_memory() -> None:
    torch.manual_seed(0)
    start, gradients = torch.randn(6, 5, 3), torch.randn(4, 6, 5, 3)
    laid_out = start.transpose(1, 2).contiguous().transpose(1, 2)
    plain, ours = torch.nn.Parameter(start.clone()), torch.nn.Parameter(laid_out)
    optimizers = [
        torch.optim.Adam([plain], 0.1, amsgrad=True),
        RowAdam([ours], 0.1, amsgrad=True, fused=True),
    ]
    for gradient in gradients:
        plain.grad = gradient.clone()
        ours.grad = gradient.transpose(1, 2).contiguous().transpose(1, 2)
        for optimizer in optimizers:
            optimizer.step()
    torch.testing.assert_close(ours, plain)
    assert ours.stride() == laid_out.stride()
    states = [optimizer.state_dict()["state"][0] for optimizer in optimizers]
    torch.testing.assert_close(states[1]["exp_avg_sq"], states[0]["exp_avg_sq"])
