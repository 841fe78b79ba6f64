"""How the network's weights move: Muon and Adam, and the running average that is kept."""

from typing import Any

import torch
from torch import Tensor, nn

from lifter.model import TemporalConvNet
from train.window_pass import lay_out_for_windows

_MAX_DECAY = 0.999


class MuonWithAdam:
    """Muon for the convolutions between the first layer and the last, Adam for all else.

    Muon (Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024,
    https://kellerjordan.github.io/posts/muon) replaces the momentum of a weight matrix, M = U S Vᵀ,
    by its nearest orthogonal matrix U Vᵀ, computed by Newton-Schulz iterations, so that all
    directions learn at the same rate. It needs matrices; a convolution (out, in, width) is one of
    (out, width · in). "match_rms_adamw" scales its steps as large as Adam's, so both share a
    learning rate. Adam is AMSGrad, as in VideoPose3D.
    """

    def __init__(self, model: TemporalConvNet) -> None:
        lay_out_for_windows(model)
        self._hidden = [
            weight for name, weight in model.named_parameters() if name.startswith("layers_conv.")
        ]
        # Views of the same memory: a step on a matrix is one on the convolution.
        self._matrices = [nn.Parameter(_matrix(weight.detach())) for weight in self._hidden]
        hidden = set(self._hidden)
        others = [parameter for parameter in model.parameters() if parameter not in hidden]
        muon = torch.optim.Muon(self._matrices, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
        self._optimizers = {
            "muon": muon,
            "adam": torch.optim.Adam(others, amsgrad=True, fused=True),
        }

    def step(self, rate: float) -> None:
        """Move the weights down the model's gradients, at a learning rate."""
        for matrix, weight in zip(self._matrices, self._hidden, strict=True):
            assert weight.grad is not None
            matrix.grad = _matrix(weight.grad)
        for optimizer in self._optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """The states of both, as tensors and plain values."""
        return {name: optimizer.state_dict() for name, optimizer in self._optimizers.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`.

        Raises:
            KeyError: The state of one of them is missing.
            ValueError: It is that of another network.
        """
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state[name])


def _matrix(weight: Tensor) -> Tensor:
    """(out, in, width) → (out, width · in), a view of what `lay_out_for_windows` laid out."""
    return weight.transpose(1, 2).flatten(1)


def update_average(average: TemporalConvNet, model: TemporalConvNet, steps: float) -> None:
    """Move the averaged weights and statistics towards the model's.

    θ̄ ← d θ̄ + (1 - d) θ, an exponential moving average, with d = min(0.999, n / (9 + n)) after n
    steps: over the last thousand steps, over fewer at first.
    """
    decay = min(_MAX_DECAY, steps / (9 + steps))
    pairs = zip(average.state_dict().values(), model.state_dict().values(), strict=True)
    averages, values = zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True)
    torch._foreach_lerp_(averages, values, 1 - decay)
