"""A detector's own 3D and the lifter's, averaged: one errs by what it takes a picture for, the other by what it takes a
movement for, and the two errors have little to do with each other."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d, minimum_filter1d, uniform_filter1d
from torch import Tensor

from core.skeletons import COCO_17, H36M_17
from core.types import Floats
from lifter.normalize import flip_joints, flip_person_windows, person_windows

DETECTOR_SHARE = 0.5
"""Weight of the detector's 3D where it is there."""

_CALM_FRAMES = 3.0  # spread of the smoothing of the detector's 3D, which is made frame by frame and trembles
_FADE_FRAMES = 9  # over which the detector's share comes and goes, so that joints do not jump
_SIDES = (("l", "left"), ("r", "right"))
_LIMBS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
_OURS = H36M_17.indices(tuple(f"{ours}_{limb}" for ours, _ in _SIDES for limb in _LIMBS))
_THEIRS = COCO_17.indices(tuple(f"{theirs}_{limb}" for _, theirs in _SIDES for limb in _LIMBS))
_SHOULDERS = H36M_17.indices(("l_shoulder", "r_shoulder"))
_ABOVE = H36M_17.indices(("thorax", "neck_base", "head_top"))
_SPINE = H36M_17.index("spine")


def fuse(joints_m: Floats, detector_m: Floats, share: float = DETECTOR_SHARE) -> Floats:
    """Average lifted joints (T, 17, 3) with a detector's COCO-17 points (T, 17, 3), both metres in camera axes.

    Both are brought to the same size first (mean distance of limb joints from the pelvis); the size stays the lifter's.
    Frames in which the detector has no 3D (NaN) are the lifter's alone. Spine, neck and head, which detectors do not
    place alike, follow hips and shoulders.
    """
    there = ~np.isnan(detector_m[:, _THEIRS].sum((1, 2)))
    if not there.any():
        return joints_m
    theirs = np.where(there[:, None, None], detector_m[:, _THEIRS], 0.0)
    hips = [_OURS.index(H36M_17.index(name)) for name in ("l_hip", "r_hip")]
    theirs = theirs - theirs[:, hips].mean(1, keepdims=True)
    near = gaussian_filter1d(there.astype(float), _CALM_FRAMES)
    theirs = gaussian_filter1d(theirs, _CALM_FRAMES, axis=0) / np.maximum(near, 1e-9)[:, None, None]
    radius = np.linalg.norm(theirs, axis=-1).mean(1)
    own_radius = np.linalg.norm(joints_m[:, _OURS], axis=-1).mean(1)
    size = np.median(own_radius[there]) / np.median(radius[there])
    weight = share * uniform_filter1d(minimum_filter1d(there.astype(float), _FADE_FRAMES), _FADE_FRAMES)
    fused = joints_m.copy()
    fused[:, _OURS] += weight[:, None, None] * (theirs * size - joints_m[:, _OURS])
    moved = (fused[:, _SHOULDERS] - joints_m[:, _SHOULDERS]).mean(1)
    fused[:, _ABOVE] += moved[:, None]
    fused[:, _SPINE] += moved / 2
    return fused


FUSION_ROWS = len(COCO_17) + 1 + len(H36M_17) + len(COCO_17) + 1
"""Rows of three numbers in a frame of the fusion network's input."""

_OF_COCO = H36M_17.indices(
    ("head_top",) * 5 + tuple(f"{side}_{limb}" for limb in _LIMBS[3:] + _LIMBS[:3] for side, _ in _SIDES)
)  # where a detector's points are taken to be when it has none: faces at the head's top


def fusion_windows(
    rays: Tensor, confidence: Tensor, joints: Tensor, points: Tensor, centre_frame: int
) -> tuple[Tensor, Tensor, Tensor]:
    """What the fusion network sees of windows (B, T, …) of one person.

    `rays` and `confidence` as for `person_windows`; lifted `joints` (B, T, 17, 3) and a detector's COCO-17 `points`
    (B, T, 17, 3), both metres in camera axes from the pelvis, `points` NaN where it has none. Returns the input
    (B, T, FUSION_ROWS, 3), the lifted joints of the centre frame that its output is to be added to (B, 17, 3), both in
    units of the person's radius and the virtual camera's axes, and what takes those back: (B, 3, 3) radius times
    rotation, to be multiplied from the right.
    """
    windows, rotation = person_windows(rays, confidence, centre_frame)
    there = ~points.isnan().flatten(2).any(2)  # (B, T)
    known = there[..., None, None]
    hips = points[:, :, COCO_17.indices(("left_hip", "right_hip"))].mean(2, keepdim=True)
    points = torch.where(known, points - hips, 0.0)
    own_radius, radius = (_radius(joints[:, :, _OURS]), _radius(points[:, :, _THEIRS]))
    size = own_radius.mean(1)[:, None, None, None]
    scale = radius.sum(1) / there.sum(1).clamp(min=1)
    points = points / scale.clamp(min=1e-4)[:, None, None, None]
    joints = joints / size
    points = torch.where(known, points, joints[:, :, _OF_COCO])
    turn = rotation.transpose(1, 2)[:, None]
    flag = there.to(joints.dtype)[..., None, None].expand(-1, -1, 1, 3)
    inputs = torch.cat([windows, joints @ turn, points @ turn, flag], 2)
    return inputs, joints[:, centre_frame] @ turn[:, 0], rotation * size[..., 0]


def flip_fusion_windows(inputs: Tensor) -> Tensor:
    """Input (B, T, FUSION_ROWS, 3) of the mirrored person."""
    windows, joints, points, flag = torch.split(inputs, [len(COCO_17) + 1, len(H36M_17), len(COCO_17), 1], 2)
    return torch.cat(
        [flip_person_windows(windows), flip_joints(joints, H36M_17), flip_joints(points, COCO_17), flag], 2
    )


def _radius(limbs: Tensor) -> Tensor:
    """(B, T, 12, 3) → (B, T): mean distance from the pelvis."""
    distances: Tensor = torch.linalg.vector_norm(limbs, dim=-1)
    return distances.mean(-1)
