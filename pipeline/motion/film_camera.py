"""Where the camera stood in the world: the rigid motion from a result's camera space to it."""

from dataclasses import dataclass

import numpy as np

from core.rotations import aligning_rotation
from core.types import Floats

_SECONDS_ALIKE = 0.5  # of a moving camera, for which it is taken to stand still


@dataclass(frozen=True)
class FilmCamera:
    """Camera poses: rotation (N, 3, 3) takes camera axes to world axes, position (N, 3) metres."""

    rotation: Floats
    position: Floats


def rigid_motion(points: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Rotation R and translation t that minimise Σ |R p + t - q|².

    Args:
        points: p (N, 3).
        targets: q (N, 3).

    Returns:
        (3, 3) and (3,).
    """
    middle, target = points.mean(0), targets.mean(0)
    rotation = aligning_rotation(points - middle, targets - target)
    return rotation, target - rotation @ middle


def film_camera(
    camera_m: Floats, world_m: Floats, times_s: Floats, is_moving: bool
) -> FilmCamera | None:
    """Find the camera from joints that are known in its space and in the world.

    Grounding moves joints by centimetres besides turning them into the world, so the camera is the
    one that fits best over the whole clip, or, where it moves, over half a second.

    Args:
        camera_m: (R, J, 3) metres, camera axes, from the camera; NaN = unknown.
        world_m: (R, J, 3) the same joints in the world.
        times_s: (R,) seconds, rising.
        is_moving: Whether the camera travels.

    Returns:
        One pose, or one for each `times_s` of a moving camera; None where nobody's position is
        known.
    """
    known = np.isfinite(camera_m).all((1, 2)) & np.isfinite(world_m).all((1, 2))
    if not known.any():
        return None
    if not is_moving:
        rotation, position = rigid_motion(
            camera_m[known].reshape(-1, 3), world_m[known].reshape(-1, 3)
        )
        return FilmCamera(rotation[None], position[None])
    known_s = times_s[known]
    points, targets = camera_m[known], world_m[known]
    rotations, positions = np.zeros((len(times_s), 3, 3)), np.zeros((len(times_s), 3))
    for row, time_s in enumerate(times_s):
        start, stop = np.searchsorted(known_s, [time_s - _SECONDS_ALIKE, time_s + _SECONDS_ALIKE])
        nearest = min(int(np.searchsorted(known_s, time_s)), len(known_s) - 1)
        near = slice(start, stop) if start < stop else slice(nearest, nearest + 1)
        rotations[row], positions[row] = rigid_motion(
            points[near].reshape(-1, 3), targets[near].reshape(-1, 3)
        )
    return FilmCamera(rotations, positions)
