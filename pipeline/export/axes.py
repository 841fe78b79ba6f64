"""The axes of formats in which y is up."""

import numpy as np

from core.types import Floats


def y_up(positions: Floats) -> Floats:
    """World axes (…, 3), z up, to y up: x to the camera's right, z towards it."""
    return np.stack([positions[..., 0], positions[..., 2], -positions[..., 1]], -1)
