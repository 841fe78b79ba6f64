"""What the lifter that ships is trained to make small."""

import math

import torch
from torch import Tensor

from core.skeletons import FOOT_BONES, H36M_17
from train.metrics import mpjpe, p_mpjpe

COVERAGE = 0.68
"""The share of joints that lie within σ."""
_FOOT_SHARE = 0.3  # of the feet's directions in the loss
_SIGMA_SHARE = 0.01  # metres for a factor of e between σ and the error
_SMALLEST_M = 1e-4  # an error is no smaller than that


def training_loss(predicted: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of a batch of poses, and their MPJPE.

    How a body is turned to the camera is often unclear where its shape is not, hence the second
    term, of Human3.6M-17. Feet are short: beside whole bodies their directions would count little.
    With joint errors e_j = ‖x̂_j - x_j‖, a foot's points f and their ankles a:

        L = MPJPE + PA-MPJPE + 0.3 mean_f ‖(x̂_f - x̂_a) - (x_f - x_a)‖ + 0.01 m · Q

    Q makes σ the 68 % quantile of a joint's error, given what the network sees: the pinball loss
    (Koenker and Bassett, "Regression quantiles", 1978) of d = log e - log σ, with τ = 0.68,

        Q = mean_j max(τ d_j, (τ - 1) d_j)

    Args:
        predicted: (B, 21, 4) metres from the pelvis, and log σ; no gradient flows into e from Q.
        target: (B, 21, 3) metres from the pelvis.

    Returns:
        The loss, and the MPJPE without its gradient, metres.
    """
    joints, log_sigma = predicted[..., :3], predicted[..., 3]
    body = slice(len(H36M_17))
    error: Tensor = mpjpe(joints, target)
    shape = p_mpjpe(joints[:, body], target[:, body])
    ankles, feet = map(list, zip(*FOOT_BONES, strict=True))
    difference = joints - target
    feet_off = (difference[:, feet] - difference[:, ankles]).norm(dim=-1).mean()
    missed = difference.detach().norm(dim=-1).clamp(min=_SMALLEST_M).log() - log_sigma
    quantile = torch.maximum(COVERAGE * missed, (COVERAGE - 1) * missed).mean()
    loss = error + shape + _FOOT_SHARE * feet_off + _SIGMA_SHARE * quantile
    return loss, error.detach()


FIRST_LOG_SIGMA = math.log(0.05)
"""Where log σ starts: an error of 5 cm."""
