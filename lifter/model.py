"""The temporal convolutional network of VideoPose3D (Pavllo et al., CVPR 2019, section 3), under its parameter names.

One set of weights, two equivalent forms. `forward` slides dilated convolutions over a whole sequence, which is right
when every frame is wanted. `forward_windows` computes the one output of each separate window: there the convolutions
do not overlap, so the network is a chain of matrix products over (windows · frames, width · channels), which is what
training on single frames wants.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a network; everything needed to build it."""

    joints_in: int
    """Keypoints per frame."""
    features_in: int
    """Numbers per keypoint: 2 for x and y, 3 with a confidence."""
    joints_out: int
    """Joints per frame; 1 for a trajectory network."""
    filter_widths: tuple[int, ...] = (3, 3, 3)
    """Odd widths; the receptive field is their product."""
    channels: int = 1024
    """Hidden channels."""
    causal: bool = False
    """Whether only the past is seen."""
    dense: bool = False
    """Whether dilations are replaced by full-width filters (an ablation of the paper)."""
    dropout: float = 0.25
    """Share of activations dropped in training."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "filter_widths", tuple(self.filter_widths))
        if not self.filter_widths or any(
            width < 1 or width % 2 == 0 for width in self.filter_widths
        ):
            raise ValueError(f"filter widths must be odd and positive, got {self.filter_widths}")

    @property
    def receptive_field(self) -> int:
        """Input frames that one output frame sees."""
        return math.prod(self.filter_widths)

    @property
    def padding(self) -> tuple[int, int]:
        """Frames to add before and after a sequence so that it gets one output a frame."""
        missing = self.receptive_field - 1
        return (missing, 0) if self.causal else (missing // 2, missing // 2)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint's header."""
        return asdict(self)


class TemporalConvNet(nn.Module):
    """2D keypoints of consecutive frames in, 3D joints out."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        channels, widths = config.channels, config.filter_widths
        self.dropout = nn.Dropout(config.dropout)
        self.expand_conv = nn.Conv1d(
            config.joints_in * config.features_in, channels, widths[0], bias=False
        )
        self.expand_bn = nn.BatchNorm1d(channels, momentum=0.1)
        convolutions: list[nn.Module] = []
        dilation = widths[0]
        for width in widths[1:]:
            kernel, step = ((width - 1) * dilation + 1, 1) if config.dense else (width, dilation)
            convolutions.append(nn.Conv1d(channels, channels, kernel, dilation=step, bias=False))
            convolutions.append(nn.Conv1d(channels, channels, 1, bias=False))
            dilation *= width
        self.layers_conv = nn.ModuleList(convolutions)
        self.layers_bn = nn.ModuleList(nn.BatchNorm1d(channels, momentum=0.1) for _ in convolutions)
        self.shrink = nn.Conv1d(channels, config.joints_out * 3, 1)

    def set_bn_momentum(self, momentum: float) -> None:
        """Change how fast the running statistics of every batch normalisation move."""
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.momentum = momentum

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, K, features) → (B, T - receptive field + 1, J, 3), in the units the network was trained on."""
        batch, frames = x.shape[:2]
        if frames < self.config.receptive_field:
            raise ValueError(
                f"expected at least {self.config.receptive_field} frames, got {frames}"
            )
        x = x.reshape(batch, frames, -1).transpose(1, 2)  # (B, K · features, T)
        x = self.dropout(F.relu(self.expand_bn(self.expand_conv(x))))
        dilation = self.config.filter_widths[0]
        for i, width in enumerate(self.config.filter_widths[1:]):
            trimmed = (width - 1) * dilation
            first = trimmed if self.config.causal else trimmed // 2
            residual = x[:, :, first : first + x.shape[2] - trimmed]
            x = self._block(i, x) + residual
            dilation *= width
        x = self.shrink(x)  # (B, J · 3, T')
        return x.transpose(1, 2).reshape(batch, -1, self.config.joints_out, 3)

    def _block(self, i: int, x: Tensor) -> Tensor:
        for layer in (2 * i, 2 * i + 1):
            x = self.dropout(F.relu(self.layers_bn[layer](self.layers_conv[layer](x))))
        return x

    def forward_windows(self, x: Tensor) -> Tensor:
        """(B, receptive field, K, features) → (B, J, 3): `forward` of each window, computed without overlap."""
        widths = self.config.filter_widths
        if x.shape[1] != self.config.receptive_field:
            raise ValueError(
                f"expected windows of {self.config.receptive_field} frames, got {x.shape[1]}"
            )
        if self.config.dense:
            raise ValueError("a dense network has no strided form")
        x = self._merge(
            self.expand_conv, self.expand_bn, x.reshape(x.shape[0] * x.shape[1] // widths[0], -1)
        )
        for i, width in enumerate(widths[1:]):
            frames = x.reshape(-1, width, self.config.channels)
            residual = frames[:, width - 1 if self.config.causal else width // 2]
            x = self._merge(self.layers_conv[2 * i], self.layers_bn[2 * i], frames.flatten(1))
            x = residual + self._merge(self.layers_conv[2 * i + 1], self.layers_bn[2 * i + 1], x)
        x = F.linear(x, self.shrink.weight[:, :, 0], self.shrink.bias)
        return x.reshape(-1, self.config.joints_out, 3)

    def _merge(self, convolution: nn.Module, norm: nn.Module, x: Tensor) -> Tensor:
        """A convolution over non-overlapping frames as one product: (N, width · C) → (N, C')."""
        assert isinstance(convolution, nn.Conv1d)
        weight = convolution.weight.transpose(1, 2).flatten(
            1
        )  # (C', width · C), frames outermost as in x
        merged: Tensor = self.dropout(F.relu(norm(F.linear(x, weight))))
        return merged
