"""Average a detector's own 3D with the lifter's.

One network errs by what it reads into a picture, the other by what it reads into a movement; the
two errors are nearly independent.
"""

import numpy as np

from core.lazy_scipy import ndimage
from core.skeletons import FOOT_BONES, H36M_17, H36M_21, Skeleton
from core.types import Floats
from lifter.reprojection import LIMBS_IN, LIMBS_OUT

DETECTOR_SHARE = 0.2
"""Weight of the detector's 3D in frames that have it."""

_SMOOTHING_FRAMES = 3.0  # standard deviation: a detector's 3D is made frame by frame and jitters
_FADE_FRAMES = 9  # over which the detector's weight rises and falls, so that joints do not jump
_SHOULDERS = H36M_17.indices(("l_shoulder", "r_shoulder"))
_ABOVE = H36M_17.indices(("thorax", "neck_base", "head_top"))
_SPINE = H36M_17.index("spine")


def fuse(
    joints_m: Floats,
    detector_m: Floats,
    share: float = DETECTOR_SHARE,
    skeleton: Skeleton = H36M_17,
) -> Floats:
    """Average lifted joints with a detector's 3D, limb joint by limb joint.

    With w a frame's weight, x a lifted joint, d the detector's, smoothed, and s = median |x| /
    median |d| over the limbs, which keeps the lifter's size:

        x ← x + w (s d - x)

    Spine, neck and head follow hips and shoulders, feet their ankles: detectors have other points
    there.

    Args:
        joints_m: (T, J, 3) lifted joints (H36M_17 or H36M_21), metres from the pelvis, camera axes.
        detector_m: (T, K, 3) the detector's points (COCO_17 or COCO_21), metres, camera axes; NaN
            in frames without 3D, which stay as lifted.
        share: Weight w of the detector's 3D, away from frames without it.
        skeleton: The lifted joints'.

    Returns:
        (T, J, 3) averaged joints, metres from the pelvis.
    """
    available = ~np.isnan(detector_m[:, LIMBS_IN].sum((1, 2)))
    if not available.any():
        return joints_m
    detected = np.where(available[:, None, None], detector_m[:, LIMBS_IN], 0.0)
    hips = [LIMBS_OUT.index(H36M_17.index(name)) for name in ("l_hip", "r_hip")]
    detected = detected - detected[:, hips].mean(1, keepdims=True)

    # d: normalised convolution, so that frames without 3D count for nothing
    mass = ndimage.gaussian_filter1d(available.astype(float), _SMOOTHING_FRAMES)
    smoothed = ndimage.gaussian_filter1d(detected, _SMOOTHING_FRAMES, axis=0)
    detected = smoothed / np.maximum(mass, 1e-9)[:, None, None]

    # s: mean distance of the limbs from the pelvis, median over frames
    detected_radius = np.linalg.norm(detected, axis=-1).mean(1)
    lifted_radius = np.linalg.norm(joints_m[:, LIMBS_OUT], axis=-1).mean(1)
    scale = np.median(lifted_radius[available]) / np.median(detected_radius[available])

    # w: a ramp that is 0 in every frame without 3D
    inside = ndimage.minimum_filter1d(available.astype(float), _FADE_FRAMES)
    weight = share * ndimage.uniform_filter1d(inside, _FADE_FRAMES)

    fused = joints_m.copy()
    fused[:, LIMBS_OUT] += weight[:, None, None] * (detected * scale - joints_m[:, LIMBS_OUT])
    shift = (fused[:, _SHOULDERS] - joints_m[:, _SHOULDERS]).mean(1)
    fused[:, _ABOVE] += shift[:, None]
    fused[:, _SPINE] += shift / 2
    for ankle, joint in FOOT_BONES if skeleton == H36M_21 else ():
        fused[:, joint] += fused[:, ankle] - joints_m[:, ankle]
    return fused
