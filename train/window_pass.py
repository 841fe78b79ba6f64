"""`TemporalConvNet.forward_windows` for training on CPUs, forward and backward written out.

One node of autograd instead of seventy: numbers that are used twice are computed once, gradients of
residuals are added in place, and dropout needs no mask in the backward pass. With the normalised
ŷ, gain γ and shift β, a layer is

    a = max(k (s γ ŷ + s β), 0),   s = 1 / (1 - p)

where k is 0 at a rate p, else 1. Where a > 0, k was 1; so ∂a/∂ŷ = s γ [a > 0].
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lifter.model import TemporalConvNet

_ROUNDS = 8  # in which all numbers of a pool are drawn anew
_LAYER = 3  # parameters: weight, γ, β


class DropoutMasks:
    """Random masks on CPUs, of ones with zeros at a rate p.

    Drawing a mask takes longer than all else that a layer does with it. So masks are cut at random
    from a pool twice as long as the longest. Of the pool an eighth of the masks' lengths is drawn
    anew, once it is an eighth of the longest. p is rounded to a multiple of 1/256, from 1/256 to
    255/256.

    Draws from torch's CPU generator, so `torch.manual_seed` and `restart` make runs repeat.
    """

    def __init__(self, p: float) -> None:
        self._dropped = min(max(round(p * 256), 1), 255)
        self.scale = 256 / (256 - self._dropped)
        """s: 1 / (1 - p)."""
        self._pool, self._drawn, self._owed = torch.empty(0), 0, 0

    def restart(self) -> None:
        """Forget the pool, when torch's generator was seeded."""
        self._pool = torch.empty(0)

    def mask(self, shape: torch.Size, dtype: torch.dtype) -> Tensor:
        """A mask, which must not be changed."""
        count = shape.numel()
        if len(self._pool) < 2 * count or self._pool.dtype != dtype:
            self._pool = torch.empty(2 * count, dtype=dtype)
            self._draw(0, len(self._pool))
        else:
            self._owed += -(-count // _ROUNDS)
            if 2 * _ROUNDS * self._owed >= len(self._pool):
                start = self._drawn if self._drawn + self._owed <= len(self._pool) else 0
                self._draw(start, start + self._owed)
        first = int(torch.randint(len(self._pool) - count + 1, ()))
        return self._pool[first : first + count].view(shape)

    def _draw(self, start: int, stop: int) -> None:
        """Draw numbers of the pool anew, one byte each: eight come with each draw."""
        words = torch.empty((stop - start + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
        # A signed byte b is uniform on −128…127, so P(b < dropped − 128) = p.
        kept = words.view(torch.int8)[: stop - start] >= self._dropped - 128
        # By way of uint8, from which torch converts six times faster than from bool.
        self._pool[start:stop] = kept.view(torch.uint8)
        self._drawn, self._owed = stop, 0


def lay_out_for_windows(model: TemporalConvNet) -> None:
    """Store the weights of convolutions in the order in which `train_windows` multiplies them.

    They keep their shapes (C', C, width); in memory, channels are innermost.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv1d):
            weight = module.weight.data.transpose(1, 2).contiguous().transpose(1, 2)
            module.weight = nn.Parameter(weight)


def train_windows(model: TemporalConvNet, x: Tensor, masks: DropoutMasks | None) -> Tensor:
    """`model.forward_windows` in training mode; bf16 under autocast.

    Args:
        model: On the CPU, not dense.
        x: (B, receptive field, K, features) normalised keypoints; they get no gradient.
        masks: Dropout's; None without.

    Returns:
        (B, J, features out) joints, fp32.
    """
    config = model.config
    norms = [model.expand_bn, *model.layers_bn]
    parameters: list[Tensor | None] = []
    for convolution, norm in zip([model.expand_conv, *model.layers_conv], norms, strict=True):
        assert isinstance(convolution, nn.Conv1d)
        assert isinstance(norm, nn.BatchNorm1d)
        assert norm.num_batches_tracked is not None
        norm.num_batches_tracked.add_(1)
        parameters += [convolution.weight, norm.weight, norm.bias]
    parameters += [model.shrink.weight, model.shrink.bias]
    dtype = torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32
    rows = x.reshape(len(x) * x.shape[1] // config.filter_widths[0], -1).to(dtype)
    with torch.autocast("cpu", enabled=False):
        joints = _WindowPass.apply(rows, model, norms, masks, *parameters)  # type: ignore[no-untyped-call]
    return torch.as_tensor(joints).view(-1, config.joints_out, config.features_out)


class _Layer(NamedTuple):
    """What the backward pass needs of a layer."""

    x: Tensor
    weight: Tensor  # (C', width · C), of x's type
    y: Tensor  # x Wᵀ, before the normalisation
    mean: Tensor
    inverse_deviation: Tensor
    gain: Tensor  # s γ
    out: Tensor


class _WindowPass(torch.autograd.Function):
    """Rows (B · frames, width · K · features) → (B, J · features out)."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        model: TemporalConvNet,
        norms: list[nn.BatchNorm1d],
        masks: DropoutMasks | None,
        *parameters: Tensor,
    ) -> Tensor:
        config = model.config
        scale = 1.0 if masks is None else masks.scale
        layers: list[_Layer] = []

        def layer(x: Tensor) -> Tensor:
            norm = norms[len(layers)]
            weight, gain, shift = parameters[_LAYER * len(layers) :][:_LAYER]
            weight = weight.transpose(1, 2).flatten(1).to(x.dtype)  # (C', width · C)
            y = x @ weight.T
            gain = gain * scale
            out, mean, inverse_deviation = torch.native_batch_norm(
                y, gain, shift * scale, norm.running_mean, norm.running_var, True,
                norm.momentum or 0.0, norm.eps,
            )  # fmt: skip
            if masks is not None:
                out *= masks.mask(out.shape, out.dtype)
            out.relu_()
            layers.append(_Layer(x, weight, y, mean, inverse_deviation, gain, out))
            return out

        x = layer(x)
        for width in config.filter_widths[1:]:
            frames = x.view(-1, width, config.channels)
            residual = frames[:, width - 1 if config.causal else width // 2]
            x = residual + layer(layer(frames.flatten(1)))
        weight, bias = parameters[-2:]
        last = weight[:, :, 0].to(x.dtype)
        ctx.layers, ctx.norms, ctx.scale, ctx.config = layers, norms, scale, config
        ctx.last = x, last
        return (x @ last.T).float() + bias

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        x, last = ctx.last
        config, layers = ctx.config, ctx.layers
        g = gradient.to(x.dtype)
        found: list[Tensor] = [(g.T @ x).float()[:, :, None], gradient.sum(0)]

        def back(g: Tensor, number: int) -> Tensor:
            """∂/∂y of a layer from ∂/∂out; notes the gradients of its parameters."""
            layer, norm = layers[number], ctx.norms[number]
            g = torch.ops.aten.threshold_backward(g, layer.out, 0)
            g, gain, shift = torch.ops.aten.native_batch_norm_backward(
                g, layer.y, layer.gain, norm.running_mean, norm.running_var, layer.mean,
                layer.inverse_deviation, True, norm.eps, [True, True, True],
            )  # fmt: skip
            channels = config.channels if number else config.joints_in * config.features_in
            weight = (g.T @ layer.x).float().view(len(layer.weight), -1, channels)
            found[:0] = [weight.transpose(1, 2), gain * ctx.scale, shift * ctx.scale]
            return g

        g = g @ last
        for i in range(len(config.filter_widths) - 2, -1, -1):
            width = config.filter_widths[i + 1]
            inner = back(g, 2 * i + 2) @ layers[2 * i + 2].weight
            outer = back(inner, 2 * i + 1) @ layers[2 * i + 1].weight
            frames = outer.view(-1, width, config.channels)
            frames[:, width - 1 if config.causal else width // 2] += g
            g = frames.view(-1, config.channels)
        back(g, 0)
        return (None, None, None, None, *found)
