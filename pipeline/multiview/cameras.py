"""Points ↔ pixels of calibrated cameras with lens distortion."""

import numpy as np

from core.camera import pixels_to_rays
from core.types import Floats
from pipeline.multiview.scene import Camera

_ROUNDS = 8  # of the fixed-point iteration that inverts the distortion
_MISS = 0.01  # x/z or y/z by which it may miss


def to_camera(points: Floats, camera: Camera) -> Floats:
    """Points (…, 3) in shared axes → camera axes, metres."""
    return np.asarray(points @ camera.rotation.T + camera.translation)


def to_shared(points: Floats, camera: Camera) -> Floats:
    """Points (…, 3) in camera axes → shared axes, metres: the inverse of `to_camera`."""
    return np.asarray((points - camera.translation) @ camera.rotation)


def project(points: Floats, camera: Camera) -> Floats:
    """Image of points.

    Args:
        points: (…, 3) metres, shared axes.
        camera: The camera.

    Returns:
        (…, 2) px; NaN behind the camera.
    """
    local = to_camera(points, camera)
    depth = np.where(local[..., 2:] > 0, local[..., 2:], np.nan)
    lens = camera.intrinsics
    return _distorted(local[..., :2] / depth, camera.distortion) * [lens.fx, lens.fy] + [
        lens.cx,
        lens.cy,
    ]


def undistorted_rays(pixels: Floats, camera: Camera) -> Floats:
    """Viewing rays of pixels, lens distortion removed.

    Args:
        pixels: (…, 2) px, NaN stays NaN.
        camera: The camera.

    Returns:
        (…, 2) x/z and y/z in camera axes; NaN far outside the picture, where the distortion has no
        inverse.
    """
    distorted = pixels_to_rays(pixels, camera.intrinsics)
    if not camera.distortion.any():
        return np.asarray(distorted)
    rays = distorted
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(_ROUNDS):
            rays = rays + distorted - _distorted(rays, camera.distortion)
        miss = np.abs(_distorted(rays, camera.distortion) - distorted).max(-1, keepdims=True)
    return np.asarray(np.where(miss < _MISS, rays, np.nan))


def _distorted(rays: Floats, distortion: Floats) -> Floats:
    """Brown (1971) as OpenCV has it: k1, k2 radial, p1, p2 tangential, on rays (…, 2)."""
    k1, k2, p1, p2 = distortion
    x, y = rays[..., 0], rays[..., 1]
    r2 = x * x + y * y
    radial = 1 + k1 * r2 + k2 * r2 * r2
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        ],
        -1,
    )
