"""Pixels ↔ network coordinates. A checkpoint names the way it was trained with.

`screen`, VideoPose3D's: x spans [-1, 1] across the picture, y has the same unit. Position and size
of a person in the frame reach the network.

`person`: a virtual camera looks straight at the person's torso at the frame to be lifted; every
frame of the window is centred on its torso and the window scaled to unit size. Position and size
in the frame no longer matter, and the perspective of people far off the picture's middle is undone
instead of learned.
"""

import math
import sys
from typing import Any

import numpy as np

from core.skeletons import COCO_17, Skeleton

NORMALIZATIONS = ("screen", "person")

Array = Any  # numpy or torch, as for core.camera

_TORSO = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
_MOTION_SCALE = 0.25  # brings the torso's path, several body sizes long, to the other inputs' range
_MAX_CONFIDENCE = 0.95  # how far beyond that confidences go is a detector's habit, not evidence
_MIN_DEPTH = 0.05  # z of a ray in the virtual camera: beyond 87° off its axis nothing is visible
_ANGULAR_SHIFT = 2.0  # brings the log of the angular size of a person at 4 m to about 0


def screen_from_pixels(points: Array, width: float, height: float) -> Array:
    """Bring pixels to [-1, 1] across the picture (VideoPose3D, `normalize_screen_coordinates`).

    Args:
        points: (…, 2) px.
        width, height: The picture's size, px.

    Returns:
        (…, 2): x in [-1, 1], y in [-height / width, height / width].
    """
    scaled = points / width * 2
    scaled[..., 0] -= 1
    scaled[..., 1] -= height / width
    return scaled


def pixels_from_screen(points: Array, width: float, height: float) -> Array:
    """The inverse of `screen_from_pixels`."""
    shifted = points + 0.0
    shifted[..., 0] += 1
    shifted[..., 1] += height / width
    return shifted * width / 2


def person_windows(
    rays: Array, confidence: Array, centre_frame: int, roll_rad: float = 0.0
) -> tuple[Array, Array]:
    """Normalise windows of keypoints around the person.

    Size and centre are those of COCO-17's keypoints, whether feet are seen or not.

    Args:
        rays: (B, T, K, 2) x/z and y/z in camera axes, NaN where nothing is known; the first 17 are
            COCO-17's.
        confidence: (B, T, K) in 0…1, 0 where a keypoint was not observed. A position that was
            filled in there still helps to find the torso.
        centre_frame: Index in the window of the frame to be lifted.
        roll_rad: By how much the virtual camera rolls about its axis; its picture turns by as much
            from x towards y.

    Returns:
        Network input (B, T, K + 1, 3) and the rotation (B, 3, 3) from camera to virtual camera
        axes. The first K rows are x, y, confidence; the last is the torso's path in x and y and the
        logarithm of the person's angular size, on which the strength of the perspective depends.
    """
    xp = _library(rays)
    x, y = rays[..., 0], rays[..., 1]  # (B, T, K)
    middle = slice(centre_frame, centre_frame + 1)
    towards = [_torso_centre(axis[:, middle])[:, 0] for axis in (x, y)]
    rotation = look_at(xp.stack(towards, -1), roll_rad)
    entries = rotation[:, :, :, None, None]  # of R, (B, 3, 3, 1, 1)
    # R (x, y, 1)ᵀ, divided by its z
    turned = [entries[:, i, 0] * x + entries[:, i, 1] * y + entries[:, i, 2] for i in range(3)]
    depth = xp.clip(turned[2], _MIN_DEPTH, None)
    points = [turned[0] / depth, turned[1] / depth]
    torso = [_torso_centre(axis) for axis in points]  # (B, T) each
    observed = confidence > 0
    offsets = [axis - centre[..., None] for axis, centre in zip(points, torso, strict=True)]
    known = observed & ~xp.isnan(offsets[0])
    centred = [xp.where(known, axis, 0.0) for axis in offsets]
    # Root mean square distance of observed keypoints from the torso, over the window: (B,)
    body = slice(len(COCO_17))
    variance = sum((axis[..., body] ** 2).sum((1, 2)) for axis in centred)
    size = (variance / xp.clip(observed[..., body].sum((1, 2)), 1, None)) ** 0.5
    size = xp.clip(size, 1e-4, None)[:, None, None]
    windows = _empty(rays, (*x.shape[:2], x.shape[2] + 1, 3))
    for i in range(2):
        windows[:, :, :-1, i] = centred[i] / size
        windows[:, :, -1, i] = xp.nan_to_num(torso[i]) * (_MOTION_SCALE / size[..., 0])
    windows[:, :, :-1, 2] = xp.clip(confidence, None, _MAX_CONFIDENCE)
    windows[:, :, -1, 2] = xp.log(size[..., 0]) + _ANGULAR_SHIFT
    return windows, rotation


