"""What is trained: the network of poses and, semi-supervised, that of trajectories beside it."""

from torch import Tensor, nn, optim

from lifter.model import TemporalConvNet
from train.reproduce.dropout import FastDropout

_FIRST_MOMENTUM, _LAST_MOMENTUM = 0.1, 0.001
_PUBLISHED_ORDER = ("expand_bn", "shrink", "expand_conv", "layers_conv", "layers_bn")


class Networks(nn.Module):
    """Both networks in the form that training wants."""

    def __init__(
        self, pose: TemporalConvNet, trajectory: TemporalConvNet | None, single_frames: bool
    ) -> None:
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
            (
                model.forward_windows(keypoints)[:, None]
                if self._single_frames
                else model(keypoints)
            ).float()
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
