"""Joints and the picture they were lifted from: where the pelvis must be, and where the limbs are seen."""

import numpy as np
from scipy.linalg import solveh_banded
from scipy.ndimage import gaussian_filter1d

from core.camera import pixels_to_rays
from core.skeletons import COCO_17, H36M_17
from core.types import Floats, Intrinsics, LifterInput
from lifter.bones import bone_lengths, bone_spans

_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
LIMBS_IN = COCO_17.indices(tuple(f"{side}_{limb}" for side in ("left", "right") for limb in _LIMBS))
"""Keypoints that lie on joints of `LIMBS_OUT`, in the same order."""
LIMBS_OUT = H36M_17.indices(tuple(f"{side}_{limb}" for side in ("l", "r") for limb in _LIMBS))

_KEYPOINT_ERROR_M = 0.03  # how far a keypoint lies from its joint, seen at the person
_ACCELERATION_M_S2 = 3.0  # what a pelvis does without effort; above it, the 2D must insist

# Standard deviations, metres, by which `fit_keypoints` weighs what it is told.
_SEEN_M = 0.02  # a keypoint, from where its joint is seen
_WANDERING = 4.0  # by how much more a keypoint is off for long than it trembles
_ASTRAY_M = 0.1  # beyond this the detector means something else (Geman and McClure, 1987)
_BONE_M = 0.04  # a lifted bone, in each direction
_LENGTH_M = 0.025  # the length of a bone, from its usual one
_PELVIS_M = 0.15  # the pelvis, from where it was put
_CALM_S = 0.07  # spread of the smoothing of what keypoints say against the joints: they tremble
_ROUNDS = 3  # of Gauss-Newton: lengths are not linear


def root_trajectory(joints_m: Floats, sequence: LifterInput, intrinsics: Intrinsics) -> Floats:
    """The pelvis in camera space, (T, 3) metres: where `joints_m` (T, 17, 3) must stand to be seen at the keypoints.

    A joint X at root t is seen along the ray u when X + t = z · (u, 1), which is linear in t. Least squares over the
    limbs of all frames, weighted by score, with a penalty on acceleration that keeps depth steady under noise and
    carries the path through frames in which nothing was seen. One banded system of normal equations.
    """
    rays = pixels_to_rays(np.nan_to_num(sequence.keypoints[:, LIMBS_IN]), intrinsics)  # (T, 12, 2)
    limbs = joints_m[:, LIMBS_OUT]
    weight = np.nan_to_num(sequence.scores[:, LIMBS_IN]) / _KEYPOINT_ERROR_M**2
    if not weight.any():
        return np.full((len(joints_m), 3), np.nan)
    u, v = rays[..., 0], rays[..., 1]
    off_x, off_y = (
        u * limbs[..., 2] - limbs[..., 0],
        v * limbs[..., 2] - limbs[..., 1],
    )  # = tx - u tz, ty - v tz
    total, wu, wv = weight.sum(1), (weight * u).sum(1), (weight * v).sum(1)
    wuv = (weight * (u * u + v * v)).sum(1)
    right = np.stack([
        (weight * off_x).sum(1),
        (weight * off_y).sum(1),
        -(weight * (u * off_x + v * off_y)).sum(1),
    ], 1)  # fmt: skip
    frames = len(joints_m)
    band = np.zeros(
        (7, 3 * frames)
    )  # lower form: band[d, j] = A[j + d, j]; frames two apart are 6 unknowns apart
    band[0, 0::3], band[0, 1::3], band[0, 2::3] = total, total, wuv
    band[2, 0::3], band[1, 1::3] = -wu, -wv
    stiffness = (sequence.fps**2 / _ACCELERATION_M_S2) ** 2
    difference = (1.0, -2.0, 1.0)
    for i in range(3):
        for j in range(i + 1):
            columns = slice(3 * j, 3 * (j + max(frames - 2, 0)))
            band[3 * (i - j), columns] += stiffness * difference[i] * difference[j]
    band[0] += 1e-9 * band[0].max()  # a person seen as one point has no depth
    return np.asarray(solveh_banded(band, right.ravel(), lower=True)).reshape(frames, 3)


