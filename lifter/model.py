"""The temporal convolutional network of VideoPose3D, under its parameter names.

Source: Pavllo et al., "3D human pose estimation in video with temporal convolutions and
semi-supervised training", CVPR 2019, section 3.

One set of weights has two equivalent forms. `forward` slides dilated convolutions over a whole
sequence, for when every frame is wanted. `forward_windows` computes the one output of each separate
window: there the convolutions do not overlap, so the network is a chain of matrix products over
(windows · frames, width · channels), for training on single frames.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from lifter.network import LiftingNetwork, NetworkConfig


@dataclass(frozen=True)
class ModelConfig(NetworkConfig):
    """The sizes of a temporal ConvNet."""

    architecture: ClassVar[str] = "temporal_convnet"

    filter_widths: tuple[int, ...] = (3, 3, 3)
    """Odd widths; the receptive field is their product."""
    channels: int = 1024
    """Hidden channels."""
    causal: bool = False
    """Whether only past frames are used."""
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
        """Input frames that one output frame depends on."""
        return math.prod(self.filter_widths)

    @property
    def padding(self) -> tuple[int, int]:
        """Frames to add before and after a sequence so that it gets one output a frame."""
        missing = self.receptive_field - 1
        return (missing, 0) if self.causal else (missing // 2, missing // 2)

    def check_tensors(self, state: Mapping[str, Tensor]) -> None:
        """Check that tensors have the sizes of this config, without building the network.

        Raises:
            ValueError: The tensors belong to another network.
        """
        expected = _Sizes(
            self.joints_in * self.features_in,
            self.joints_out * self.features_out,
            self.channels,
            self.filter_widths,
        )
        if _sizes(state, self.dense) != expected:
            raise ValueError("its tensors do not fit the network it describes")


class TemporalConvNet(LiftingNetwork, config=ModelConfig):
    """2D keypoints of consecutive frames in, 3D joints out."""

    config: ModelConfig

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
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
        self.shrink = nn.Conv1d(channels, config.joints_out * config.features_out, 1)

    def set_bn_momentum(self, momentum: float) -> None:
        """Set the momentum of every batch normalisation's running statistics."""
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.momentum = momentum

    def forward(self, x: Tensor) -> Tensor:
        """Lift whole sequences by dilated convolutions.

        Args:
            x: (B, T, K, features) normalised keypoints, T at least the receptive field.

        Returns:
            (B, T - receptive field + 1, J, features out) joints, in the units of training.

        Raises:
            ValueError: The sequences are shorter than the receptive field.
        """
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
            residual = x[:, :, first : first + x.shape[2] - trimmed]  # (B, C, T - trimmed)
            x = self._block(i, x) + residual
            dilation *= width
        x = self.shrink(x).transpose(1, 2)  # (B, T', J · features out)
        return x.reshape(batch, -1, self.config.joints_out, self.config.features_out)

    def _block(self, i: int, x: Tensor) -> Tensor:
        """Two convolutions, the first one dilated: (B, C, T) → (B, C, T - trimmed)."""
        for layer in (2 * i, 2 * i + 1):
            x = self.dropout(F.relu(self.layers_bn[layer](self.layers_conv[layer](x))))
        return x

    def forward_windows(self, x: Tensor) -> Tensor:
        """Lift one frame of each window, by matrix products without overlap.

        Args:
            x: (B, receptive field, K, features) normalised keypoints.

        Returns:
            (B, J, features out) joints: `forward` of each window.

        Raises:
            ValueError: The windows have another length, or the network is dense.
        """
        widths = self.config.filter_widths
        if x.shape[1] != self.config.receptive_field:
            raise ValueError(
                f"expected windows of {self.config.receptive_field} frames, got {x.shape[1]}"
            )
        if self.config.dense:
            raise ValueError("a dense network has no strided form")
        x = self._merge(
            self.expand_conv, self.expand_bn, x.reshape(x.shape[0] * x.shape[1] // widths[0], -1)
        )  # (B · frames left, C)
        for i, width in enumerate(widths[1:]):
            frames = x.reshape(-1, width, self.config.channels)  # (B · frames left, width, C)
            residual = frames[:, width - 1 if self.config.causal else width // 2]
            x = self._merge(self.layers_conv[2 * i], self.layers_bn[2 * i], frames.flatten(1))
            x = residual + self._merge(self.layers_conv[2 * i + 1], self.layers_bn[2 * i + 1], x)
        x = F.linear(x, self.shrink.weight[:, :, 0], self.shrink.bias)
        return x.reshape(-1, self.config.joints_out, self.config.features_out)

    def _merge(self, convolution: nn.Module, norm: nn.Module, x: Tensor) -> Tensor:
        """A convolution over non-overlapping frames as one product: (N, width · C) → (N, C')."""
        assert isinstance(convolution, nn.Conv1d)
        # (C', width · C), frames outermost as in x
        weight = convolution.weight.transpose(1, 2).flatten(1)
        merged: Tensor = self.dropout(F.relu(norm(F.linear(x, weight))))
        return merged


def config_from_state(
    state: Mapping[str, Tensor], causal: bool = False, dense: bool = False
) -> ModelConfig:
    """Read a network's sizes off its tensors, for files without a header.

    Args:
        state: The tensors by name. Two numbers per keypoint are assumed.
        causal, dense: These do not show in the tensors.

    Returns:
        The config of the network that the tensors belong to.

    Raises:
        ValueError: They are not the tensors of a temporal ConvNet.
    """
    inputs, outputs, channels, widths = _sizes(state, dense)
    return ModelConfig(inputs // 2, 2, outputs // 3, widths, channels, causal, dense)


class _Sizes(NamedTuple):
    """What decides the shape of every tensor."""

    inputs: int
    outputs: int
    channels: int
    filter_widths: tuple[int, ...]


def _sizes(state: Mapping[str, Tensor], dense: bool) -> _Sizes:
    """The sizes that tensors of unknown origin have; `ValueError` if they are no ConvNet's."""
    blocks = sum(name.startswith("layers_conv.") for name in state) // 2
    try:
        channels, inputs, first = state["expand_conv.weight"].shape
        kernels = [state[f"layers_conv.{2 * i}.weight"].shape[2] for i in range(blocks)]
        outputs = state["shrink.weight"].shape[0]
        widths = [int(first)]
        for kernel in kernels:
            # a dense kernel covers (width - 1) · dilation + 1 frames, see TemporalConvNet.__init__
            widths.append((kernel - 1) // math.prod(widths) + 1 if dense else kernel)
    except (KeyError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        raise ValueError(f"not the weights of a temporal ConvNet: {error}") from error
    return _Sizes(inputs, outputs, channels, tuple(widths))
