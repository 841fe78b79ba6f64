"""Pixels ↔ network coordinates. A checkpoint names the way it was trained with.

`screen`, VideoPose3D's: x spans [-1, 1] across the picture, y has the same unit. Position and size
of a person in the frame reach the network.

`person`: a virtual camera looks straight at the person's torso at the frame to be lifted; every
frame of the window is centred on its torso and the window scaled to unit size. Position and size
in the frame no longer matter, and the perspective of people far off the picture's middle is undone
instead of learned.
"""

from typing import Any

import torch
from torch import Tensor

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


def person_windows(rays: Tensor, confidence: Tensor, centre_frame: int) -> tuple[Tensor, Tensor]:
    """Normalise windows of keypoints around the person.

    Size and centre are those of COCO-17's keypoints, whether feet are seen or not.

    Args:
        rays: (B, T, K, 2) x/z and y/z in camera axes, NaN where nothing is known; the first 17 are
            COCO-17's.
        confidence: (B, T, K) in 0…1, 0 where a keypoint was not observed. A position that was
            filled in there still helps to find the torso.
        centre_frame: Index in the window of the frame to be lifted.

    Returns:
        Network input (B, T, K + 1, 3) and the rotation (B, 3, 3) from camera to virtual camera
        axes. The first K rows are x, y, confidence; the last is the torso's path in x and y and the
        logarithm of the person's angular size, on which the strength of the perspective depends.
    """
    rotation = look_at(_torso_centre(rays[:, centre_frame : centre_frame + 1])[:, 0])
    # (B, 1, 1, 3, 3); R (x, y, 1)ᵀ written out is faster than a batched product
    columns = rotation.transpose(1, 2)[:, None, None]
    turned = (
        rays[..., :1] * columns[..., 0, :] + rays[..., 1:] * columns[..., 1, :] + columns[..., 2, :]
    )
    points = turned[..., :2] / turned[..., 2:].clamp(min=_MIN_DEPTH)
    torso = _torso_centre(points)  # (B, T, 2)
    observed = (confidence > 0).to(points.dtype)[..., None]  # (B, T, K, 1)
    centred = (points - torso[:, :, None]).nan_to_num(0.0) * observed
    # Root mean square distance of observed keypoints from the torso, over the window: (B,)
    body = slice(len(COCO_17))
    variance = centred[:, :, body].square().sum((1, 2, 3))
    variance = variance / observed[:, :, body].sum((1, 2, 3)).clamp(min=1)
    size = variance.sqrt().clamp(min=1e-4)
    confidence = confidence.clamp(max=_MAX_CONFIDENCE)
    frames = torch.cat([centred / size[:, None, None, None], confidence[..., None]], -1)
    path = torso.nan_to_num(0.0) * (_MOTION_SCALE / size[:, None, None])
    angular = (size.log() + _ANGULAR_SHIFT)[:, None, None].expand(-1, torso.shape[1], 1)
    motion = torch.cat([path, angular], -1)[:, :, None]  # (B, T, 1, 3)
    return torch.cat([frames, motion], 2), rotation


def flip_person_windows(windows: Tensor, skeleton: Skeleton) -> Tensor:
    """Mirror network input (B, T, K + 1, 3): x negated, left and right swapped."""
    flipped = windows[:, :, [*skeleton.flip_order, len(skeleton)]]
    flipped[..., 0] *= -1
    return flipped


def tilted(values: Tensor, angle_rad: Tensor | float) -> Tensor:
    """Turn values as a camera does that rolls about its own axis.

    Args:
        values: Points (…, 2), network input or joints (…, 3 or more).
        angle_rad: Angle from x towards y, radians; a scalar, or one that broadcasts to (…).

    Returns:
        The values with x and y turned, the rest as it is.
    """
    angle = torch.as_tensor(angle_rad)
    c, s = angle.cos(), angle.sin()
    x, y = values[..., 0], values[..., 1]
    return torch.cat([torch.stack([c * x - s * y, s * x + c * y], -1), values[..., 2:]], -1)


def flip_joints(joints: Array, skeleton: Skeleton) -> Array:
    """Mirror joints or keypoints (…, K, D): x negated, left and right swapped, the rest kept."""
    flipped = joints[..., skeleton.flip_order, :]
    flipped[..., 0] *= -1
    return flipped


def _torso_centre(points: Tensor) -> Tensor:
    """(B, T, K, 2) → (B, T, 2): mean of known shoulders and hips, else of all known keypoints."""
    centre = points[:, :, COCO_17.indices(_TORSO)].nanmean(2)
    return torch.where(centre.isnan(), points[:, :, : len(COCO_17)].nanmean(2), centre)


def look_at(direction: Tensor) -> Tensor:
    """Rotations that pan, then tilt a camera onto rays, without roll.

    Args:
        direction: (B, 2) x/z and y/z of the rays; NaN is taken for straight ahead.

    Returns:
        (B, 3, 3) from the old axes to the new: rows are the new x, y and z axis.
    """
    x, y = direction.nan_to_num(0.0).unbind(-1)
    horizontal = (1 + x * x).sqrt()
    length = (1 + x * x + y * y).sqrt()
    zero = torch.zeros_like(x)
    right = torch.stack([1 / horizontal, zero, -x / horizontal], -1)
    forward = torch.stack([x / length, y / length, 1 / length], -1)
    down = torch.linalg.cross(forward, right)
    return torch.stack([right, down, forward], -2)
