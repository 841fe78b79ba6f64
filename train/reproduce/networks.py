"""The networks that are trained, and their optimizer."""

from typing import Any

import torch
from torch import Tensor, nn, optim

from lifter.model import TemporalConvNet
from train.reproduce.dropout import FastDropout
from train.window_pass import lay_out_for_windows, train_windows

_FIRST_MOMENTUM, _LAST_MOMENTUM = 0.1, 0.001
_PUBLISHED_ORDER = ("expand_bn", "shrink", "expand_conv", "layers_conv", "layers_bn")


class Networks(nn.Module):
    """The pose network and, in semi-supervised training, the trajectory network beside it.

    The trajectory network predicts where the root joint is in camera space (Pavllo et al., CVPR
    2019, section 4). Both see the same keypoints and share no weights.
    """

    def __init__(
        self, pose: TemporalConvNet, trajectory: TemporalConvNet | None, single_frames: bool
    ) -> None:
        """Prepare networks for training; their dropout is replaced by `FastDropout`.

        Args:
            pose: The network of the joints.
            trajectory: The network of the root, if there is one.
            single_frames: Whether examples are single frames (S = 1), which separate windows
                compute faster than a convolution over the sequence.
        """
        super().__init__()
        self.pose = pose
        self.trajectory = trajectory
        self._single_frames = single_frames
        for model in self.models:
            model.dropout = FastDropout(model.config.dropout)
            if single_frames:
                lay_out_for_windows(model)

    @property
    def models(self) -> list[TemporalConvNet]:
        """The pose network and, if there is one, the trajectory network."""
        return [self.pose] if self.trajectory is None else [self.pose, self.trajectory]

    def forward(self, keypoints: Tensor) -> tuple[Tensor, Tensor | None]:
        """Predict B examples of S frames.

        Args:
            keypoints: (B, S + R − 1, K, features) screen coordinates, for receptive field R.

        Returns:
            joints_m (B, S, J, 3) relative to the root, and root_m (B, S, 1, 3) in camera space or
            None without a trajectory network; metres, fp32.
        """
        # Under autocast the networks compute in bf16; losses are taken in fp32.
        outputs = [self._lifted(model, keypoints).float() for model in self.models]
        return outputs[0], None if self.trajectory is None else outputs[1]

    def _lifted(self, model: TemporalConvNet, keypoints: Tensor) -> Tensor:
        """(B, S + R − 1, K, features) → (B, S, J, 3)."""
        if not self._single_frames:
            lifted: Tensor = model(keypoints)
            return lifted
        is_eager_on_cpu = keypoints.device.type == "cpu" and not torch.compiler.is_compiling()
        if self.training and is_eager_on_cpu and isinstance(model.dropout, FastDropout):
            return train_windows(model, keypoints, model.dropout.masks)[:, None]
        return model.forward_windows(keypoints)[:, None]

    def restart_dropout(self) -> None:
        """Make dropout depend on how torch's generator was seeded just now."""
        for model in self.models:
            if isinstance(model.dropout, FastDropout) and model.dropout.masks is not None:
                model.dropout.masks.restart()

    def decay_momentum(self, progress: float) -> None:
        """Lower the momentum of batch normalisation exponentially (Pavllo et al., section 5.3).

        β(p) = β₀ (β₁ / β₀)^p with β₀ = 0.1 and β₁ = 0.001, so that the running statistics settle
        towards the end.

        Args:
            progress: p, the share of the run that is done, from 0 to 1.
        """
        for model in self.models:
            model.set_bn_momentum(_FIRST_MOMENTUM * (_LAST_MOMENTUM / _FIRST_MOMENTUM) ** progress)


class RowAdam(optim.Adam):
    """Adam that is as fast for the weights of `lay_out_for_windows` as for others.

    torch's fused Adam copies gradients that are not contiguous, which takes as long as its step. So
    such weights (C', C, width) are seen as (C', width, C) during a step.
    """

    def step(self, closure: Any = None) -> Any:
        """As `optim.Adam.step`."""
        turned = [
            parameter
            for group in self.param_groups
            for parameter in group["params"]
            if not parameter.is_contiguous()
        ]
        self._turn(turned)
        try:
            return super().step(closure)
        finally:
            self._turn(turned)

    def _turn(self, parameters: list[Tensor]) -> None:
        """Exchange the last two axes of weights, of their gradients and of what is kept of them."""
        for parameter in parameters:
            kept = self.state.get(parameter, {}).values()
            for tensor in (parameter, parameter.grad, *kept):
                if tensor is not None and tensor.ndim == parameter.ndim:
                    tensor.data = tensor.data.transpose(1, 2)


def make_optimizer(networks: Networks, learning_rate: float) -> optim.Adam:
    """AMSGrad (Reddi et al., ICLR 2018) over all parameters.

    They come in VideoPose3D's order, by which checkpoints number the optimizer's state.
    """
    parameters = [
        parameter
        for model in networks.models
        for part in _PUBLISHED_ORDER
        for parameter in model.get_submodule(part).parameters()
    ]
    return RowAdam(parameters, learning_rate, amsgrad=True, fused=True)
