"""The temporal ConvNet of `lifter.model` for inference, without torch.

Batch normalisation is folded into the convolution before it, W' = g W and b = β - g μ with
g = γ / √(σ² + ε), so what remains is a dozen matrix products, which numpy leaves to its BLAS.
"""

from collections.abc import Mapping

import numpy as np

from core.types import Array, Floats
from lifter.config import ModelConfig

_EPSILON = 1e-5  # ε of torch's batch normalisation
_NORM = ("weight", "bias", "running_mean", "running_var")
_COUNTER = "num_batches_tracked"  # a batch normalisation's, which inference does not need


class ConvNet:
    """2D keypoints of consecutive frames in, 3D joints out.

    layers: weight (width · C, C') and bias (C',) of each layer, in the order of `TemporalConvNet`;
    shrink: those of the last, which is linear.
    """

    def __init__(self, config: ModelConfig, state: Mapping[str, Array]) -> None:
        """Fold a network's tensors.

        Args:
            config: Its sizes; `dense` networks are not for this class.
            state: The arrays by their names in `TemporalConvNet`.

        Raises:
            ValueError: They are not the arrays of such a network.
        """
        self.config = config
        self._causal, self._widths = config.causal, config.filter_widths
        _check_shapes(config, state)
        layers = range(2 * len(self._widths) - 2)
        names = [("expand_conv", "expand_bn")]
        names += [(f"layers_conv.{i}", f"layers_bn.{i}") for i in layers]
        self.layers = [_folded(state, *pair) for pair in names]
        last = np.asarray(state["shrink.weight"][:, :, 0].T, np.float32)
        self.shrink = np.ascontiguousarray(last), np.asarray(state["shrink.bias"], np.float32)

    def lift_windows(self, x: Floats) -> Floats:
        """Lift one frame of each window, by matrix products without overlap.

        Args:
            x: (B, receptive field, K, features) float32 normalised keypoints.

        Returns:
            (B, J, features out) joints, in the units of training.

        Raises:
            ValueError: The windows have another length.
        """
        if x.shape[1] != self.config.receptive_field:
            raise ValueError(
                f"expected windows of {self.config.receptive_field} frames, got {x.shape[1]}"
            )
        x = _layer(x.reshape(-1, len(self.layers[0][0])), *self.layers[0])  # (B · frames, C)
        for i, width in enumerate(self._widths[1:]):
            frames = x.reshape(-1, width, x.shape[-1])  # (B · frames left, width, C)
            residual = frames[:, width - 1 if self._causal else width // 2]
            x = self._block(i, frames.reshape(len(frames), -1), residual)
        return self._joints(x)

    def lift_sequences(self, x: Floats) -> Floats:
        """Lift whole sequences: the window of every frame that has one, computed once.

        Args:
            x: (B, T, K, features) float32 normalised keypoints, T at least the receptive field.

        Returns:
            (B, T - receptive field + 1, J, features out) joints, in the units of training.

        Raises:
            ValueError: The sequences are shorter than the receptive field.
        """
        if x.shape[1] < self.config.receptive_field:
            raise ValueError(
                f"expected at least {self.config.receptive_field} frames, got {x.shape[1]}"
            )
        return np.stack([self._lift_sequence(sequence) for sequence in x])

    def _lift_sequence(self, x: Floats) -> Floats:
        """(T, K, features) → (T', J, features out)."""
        x = _layer(_taps(x.reshape(len(x), -1), self._widths[0], 1), *self.layers[0])
        dilation = self._widths[0]
        for i, width in enumerate(self._widths[1:]):
            trimmed = (width - 1) * dilation
            first = trimmed if self._causal else trimmed // 2
            residual = x[first : first + len(x) - trimmed]
            x = self._block(i, _taps(x, width, dilation), residual)
            dilation *= width
        return self._joints(x)

    def _block(self, i: int, x: Floats, residual: Floats) -> Floats:
        """The two layers of a residual block: (N, width · C) and (N, C) → (N, C)."""
        x = _layer(_layer(x, *self.layers[1 + 2 * i]), *self.layers[2 + 2 * i])
        x += residual
        return x

    def _joints(self, x: Floats) -> Floats:
        """(N, C) → (N, J, features out)."""
        weight, bias = self.shrink
        return (x @ weight + bias).reshape(-1, self.config.joints_out, self.config.features_out)


def _layer(x: Floats, weight: Floats, bias: Floats) -> Floats:
    """max(x W + b, 0)."""
    y = x @ weight
    y += bias
    return np.maximum(y, 0, out=y)


def _taps(x: Floats, width: int, dilation: int) -> Floats:
    """What a dilated filter sees of (T, C) at each of its positions: (T', width · C)."""
    count = len(x) - (width - 1) * dilation
    return np.concatenate([x[i * dilation : i * dilation + count] for i in range(width)], 1)


def _folded(state: Mapping[str, Array], convolution: str, norm: str) -> tuple[Floats, Floats]:
    """A convolution and the normalisation behind it: weight (width · C, C') and bias (C',)."""
    scale, shift, mean, variance = (
        np.asarray(state[f"{norm}.{name}"], np.float64) for name in _NORM
    )
    weight = np.asarray(state[f"{convolution}.weight"], np.float64)  # (C', C, width)
    with np.errstate(all="ignore"):  # a damaged file's numbers, which give no joints
        gain = scale / np.sqrt(variance + _EPSILON)
        rows = (weight * gain[:, None, None]).transpose(2, 1, 0).reshape(-1, len(weight))
        # row by row in memory: few windows take a seventh less time so
        return rows.astype(np.float32, "C"), (shift - gain * mean).astype(np.float32)


def _check_shapes(config: ModelConfig, state: Mapping[str, Array]) -> None:
    """`ValueError` unless `state` has the arrays of such a network and no others."""
    channels, widths = config.channels, config.filter_widths
    outputs = config.joints_out * config.features_out
    expected: dict[str, tuple[int, ...]] = {
        "expand_conv.weight": (channels, config.joints_in * config.features_in, widths[0]),
        "shrink.weight": (outputs, channels, 1),
        "shrink.bias": (outputs,),
    }
    for i, width in enumerate(widths[1:]):
        for layer, taps in ((2 * i, width), (2 * i + 1, 1)):
            expected[f"layers_conv.{layer}.weight"] = (channels, channels, taps)
    for norm in ("expand_bn", *(f"layers_bn.{i}" for i in range(2 * len(widths) - 2))):
        expected |= {f"{norm}.{name}": (channels,) for name in _NORM}
    given = {name: array.shape for name, array in state.items() if not name.endswith(_COUNTER)}
    if given != expected:
        raise ValueError("its tensors do not fit the network it describes")
