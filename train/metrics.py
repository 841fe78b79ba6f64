"""Pose errors of the literature, in the unit of their input.

`predicted` and `target` are (…, J, 3), or (…, J, 2) where a projection is compared; a number comes back, the mean over
frames and joints. All but `p_mpjpe` take numpy arrays and torch tensors alike and carry gradients.
"""

from typing import Any

import numpy as np
import torch

from core.types import Floats

A = Any  # a numpy array or a torch tensor; both arguments of a call are of one kind


def mpjpe(predicted: A, target: A) -> A:
    """Mean per-joint position error ("protocol 1")."""
    return _distance(predicted, target).mean()


def weighted_mpjpe(predicted: A, target: A, weight: A) -> A:
    """`mpjpe` with a weight (…, 1) a frame, or (…, J) a joint; the weights are not normalised."""
    return (weight * _distance(predicted, target)).mean()


def n_mpjpe(predicted: A, target: A) -> A:
    """`mpjpe` after the best scale of each frame ("protocol 3"; Rhodin et al., CVPR 2018)."""
    scale = (target * predicted).sum((-2, -1)) / (predicted**2).sum((-2, -1))
    return mpjpe(scale[..., None, None] * predicted, target)


def p_mpjpe(predicted: Floats, target: Floats) -> float:
    """`mpjpe` after the best similarity transform of each frame ("protocol 2"), for (T, J, 3) numpy arrays."""
    return float(mpjpe(align(predicted, target), target))


def mean_velocity_error(predicted: A, target: A) -> A:
    """MPJVE: `mpjpe` of the differences between neighbouring frames, per frame, for (T, J, 3) of one sequence."""
    return mpjpe(predicted[1:] - predicted[:-1], target[1:] - target[:-1])


def align(predicted: Floats, target: Floats) -> Floats:
    """Each of (T, J, 3) poses turned, scaled and moved onto its target, never mirrored (Procrustes; Umeyama 1991)."""
    _same_shape(predicted, target)
    middle, target_middle = predicted.mean(1, keepdims=True), target.mean(1, keepdims=True)
    centred, target_centred = predicted - middle, target - target_middle
    u, singular, vt = np.linalg.svd(centred.transpose(0, 2, 1) @ target_centred)  # (T, 3, 3), (T, 3), (T, 3, 3)
    handedness = np.sign(np.linalg.det(u @ vt))
    u[:, :, -1] *= handedness[:, None]
    singular[:, -1] *= handedness
    scale = singular.sum(-1) / (centred**2).sum((1, 2))
    aligned: Floats = scale[:, None, None] * centred @ (u @ vt) + target_middle
    return aligned


def _distance(predicted: A, target: A) -> A:
    """(…, J, D) → (…, J) Euclidean distances."""
    _same_shape(predicted, target)
    difference = predicted - target
    if isinstance(difference, np.ndarray):
        return np.linalg.norm(difference, axis=-1)
    return torch.linalg.vector_norm(difference, dim=-1)  # unlike a square root it has a gradient at 0


def _same_shape(predicted: A, target: A) -> None:
    if predicted.shape != target.shape:
        raise ValueError(
            f"expected a prediction of the target's shape {tuple(target.shape)}, got {tuple(predicted.shape)}"
        )
