"""What the formats of calibration files share: numbers → a camera."""

from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from core.types import Floats, Intrinsics
from pipeline.multiview.scene import Camera

_MAX_PX = 1e6


def camera_of(
    name: str, size: tuple[int, int], matrix: Any, distortion: Any, rotation: Floats, position: Any
) -> Camera:
    """A camera from a file's numbers.

    Args:
        name: What the file calls it.
        size: (width, height) px, (0, 0) where the file does not say.
        matrix: (3, 3) camera matrix, px.
        distortion: k1, k2, p1, p2 and maybe k3 of Brown and Conrady's model; fewer are zeros.
        rotation: (3, 3), world → camera.
        position: (3,) the translation of world → camera.

    Raises:
        ValueError, TypeError: They cannot be a camera's.
    """
    k = np.array(matrix, float).reshape(3, 3)
    translation = np.array(position, float).reshape(3)
    values = np.zeros(5)
    given = np.array(distortion, float).ravel()
    if given[5:].any():
        raise ValueError(f"{name} has {len(given)} coefficients of distortion, 5 are known here")
    values[: min(len(given), 5)] = given[:5]
    numbers = np.concatenate([k.ravel(), translation, values, rotation.ravel()])
    if not np.isfinite(numbers).all() or np.abs(numbers).max() > _MAX_PX:
        raise ValueError(f"{name} has numbers that no camera has")
    if min(k[0, 0], k[1, 1]) < 1 or min(size) < 0 or max(size) > _MAX_PX:
        raise ValueError(f"{name} has no focal length")
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > 0.01 or np.linalg.det(rotation) < 0:
        raise ValueError(f"{name} has no rotation")
    lens = Intrinsics(float(k[0, 0]), float(k[1, 1]), float(k[0, 2]), float(k[1, 2]), "given")
    farthest = np.hypot(k[0, 2] / k[0, 0], k[1, 2] / k[1, 1])
    return Camera(name, size, lens, rotation, translation, _of_four(values, float(farthest)))


def _of_four(distortion: Floats, farthest: float) -> Floats:
    """Distortion k1, k2, p1, p2, k3 without k3: k1 and k2 that come nearest to it.

    They minimise Σ (k1' r³ + k2' r⁵ - k1 r³ - k2 r⁵ - k3 r⁷)² for radii r up to `farthest`, x/z.
    """
    k1, k2, p1, p2, k3 = distortion
    if k3:
        r = np.linspace(0, farthest, 50)
        more, *_ = np.linalg.lstsq(np.stack([r**3, r**5], 1), k3 * r**7, rcond=None)
        k1, k2 = k1 + more[0], k2 + more[1]
    return np.array([k1, k2, p1, p2])


def rotation_matrix(values: Any) -> Floats:
    """(3, 3) of Rodrigues' vector (3,), or of a matrix (3, 3)."""
    numbers = np.array(values, float)
    if numbers.size == 9:
        return numbers.reshape(3, 3)
    return np.asarray(Rotation.from_rotvec(numbers.reshape(3)).as_matrix())


def rotation_vector(rotation: Floats) -> Floats:
    """Rodrigues' vector (3,) of a rotation (3, 3)."""
    return np.asarray(Rotation.from_matrix(rotation).as_rotvec())
