"""Cameras: pinhole and Human3.6M projection, rigid transforms, quaternions.

Quaternions are w x y z and unit length. The functions use only operators and methods that numpy arrays and torch
tensors share, so the same code projects poses at inference and carries gradients in training.
"""

import math
from typing import Any, Literal

import numpy as np

from core.types import Intrinsics

A = Any  # a numpy array or a torch tensor; every argument of a call is of one kind

DEFAULT_FOV_RAD = math.radians(55.0)
"""Field of view across the longer side when nothing is known: between a phone's main lens (about 65°) and a camcorder
zoomed in a little (45°)."""


def intrinsics_from_fov(
    width: int, height: int, fov_rad: float, source: Literal["given", "estimated", "assumed"]
) -> Intrinsics:
    """A camera with square pixels and its axis through the middle; `fov_rad` spans the longer side."""
    if not 0.0 < fov_rad < math.pi:
        raise ValueError(
            f"field of view must lie between 0 and 180 degrees, got {math.degrees(fov_rad):g}"
        )
    focal = max(width, height) / 2 / math.tan(fov_rad / 2)
    return Intrinsics(focal, focal, width / 2, height / 2, source)


def pixels_to_rays(points: A, intrinsics: Intrinsics) -> A:
    """(…, 2) px → (…, 2) x/z and y/z in camera axes."""
    centre = type_like(points, [intrinsics.cx, intrinsics.cy])
    focal = type_like(points, [intrinsics.fx, intrinsics.fy])
    return (points - centre) / focal


def project(points: A, intrinsics: Intrinsics) -> A:
    """(…, 3) camera-space metres → (…, 2) px."""
    centre = type_like(points, [intrinsics.cx, intrinsics.cy])
    focal = type_like(points, [intrinsics.fx, intrinsics.fy])
    return points[..., :2] / points[..., 2:] * focal + centre


def type_like(array: A, values: list[float]) -> A:
    """`values` as the kind, number type and device of `array`."""
    if isinstance(array, np.ndarray):
        return np.asarray(values, dtype=array.dtype)
    return array.new_tensor(values)


def rotate(quaternion: A, points: A) -> A:
    """Turn (…, 3) points by (…, 4) quaternions of the same leading shape."""
    w, u = quaternion[..., :1], quaternion[..., 1:]
    uv = cross(u, points)
    return points + 2 * (w * uv + cross(u, uv))


def cross(a: A, b: A) -> A:
    """Cross product over the last axis."""
    after, before = [1, 2, 0], [2, 0, 1]
    return a[..., after] * b[..., before] - a[..., before] * b[..., after]


def world_to_camera(points: A, quaternion: A, translation: A) -> A:
    """(…, 3) world → camera, for a camera at `translation` (3,) turned by `quaternion` (4,) (Human3.6M's sense)."""
    conjugate = quaternion * type_like(quaternion, [1.0, -1.0, -1.0, -1.0])
    offset = points - translation
    return rotate(_spread(conjugate, offset), offset)


def camera_to_world(points: A, quaternion: A, translation: A) -> A:
    """The inverse of `world_to_camera`."""
    return rotate(_spread(quaternion, points), points) + translation


def _spread(quaternion: A, points: A) -> A:
    """A (4,) quaternion with as many leading axes of length 1 as `points` has."""
    return quaternion.reshape((1,) * (len(points.shape) - 1) + (4,))


def project_linear(points: A, parameters: A) -> A:
    """(N, …, 3) camera space → (N, …, 2), ignoring lens distortion.

    `parameters` (N, 9): focal (2), centre (2), radial k1 k2 k3, tangential p1 p2, in units normalised by image width
    (VideoPose3D, `common/camera.py`).
    """
    p = parameters.reshape((len(parameters),) + (1,) * (len(points.shape) - 2) + (9,))
    rays = (points[..., :2] / points[..., 2:]).clip(-1, 1)
    return p[..., :2] * rays + p[..., 2:4]


def project_distorted(points: A, parameters: A) -> A:
    """`project_linear` with radial and tangential distortion (Human3.6M's camera model)."""
    p = parameters.reshape((len(parameters),) + (1,) * (len(points.shape) - 2) + (9,))
    focal, centre, k, tangential = p[..., :2], p[..., 2:4], p[..., 4:7], p[..., 7:]
    rays = (points[..., :2] / points[..., 2:]).clip(-1, 1)
    r2 = (rays**2).sum(-1)[..., None]
    radial = 1 + k[..., :1] * r2 + k[..., 1:2] * r2**2 + k[..., 2:] * r2**3
    skew = (tangential * rays).sum(-1)[..., None]
    distorted = rays * (radial + skew) + tangential * r2
    return focal * distorted + centre
