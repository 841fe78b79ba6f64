"""A detector's own 3D and the lifter's, averaged: one errs by what it takes a picture for, the other by what it takes a
movement for, and the two errors have little to do with each other."""

import numpy as np
from scipy.ndimage import gaussian_filter1d, minimum_filter1d, uniform_filter1d

from core.skeletons import H36M_17
from core.types import Floats
from lifter.reprojection import LIMBS_IN, LIMBS_OUT

DETECTOR_SHARE = 0.2
"""Weight of the detector's 3D where it is there."""

_CALM_FRAMES = (
    3.0  # spread of the smoothing of the detector's 3D, which is made frame by frame and trembles
)
_FADE_FRAMES = 9  # over which the detector's share comes and goes, so that joints do not jump
_SHOULDERS = H36M_17.indices(("l_shoulder", "r_shoulder"))
_ABOVE = H36M_17.indices(("thorax", "neck_base", "head_top"))
_SPINE = H36M_17.index("spine")


def fuse(joints_m: Floats, detector_m: Floats, share: float = DETECTOR_SHARE) -> Floats:
    """Average lifted joints (T, 17, 3) with a detector's COCO-17 points (T, 17, 3), both metres in camera axes.

    Both are brought to the same size first (mean distance of limb joints from the pelvis); the size stays the lifter's.
    Frames in which the detector has no 3D (NaN) are the lifter's alone. Spine, neck and head, which detectors do not
    place alike, follow hips and shoulders.
    """
    there = ~np.isnan(detector_m[:, LIMBS_IN].sum((1, 2)))
    if not there.any():
        return joints_m
    theirs = np.where(there[:, None, None], detector_m[:, LIMBS_IN], 0.0)
    hips = [LIMBS_OUT.index(H36M_17.index(name)) for name in ("l_hip", "r_hip")]
    theirs = theirs - theirs[:, hips].mean(1, keepdims=True)
    near = gaussian_filter1d(there.astype(float), _CALM_FRAMES)
    theirs = gaussian_filter1d(theirs, _CALM_FRAMES, axis=0) / np.maximum(near, 1e-9)[:, None, None]
    radius = np.linalg.norm(theirs, axis=-1).mean(1)
    own_radius = np.linalg.norm(joints_m[:, LIMBS_OUT], axis=-1).mean(1)
    size = np.median(own_radius[there]) / np.median(radius[there])
    weight = share * uniform_filter1d(
        minimum_filter1d(there.astype(float), _FADE_FRAMES), _FADE_FRAMES
    )
    fused = joints_m.copy()
    fused[:, LIMBS_OUT] += weight[:, None, None] * (theirs * size - joints_m[:, LIMBS_OUT])
    moved = (fused[:, _SHOULDERS] - joints_m[:, _SHOULDERS]).mean(1)
    fused[:, _ABOVE] += moved[:, None]
    fused[:, _SPINE] += moved / 2
    return fused
