"""How sure the cameras are that bundle adjustment finds."""

import numpy as np

from core.rotations import cross_matrix
from core.types import Floats
from pipeline.multiview.adjustment.bundle import camera_covariance
from pipeline.multiview.adjustment.problem import CAMERA, FOCAL, Problem, State

_LASTING = 2.0
"""By how much cameras are less sure than the covariance says: what a detector gets wrong in the
same way through a whole recording, no number of frames averages out."""


def camera_sigmas(problem: Problem, state: State, width: float) -> tuple[Floats, Floats]:
    """Standard deviations of focal lengths and positions: Laplace's approximation, doubled.

    Args:
        problem: The observations.
        state: The minimum.
        width: τ of the robust loss there.

    Returns:
        (V,) of focal lengths, as shares of them; (V,) metres, of positions in the axes of the first
        camera: the root of the sum over the three axes. 0 of what is not sought.
    """
    views = len(state.rotations)
    covariance = camera_covariance(problem, state, width)
    focal = np.arange(views) * CAMERA + FOCAL
    moves = np.zeros((views, 3, 3))
    for view in range(views):
        # C = -Rᵀ t, so dC = -Rᵀ ([t]ₓ dω + dt)
        rotation, translation = state.rotations[view], state.translations[view]
        by_camera = -rotation.T @ np.hstack([cross_matrix(translation), np.eye(3)])
        own = slice(CAMERA * view, CAMERA * view + 6)
        moves[view] = by_camera @ covariance[own, own] @ by_camera.T
    sigma_m = np.sqrt(np.trace(moves, axis1=1, axis2=2))
    return _LASTING * np.sqrt(covariance[focal, focal]), _LASTING * sigma_m