def fit_keypoints(
    joints_m: Floats, root_m: Floats, sequence: LifterInput, intrinsics: Intrinsics
) -> tuple[Floats, Floats]:
    """Lifted joints (T, 17, 3) and pelvis (T, 3), metres in camera space, brought nearer to what was seen; as given.

    A network that meets a pose it does not know answers with one that it does, and the picture tells. In each frame
    the likeliest body is sought, given how far keypoints, lifted bones and usual lengths of bones are to be trusted.
    Joints hang together as a tree, so its normal equations are solved from the leaves to the pelvis and back, three
    unknowns at a time, all frames at once.
    """
    rays = pixels_to_rays(np.nan_to_num(sequence.keypoints[:, LIMBS_IN]), intrinsics)
    rays = np.concatenate([rays, np.ones_like(rays[..., :1])], -1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)  # (T, 12, 3)
    across = (
        np.eye(3) - rays[..., None] * rays[..., None, :]
    )  # what the picture shows of a place in space
    off = -_times(
        across, joints_m[:, LIMBS_OUT] + root_m[:, None]
    )  # (T, 12, 3): the way to the ray
    weight = (sequence.scores[:, LIMBS_IN] > 0) / (1 + (off**2).sum(-1) / _ASTRAY_M**2) ** 2
    calm = _CALM_S * sequence.fps
    near = gaussian_filter1d(weight, calm, axis=0)[..., None]
    calmed = gaussian_filter1d(weight[..., None] * off, calm, axis=0) / near.clip(1e-9)
    tremble = np.linalg.norm(off - calmed, axis=-1)[weight > 0]
    if not len(tremble):
        return joints_m, root_m
    trust = near / (_SEEN_M + _WANDERING * np.median(tremble)) ** 2

    # Of each joint's normal equations, what the picture says.
    seen, wanted = np.zeros((*joints_m.shape, 3)), np.zeros_like(joints_m)
    seen[:, LIMBS_OUT] = trust[..., None] * across
    wanted[:, LIMBS_OUT] = trust * _times(across, calmed)
    seen[:, 0] += np.eye(3) / _PELVIS_M**2

    lengths = bone_lengths(bone_spans(joints_m))
    moves = np.zeros_like(joints_m)
    for _ in range(_ROUNDS):
        matrix, vector = seen.copy(), wanted.copy()
        passed = {}
        for parent, child in reversed(H36M_17.bones):
            moved = moves[:, child] - moves[:, parent]
            bone = joints_m[:, child] - joints_m[:, parent] + moved
            span = np.linalg.norm(bone, axis=-1, keepdims=True)
            along = bone / span.clip(1e-9)
            stiff = np.eye(3) / _BONE_M**2 + along[..., None] * along[:, None] / _LENGTH_M**2
            pull = (
                along
                * (lengths[child] - span + (along * moved).sum(-1, keepdims=True))
                / _LENGTH_M**2
            )
            told = vector[:, child] + pull
            inverse = np.linalg.inv(matrix[:, child] + stiff)
            up = stiff @ inverse
            matrix[:, parent] += stiff - up @ stiff
            vector[:, parent] += _times(up, told) - pull
            passed[child] = inverse, stiff, told
        moves[:, 0] = _times(np.linalg.inv(matrix[:, 0]), vector[:, 0])
        for parent, child in H36M_17.bones:
            inverse, stiff, told = passed[child]
            moves[:, child] = _times(inverse, told + _times(stiff, moves[:, parent]))
    return joints_m + moves - moves[:, :1], root_m + moves[:, 0]


def _times(matrices: Floats, vectors: Floats) -> Floats:
    """(…, 3, 3) times (…, 3)."""
    return np.asarray((matrices @ vectors[..., None])[..., 0])
