"""Positions by which programs say that they did not find a keypoint."""

import numpy as np
from numpy.typing import NDArray

from core.types import Floats

MAX_PX = 1e6
"""Coordinates beyond are missing: some programs write such numbers for what they did not find."""


def is_missing(points_px: Floats) -> NDArray[np.bool_]:
    """Which positions stand for "not found", whatever their score.

    No picture has a position where both coordinates are one number of 0 or less: it is (0, 0) in
    VideoPose3D's archives and OpenPose's relatives, (-1, -1) or (-100, -100) in others, and stays
    so where keypoints are scaled.

    Args:
        points_px: (…, 2) x, y px.

    Returns:
        (…) also True for NaN, infinity and numbers beyond a million.
    """
    x, y = points_px[..., 0], points_px[..., 1]
    with np.errstate(invalid="ignore"):
        is_position = (np.abs(x) < MAX_PX) & (np.abs(y) < MAX_PX)
    return np.asarray(~is_position | ((x == y) & (x <= 0)))