def flip_person_windows(windows: Array, skeleton: Skeleton) -> Array:
    """Mirror network input (B, T, K + 1, 3): x negated, left and right swapped."""
    flipped = windows[:, :, [*skeleton.flip_order, len(skeleton)]]
    flipped[..., 0] *= -1
    return flipped


def tilted(values: Array, angle_rad: Array | float) -> Array:
    """Turn values as a camera does that rolls about its own axis.

    Args:
        values: Points (…, 2), network input or joints (…, 3 or more).
        angle_rad: Angle from x towards y, radians; a scalar, or one that broadcasts to (…).

    Returns:
        The values with x and y turned, the rest as it is.
    """
    xp = _library(values)
    of = math if isinstance(angle_rad, float) else xp
    c, s = of.cos(angle_rad), of.sin(angle_rad)
    x, y = values[..., 0], values[..., 1]
    turned = xp.stack([c * x - s * y, s * x + c * y], -1)
    return xp.concatenate([turned, values[..., 2:]], -1)


def flip_joints(joints: Array, skeleton: Skeleton) -> Array:
    """Mirror joints or keypoints (…, K, D): x negated, left and right swapped, the rest kept."""
    flipped = joints[..., skeleton.flip_order, :]
    flipped[..., 0] *= -1
    return flipped


def look_at(direction: Array, roll_rad: float = 0.0) -> Array:
    """Rotations that pan, then tilt a camera onto rays, then roll it about its axis.

    Args:
        direction: (B, 2) x/z and y/z of the rays; NaN is taken for straight ahead.
        roll_rad: As for `person_windows`.

    Returns:
        (B, 3, 3) from the old axes to the new: rows are the new x, y and z axis.
    """
    xp = _library(direction)
    known = xp.nan_to_num(direction)
    x, y = known[:, 0], known[:, 1]
    horizontal, length = (1 + x * x) ** 0.5, (1 + x * x + y * y) ** 0.5
    right = 1 / horizontal, 0 * x, -x / horizontal
    forward = x / length, y / length, 1 / length
    down = [forward[i] * right[j] - forward[j] * right[i] for i, j in ((1, 2), (2, 0), (0, 1))]
    c, s = math.cos(roll_rad), math.sin(roll_rad)
    axes = (
        *(c * a - s * b for a, b in zip(right, down, strict=True)),
        *(s * a + c * b for a, b in zip(right, down, strict=True)),
        *forward,
    )
    return xp.stack(axes, -1).reshape(-1, 3, 3)


def _torso_centre(values: Array) -> Array:
    """(B, T, K) → (B, T): mean of known shoulders and hips, else of all known keypoints."""
    xp = _library(values)
    torso = COCO_17.indices(_TORSO)
    centre = sum(values[..., joint] for joint in torso) / len(torso)
    for joints in (torso, range(len(COCO_17))):
        missing = xp.isnan(centre)
        if not missing.any():
            break
        centre[missing] = _mean_of_known(values[missing][..., joints])
    return centre


def _mean_of_known(values: Array) -> Array:
    """The mean over the last axis of what is not NaN; NaN where all is."""
    xp = _library(values)
    known = ~xp.isnan(values)
    count = known.sum(-1)
    total = xp.where(known, values, 0.0).sum(-1)
    return xp.where(count > 0, total / xp.clip(count, 1, None), math.nan)


def _library(values: Array) -> Any:
    """numpy or torch, whichever an array is of; torch is loaded where its tensors are."""
    return np if isinstance(values, np.ndarray) else sys.modules["torch"]


def _empty(like: Array, shape: tuple[int, ...]) -> Array:
    """An array of the kind of another, not filled."""
    return np.empty(shape, like.dtype) if isinstance(like, np.ndarray) else like.new_empty(shape)
