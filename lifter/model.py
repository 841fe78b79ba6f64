"""The temporal convolutional network of VideoPose3D, under its parameter names.

Source: Pavllo et al., "3D human pose estimation in video with temporal convolutions and
semi-supervised training", CVPR 2019, section 3.

One set of weights has two equivalent forms. `forward` slides dilated convolutions over a whole
sequence, for when every frame is wanted. `forward_windows` computes the one output of each separate
window: there the convolutions do not overlap, so the network is a chain of matrix products over
(windows · frames, width · channels), for training on single frames.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from lifter.config import ModelConfig
from lifter.network import LiftingNetwork


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
