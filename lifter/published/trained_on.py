"""Which keypoints a temporal ConvNet was trained on, for checkpoints that do not say it."""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from core.skeletons import COCO_17, H36M_17, Skeleton
from core.types import Floats

_HEIGHT = {
    "nose": 0.62, "eye": 0.66, "ear": 0.64, "shoulder": 0.5, "elbow": 0.2, "wrist": -0.02,
    "hip": 0.0, "knee": -0.45, "ankle": -0.9, "pelvis": 0.0, "spine": 0.25, "thorax": 0.5,
    "neck_base": 0.6, "head_top": 0.75,
}  # fmt: skip
"""Of a standing person above the pelvis, about metres; joints of either side by their last word."""
_CLEARLY_LESS = 0.8  # of one residual than the other, where both are of an upright person


def trained_on(state: Mapping[str, Tensor]) -> Skeleton | None:
    """Find the skeleton of a network's keypoints by what its first layers remember of them.

    The first convolution W has no bias, so the running mean m of the batch normalisation behind it
    is W summed over time, times the mean input x of training. People stand upright on average, so
    x = a h + b e_x + c e_y with the heights h of the skeleton's joints (y points down) and the
    person's mean position (b, c). Least squares gives a, b and c for each skeleton: with the wrong
    one people hang upside down, a < 0, or m is explained worse.

    Args:
        state: The network's tensors by name; two numbers per keypoint, 17 keypoints.

    Returns:
        COCO-17 or H36M-17, None where the weights do not tell them apart.
    """
    weight = state["expand_conv.weight"].detach().double().sum(2).numpy()  # (C, 34)
    mean = state["expand_bn.running_mean"].detach().double().numpy()  # (C,)
    if not (np.isfinite(weight).all() and np.isfinite(mean).all()):
        return None
    residuals = {}
    for skeleton in (COCO_17, H36M_17):
        upright, residual = _fit(weight, mean, skeleton)
        if upright > 0:
            residuals[skeleton.name] = residual
    by_name = {skeleton.name: skeleton for skeleton in (COCO_17, H36M_17)}
    if not residuals:
        return None
    best, *others = sorted(residuals, key=lambda name: residuals[name])
    is_clear = all(residuals[best] < _CLEARLY_LESS * residuals[name] for name in others)
    return by_name[best] if is_clear else None


def _fit(weight: Floats, mean: Floats, skeleton: Skeleton) -> tuple[float, float]:
    """How upright people are, a, and the squared residual of the least squares."""
    joints = len(skeleton)
    heights = np.zeros((joints, 2))
    heights[:, 1] = [-_height(name) for name in skeleton.joints]
    across, down = np.tile([1.0, 0.0], joints), np.tile([0.0, 1.0], joints)
    basis = weight @ np.stack([heights.ravel(), across, down], 1)  # (C, 3)
    solution, *_ = np.linalg.lstsq(basis, mean, rcond=None)
    residual = mean - basis @ solution
    return float(solution[0]), float(residual @ residual)


def _height(name: str) -> float:
    """The height of a joint of any side."""
    return _HEIGHT[name if name in _HEIGHT else name.split("_")[-1]]
