"""Pose errors of the literature, in the unit of their input.

`predicted` and `target` are (…, J, 3) joint positions, or (…, J, 2) where projections are compared.
Each metric is one number, the mean over all frames and joints. All functions take numpy arrays or
torch tensors, both arguments of one kind, and carry gradients. NaN anywhere makes the result NaN.

In symbols: x_tj is the predicted position of joint j in frame t, y_tj the true one, E the mean over
all t and j. The protocols are those of Pavllo et al. (CVPR 2019), section 5.1.
"""

from typing import Any

import numpy as np
import torch

A = Any  # a numpy array or a torch tensor; both arguments of a call are of one kind


def mpjpe(predicted: A, target: A) -> A:
    """Mean per-joint position error, E ‖x − y‖ ("protocol 1").

    Raises:
        ValueError: The shapes differ.
    """
    return _distance(predicted, target).mean()


def weighted_mpjpe(predicted: A, target: A, weight: A) -> A:
    """Weighted mean per-joint position error, E w ‖x − y‖.

    Args:
        predicted: (…, J, 3) positions.
        target: (…, J, 3) positions.
        weight: w, (…, 1) for each frame or (…, J) for each joint. Weights aren't normalised to a
            sum of 1.
    """
    return (weight * _distance(predicted, target)).mean()


def n_mpjpe(predicted: A, target: A) -> A:
    """`mpjpe` after the best scale of each frame ("protocol 3"; Rhodin et al., CVPR 2018).

    The scale minimises Σ_j ‖s x_j − y_j‖²: s = Σ ⟨y_j, x_j⟩ / Σ ‖x_j‖².
    """
    scale = (target * predicted).sum((-2, -1)) / (predicted**2).sum((-2, -1))
    return mpjpe(scale[..., None, None] * predicted, target)


def p_mpjpe(predicted: A, target: A) -> A:
    """`mpjpe` of (T, J, 3) after `procrustes_align` of each frame ("protocol 2")."""
    return mpjpe(procrustes_align(predicted, target), target)


def mean_velocity_error(predicted: A, target: A) -> A:
    """Mean per-joint velocity error (MPJVE), E ‖(x_{t+1} − x_t) − (y_{t+1} − y_t)‖.

    Args:
        predicted: (T, J, 3) positions of consecutive frames of one sequence, T ≥ 2.
        target: (T, J, 3) positions.

    Returns:
        The error per frame interval (Pavllo et al., section 6.1).
    """
    return mpjpe(predicted[1:] - predicted[:-1], target[1:] - target[:-1])


def procrustes_align(predicted: A, target: A) -> A:
    """Fit each predicted pose to its target by a similarity transform (Procrustes analysis).

    Minimises Σ_j ‖s x_j R + t − y_j‖² (positions are row vectors) over scale s, rotation R
    (det R = 1: never a mirror image) and translation t, in closed form by singular value
    decomposition (Kabsch 1976; Umeyama, PAMI 1991).

    Args:
        predicted: x, (T, J, 3).
        target: y, (T, J, 3).

    Returns:
        (T, J, 3) s x R + t. Its gradient takes s and R to be constant.

    Raises:
        ValueError: The shapes differ.
    """
    _check_same_shape(predicted, target)
    library = np if isinstance(predicted, np.ndarray) else torch
    # Centroids; subtracting them leaves s and R: x' = x − mean(x), y' = y − mean(y).
    centroid = predicted.mean(1)[:, None]
    target_centroid = target.mean(1)[:, None]
    centred = predicted - centroid
    target_centred = target - target_centroid
    constant = centred if library is np else centred.detach()
    # Covariance x'ᵀ y' = U S Vᵀ: (T, 3, 3), (T, 3), (T, 3, 3).
    u, singular, vt = library.linalg.svd(constant.swapaxes(1, 2) @ target_centred)
    # Where det(U Vᵀ) = −1, U Vᵀ is a reflection. Negating the axis of the smallest singular value
    # makes it the best rotation (Umeyama's S = diag(1, 1, −1)).
    handedness = library.sign(library.linalg.det(u @ vt))
    u[:, :, -1] *= handedness[:, None]
    singular[:, -1] *= handedness
    # R = U Vᵀ, s = trace(S) / Σ_j ‖x'_j‖², t = mean(y) − s mean(x) R.
    scale = singular.sum(-1) / (constant**2).sum((1, 2)).clip(min=1e-9)
    return scale[:, None, None] * centred @ (u @ vt) + target_centroid


def _distance(predicted: A, target: A) -> A:
    """(…, J, D) → (…, J) Euclidean distances."""
    _check_same_shape(predicted, target)
    difference = predicted - target
    if isinstance(difference, np.ndarray):
        return np.linalg.norm(difference, axis=-1)
    # Unlike the square root of a sum, this has a gradient at 0.
    return torch.linalg.vector_norm(difference, dim=-1)


def _check_same_shape(predicted: A, target: A) -> None:
    if predicted.shape != target.shape:
        raise ValueError(
            f"expected a prediction of the target's shape {tuple(target.shape)}, "
            f"got {tuple(predicted.shape)}"
        )
