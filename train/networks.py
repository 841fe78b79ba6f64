"""What is trained: the network of poses and, semi-supervised, that of trajectories beside it."""

import os

import torch
from torch import Tensor, nn, optim

from core.errors import UsageError
from lifter.model import TemporalConvNet
from train.dropout import FastDropout

_FIRST_MOMENTUM, _LAST_MOMENTUM = 0.1, 0.001
_PUBLISHED_ORDER = ("expand_bn", "shrink", "expand_conv", "layers_conv", "layers_bn")


class Networks(nn.Module):
    """Both networks in the form that training wants."""

    def __init__(self, pose: TemporalConvNet, trajectory: TemporalConvNet | None, single_frames: bool) -> None:
        super().__init__()
        self.pose = pose
        self.trajectory = trajectory
        self._single_frames = single_frames
        for model in self.models:
            model.dropout = FastDropout(model.config.dropout)

    @property
    def models(self) -> list[TemporalConvNet]:
        """The networks there are."""
        return [self.pose] if self.trajectory is None else [self.pose, self.trajectory]

    def forward(self, keypoints: Tensor) -> tuple[Tensor, Tensor | None]:
        """(B, S + receptive field - 1, K, features) → joints (B, S, J, 3) and, if there is one, root (B, S, 1, 3)."""
        outputs = [
            (model.forward_windows(keypoints)[:, None] if self._single_frames else model(keypoints)).float()
            for model in self.models
        ]
        return outputs[0], None if self.trajectory is None else outputs[1]

    def decay_momentum(self, progress: float) -> None:
        """Slow batch normalisation's running statistics down, exponentially as `progress` goes from 0 to 1."""
        for model in self.models:
            model.set_bn_momentum(_FIRST_MOMENTUM * (_LAST_MOMENTUM / _FIRST_MOMENTUM) ** progress)


def make_optimizer(networks: Networks, learning_rate: float) -> optim.Adam:
    """AMSGrad over the parameters in VideoPose3D's order, by which optimizer states are stored."""
    parameters = [
        parameter
        for model in networks.models
        for part in _PUBLISHED_ORDER
        for parameter in model.get_submodule(part).parameters()
    ]
    return optim.Adam(parameters, learning_rate, amsgrad=True, fused=True)


def usable_device(name: str) -> torch.device:
    """What `--device` names, `auto` being this process' GPU if there is one; `UsageError` if torch cannot use it."""
    if name == "auto":
        name = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {name}: not usable ({str(error).splitlines()[0]})") from error
    return torch.device(name)


def fast_bf16(device: torch.device, channels: int) -> bool:
    """Whether bf16 products are so much faster on this device that a network of so many channels gains."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return bool(channels >= 256 and supported())
