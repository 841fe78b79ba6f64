"""Pose errors of the literature, in the unit of their input.

`predicted` and `target` are (…, J, 3), or (…, J, 2) where a projection is compared; a number comes back, the mean over
frames and joints. All take numpy arrays and torch tensors alike and carry gradients.
"""

from typing import Any

import numpy as np
import torch

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


def p_mpjpe(predicted: A, target: A) -> A:
    """`mpjpe` after the best similarity transform of each frame ("protocol 2"), for (T, J, 3)."""
    return mpjpe(align(predicted, target), target)


def mean_velocity_error(predicted: A, target: A) -> A:
    """MPJVE: `mpjpe` of the differences between neighbouring frames, per frame, for (T, J, 3) of one sequence."""
    return mpjpe(predicted[1:] - predicted[:-1], target[1:] - target[:-1])


def align(predicted: A, target: A) -> A:
    """Each of (T, J, 3) poses turned, scaled and moved onto its target, never mirrored (Procrustes; Umeyama 1991).

    No gradient goes through the choice of the transform.
    """
    _same_shape(predicted, target)
    library = np if isinstance(predicted, np.ndarray) else torch
    middle, target_middle = predicted.mean(1)[:, None], target.mean(1)[:, None]
    centred, target_centred = predicted - middle, target - target_middle
    still = centred if library is np else centred.detach()
    u, singular, vt = library.linalg.svd(
        still.swapaxes(1, 2) @ target_centred
    )  # (T, 3, 3), (T, 3), (T, 3, 3)
    handedness = library.sign(library.linalg.det(u @ vt))
    u[:, :, -1] *= handedness[:, None]
    singular[:, -1] *= handedness
    scale = singular.sum(-1) / (still**2).sum((1, 2)).clip(min=1e-9)
    return scale[:, None, None] * centred @ (u @ vt) + target_middle


def _distance(predicted: A, target: A) -> A:
    """(…, J, D) → (…, J) Euclidean distances."""
    _same_shape(predicted, target)
    difference = predicted - target
    if isinstance(difference, np.ndarray):
        return np.linalg.norm(difference, axis=-1)
    return torch.linalg.vector_norm(
        difference, dim=-1
    )  # unlike a square root it has a gradient at 0


def _same_shape(predicted: A, target: A) -> None:
    if predicted.shape != target.shape:
        raise ValueError(
            f"expected a prediction of the target's shape {tuple(target.shape)}, got {tuple(predicted.shape)}"
        )
