"""Cameras: pinhole and Human3.6M projection, rigid transforms, quaternions.

Camera axes are x right, y down, z forward; pixels have x right, y down, and (0, 0) at the top left
corner of the top left pixel. Quaternions are w x y z and of unit length. The functions use only
operators and methods that numpy arrays and torch tensors share, so the same code projects poses at
inference and carries gradients in training.
"""

import math
from typing import Any, Literal

import numpy as np

from core.types import Intrinsics

A = Any  # a numpy array or a torch tensor; every argument of a call is of one kind

DEFAULT_FOV_RAD = math.radians(55.0)
"""Field of view across the longer side when nothing is known: between a phone's main lens (about
65°) and a camcorder zoomed in a little (45°)."""


def intrinsics_from_fov(
    width: int, height: int, fov_rad: float, source: Literal["given", "estimated", "assumed"]
) -> Intrinsics:
    """A camera with square pixels and its axis through the middle: f = max(w, h) / (2 tan(α/2)).

    Args:
        width: Of the picture, px.
        height: Of the picture, px.
        fov_rad: Field of view α across the longer side.
        source: Where the field of view comes from.

    Raises:
        ValueError: The field of view is not between 0 and π.
    """
    if not 0.0 < fov_rad < math.pi:
        raise ValueError(
            f"field of view must lie between 0 and 180 degrees, got {math.degrees(fov_rad):g}"
        )
    focal = max(width, height) / 2 / math.tan(fov_rad / 2)
    return Intrinsics(focal, focal, width / 2, height / 2, source)


def focal_from_35mm(focal_mm: float, width: int, height: int) -> float | None:
    """The focal length, px, by that which gives the same view on 35 mm film (36 × 24 mm).

    Cameras relate the diagonals of the film and of their picture (CIPA DCG-001). A picture wider
    than the film is taken for a cut from one that has its width.

    Args:
        focal_mm: As cameras write it: Exif's FocalLengthIn35mmFilm.
        width: Of the picture, px.
        height: Of the picture, px.

    Returns:
        None where it is that of no lens; 0 stands for unknown.
    """
    if not 5 <= focal_mm <= 2000:
        return None
    return focal_mm * max(math.hypot(width, height) / math.hypot(36, 24), max(width, height) / 36)


def pixels_to_rays(points: A, intrinsics: Intrinsics) -> A:
    """Viewing rays of pixels.

    Args:
        points: (…, 2) px.
        intrinsics: The camera.

    Returns:
        (…, 2) x/z and y/z in camera axes: (u - cx) / fx and (v - cy) / fy.
    """
    centre = type_like(points, [intrinsics.cx, intrinsics.cy])
    focal = type_like(points, [intrinsics.fx, intrinsics.fy])
    return (points - centre) / focal


def project(points: A, intrinsics: Intrinsics) -> A:
    """Pinhole projection.

    Args:
        points: (…, 3) in camera axes, z > 0; any unit.
        intrinsics: The camera.

    Returns:
        (…, 2) px: fx x/z + cx and fy y/z + cy.
    """
    centre = type_like(points, [intrinsics.cx, intrinsics.cy])
    focal = type_like(points, [intrinsics.fx, intrinsics.fy])
    return points[..., :2] / points[..., 2:] * focal + centre


def type_like(array: A, values: list[float]) -> A:
    """`values` as the kind, number type and device of `array`."""
    if isinstance(array, np.ndarray):
        return np.asarray(values, dtype=array.dtype)
    return array.new_tensor(values)


def rotate(quaternion: A, points: A) -> A:
    """Rotate points by quaternions.

    With q = (w, u): p' = p + 2 (w (u × p) + u × (u × p)), which is q p q* multiplied out.

    Args:
        quaternion: (…, 4) of unit length.
        points: (…, 3) with the same leading axes.

    Returns:
        (…, 3).
    """
    w, u = quaternion[..., :1], quaternion[..., 1:]
    uv = cross(u, points)
    return points + 2 * (w * uv + cross(u, uv))


def cross(a: A, b: A) -> A:
    """Cross product over the last axis."""
    after, before = [1, 2, 0], [2, 0, 1]
    return a[..., after] * b[..., before] - a[..., before] * b[..., after]


def world_to_camera(points: A, quaternion: A, translation: A) -> A:
    """World space → camera space: q* (p - t) q, in Human3.6M's sense of a camera's orientation.

    Args:
        points: (…, 3) in world axes.
        quaternion: (4,) the camera's orientation q, which takes camera axes to world axes.
        translation: (3,) the camera's position t in the world.

    Returns:
        (…, 3) in camera axes, in the unit of `points`.
    """
    conjugate = quaternion * type_like(quaternion, [1.0, -1.0, -1.0, -1.0])
    offset = points - translation
    return rotate(_with_leading_axes(conjugate, offset), offset)


def camera_to_world(points: A, quaternion: A, translation: A) -> A:
    """Camera space → world space, q p q* + t: the inverse of `world_to_camera`."""
    return rotate(_with_leading_axes(quaternion, points), points) + translation


def _with_leading_axes(quaternion: A, points: A) -> A:
    """A (4,) quaternion with as many leading axes of length 1 as `points` has."""
    return quaternion.reshape((1,) * (len(points.shape) - 1) + (4,))


def project_linear(points: A, parameters: A) -> A:
    """Project without lens distortion (VideoPose3D, `common/camera.py`).

    Args:
        points: (N, …, 3) in camera axes.
        parameters: (N, 9) focal length (2), centre (2), radial k1 k2 k3, tangential p1 p2, in
            units normalised by the picture's width.

    Returns:
        (N, …, 2) normalised screen coordinates f r + c, with the ray r = (x/z, y/z) cut at ±1.
    """
    p = parameters.reshape((len(parameters),) + (1,) * (len(points.shape) - 2) + (9,))
    rays = (points[..., :2] / points[..., 2:]).clip(-1, 1)
    return p[..., :2] * rays + p[..., 2:4]


def project_distorted(points: A, parameters: A) -> A:
    """Project with radial and tangential distortion, Human3.6M's camera model.

    A Brown-Conrady model with the ray r = (x/z, y/z) cut at ±1:
    r' = r (1 + k1 |r|² + k2 |r|⁴ + k3 |r|⁶ + pᵀr) + p |r|², then f r' + c. Brown, "Close-range
    camera calibration", 1971, has 2 pᵀr and the other order of p; this follows VideoPose3D
    (`common/camera.py`).

    Args:
        points: (N, …, 3) in camera axes.
        parameters: (N, 9) as for `project_linear`.

    Returns:
        (N, …, 2) normalised screen coordinates.
    """
    p = parameters.reshape((len(parameters),) + (1,) * (len(points.shape) - 2) + (9,))
    focal, centre, k, tangential = p[..., :2], p[..., 2:4], p[..., 4:7], p[..., 7:]
    rays = (points[..., :2] / points[..., 2:]).clip(-1, 1)
    r2 = (rays**2).sum(-1)[..., None]
    radial = 1 + k[..., :1] * r2 + k[..., 1:2] * r2**2 + k[..., 2:] * r2**3
    tilt = (tangential * rays).sum(-1)[..., None]  # pᵀr
    distorted = rays * (radial + tilt) + tangential * r2
    return focal * distorted + centre
