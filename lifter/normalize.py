"""Pixels ↔ network coordinates. A checkpoint names the way it was trained with, one of `NORMALIZATIONS`.

`screen`, VideoPose3D's: x spans [-1, 1] across the picture, y the same unit. Where and how large a person is in the
frame reaches the network.

`person`: each window of frames is seen by a virtual camera that looks straight at the person's torso at the frame to be
lifted; every frame is centred on its torso and the window scaled to unit size. Place and size in the frame no longer
matter, and the perspective of people far off the picture's middle is undone instead of learned.
"""

from typing import Any

import torch
from torch import Tensor

from core.skeletons import COCO_17, Skeleton

NORMALIZATIONS = ("screen", "person")

Array = Any  # numpy or torch, as for core.camera

_TORSO = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
_MOTION_SCALE = (
    0.25  # keeps the torso's path, several body sizes long, in the range of the other inputs
)
_SURE = 0.95  # how much surer than that a detector claims to be depends on the detector, not on what it saw
_MIN_DEPTH = (
    0.05  # of a ray turned into the virtual camera; beyond 87° off its axis there is nothing to see
)


def screen_from_pixels(points: Array, width: float, height: float) -> Array:
    """(…, 2) px → (…, 2): x to [-1, 1], y to [-h/w, h/w] (VideoPose3D, `normalize_screen_coordinates`)."""
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
    """Normalise windows of COCO-17 keypoints around the person.

    `rays` (B, T, 17, 2) are x/z and y/z in camera axes, NaN where nothing is known; `confidence` (B, T, 17) in 0…1, 0
    where a keypoint was not observed (a filled-in place still helps to find the torso). Returns network input
    (B, T, 18, 3) and `rotation` (B, 3, 3) from camera to virtual camera axes. The first 17 rows are x, y, confidence;
    the last is the torso's path in x and y and the logarithm of the person's angular size, which tells how strong the
    perspective is.
    """
    rotation = look_at(_torso_centre(rays[:, centre_frame : centre_frame + 1])[:, 0])
    columns = rotation.transpose(1, 2)[
        :, None, None
    ]  # (B, 1, 1, 3, 3); written out it beats a batched product
    turned = (
        rays[..., :1] * columns[..., 0, :] + rays[..., 1:] * columns[..., 1, :] + columns[..., 2, :]
    )
    points = turned[..., :2] / turned[..., 2:].clamp(min=_MIN_DEPTH)
    torso = _torso_centre(points)  # (B, T, 2)
    seen = (confidence > 0).to(points.dtype)[..., None]  # (B, T, 17, 1)
    centred = (points - torso[:, :, None]).nan_to_num(0.0) * seen
    size = (
        (centred.square().sum((1, 2, 3)) / seen.sum((1, 2, 3)).clamp(min=1)).sqrt().clamp(min=1e-4)
    )  # (B,)
    frames = torch.cat(
        [centred / size[:, None, None, None], confidence.clamp(max=_SURE)[..., None]], -1
    )
    path = torso.nan_to_num(0.0) * (_MOTION_SCALE / size[:, None, None])
    angular = (size.log() + 2.0)[:, None, None].expand(
        -1, torso.shape[1], 1
    )  # a person at 4 m gives about 0
    motion = torch.cat([path, angular], -1)[:, :, None]
    return torch.cat([frames, motion], 2), rotation


def flip_person_windows(windows: Tensor) -> Tensor:
    """Network input (B, T, 18, 3) of the mirrored person."""
    flipped = windows[:, :, [*COCO_17.flip_order, len(COCO_17)]]
    flipped[..., 0] *= -1
    return flipped


def tilted(values: Tensor, angle_rad: Tensor | float) -> Tensor:
    """Points, network input or joints (…, 2 or 3) as seen by a camera turned about its own axis: x towards y."""
    angle = torch.as_tensor(angle_rad)
    c, s = angle.cos(), angle.sin()
    x, y = values[..., 0], values[..., 1]
    return torch.cat([torch.stack([c * x - s * y, s * x + c * y], -1), values[..., 2:]], -1)


def flip_joints(joints: Array, skeleton: Skeleton) -> Array:
    """(…, K, D) → the mirrored person: x negated, left and right swapped."""
    flipped = joints[..., skeleton.flip_order, :]
    flipped[..., 0] *= -1
    return flipped


def _torso_centre(points: Tensor) -> Tensor:
    """(B, T, 17, 2) → (B, T, 2): the mean of shoulders and hips that are known, else of all known keypoints."""
    centre = points[:, :, COCO_17.indices(_TORSO)].nanmean(2)
    return torch.where(centre.isnan(), points.nanmean(2), centre)


def look_at(direction: Tensor) -> Tensor:
    """(B, 2) x/z and y/z → (B, 3, 3) rotations that pan, then tilt the camera onto that ray, without roll."""
    x, y = direction.nan_to_num(0.0).unbind(-1)
    horizontal = (1 + x * x).sqrt()
    length = (1 + x * x + y * y).sqrt()
    zero = torch.zeros_like(x)
    right = torch.stack([1 / horizontal, zero, -x / horizontal], -1)
    forward = torch.stack([x / length, y / length, 1 / length], -1)
    down = torch.linalg.cross(forward, right)
    return torch.stack([right, down, forward], -2)
