"""Dropout that is fast on CPUs.

torch draws one random number for each activation, one after the other. That took longer than the
rest of a bf16 training step.
"""

from torch import Tensor, nn

from train.window_pass import DropoutMasks


class FastDropout(nn.Dropout):
    """As `nn.Dropout`, on CPUs with `DropoutMasks`.

    masks: Theirs; None where nothing is dropped.
    """

    def __init__(self, p: float) -> None:
        super().__init__(p)
        self.masks = DropoutMasks(p) if p else None

    def forward(self, x: Tensor) -> Tensor:
        """Drop activations in training; return `x` unchanged in evaluation."""
        if not self.training or self.masks is None or x.device.type != "cpu":
            return super().forward(x)
        mask = self.masks.mask(x.shape, x.dtype) * self.masks.scale  # which autograd may keep
        return x * mask
