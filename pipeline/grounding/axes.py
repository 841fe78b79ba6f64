"""The rotation from camera axes to world axes."""

import numpy as np

from core.types import Floats

LEVEL_UP = np.array([0.0, -1.0, 0.0])
"""(3,) up in the axes of a level camera."""

_PARALLEL = 1e-3  # sine of the angle between up and the view below which "right" is undefined


def world_axes(up: Floats) -> Floats:
    """Build the rotation from camera axes to world axes.

    Args:
        up: (3,) unit vector in camera axes.

    Returns:
        (3, 3) rotation whose rows are the world's x (the camera's right, level), y (away from the
        camera, level) and z (up), in camera axes. `points @ rotation.T` turns points (…, 3).
    """
    right = np.cross([0.0, 0.0, 1.0], up)
    if np.linalg.norm(right) < _PARALLEL:  # the camera looks straight down or up
        right = np.array([1.0, 0.0, 0.0])
    right = right / np.linalg.norm(right)
    return np.stack([right, np.cross(up, right), up])
