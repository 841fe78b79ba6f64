"""Lifted joints and the picture: the pelvis' path, and joints that agree with their keypoints.

Both are linear least squares whose structure makes them cheap: a chain over time for the root
(`root_trajectory`), a tree over the skeleton for the joints (`fit_keypoints`).
"""

from collections.abc import Sequence

import numpy as np

from core.camera import pixels_to_rays
from core.lazy_scipy import linalg, ndimage
from core.skeletons import COCO_17, H36M_17, Skeleton
from core.types import Array, Floats, Intrinsics, LifterInput
from lifter.bones import bone_lengths, bone_spans

_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
LIMBS_IN = COCO_17.indices(tuple(f"{side}_{limb}" for side in ("left", "right") for limb in _LIMBS))
"""Keypoints that lie on joints of `LIMBS_OUT`, in the same order."""
LIMBS_OUT = H36M_17.indices(tuple(f"{side}_{limb}" for side in ("l", "r") for limb in _LIMBS))
"""Joints of the limbs."""

# root_trajectory
_KEYPOINT_M = 0.03  # σ_k: a keypoint from its joint, at the person's distance
_ACCELERATION_M_S2 = 3.0  # σ_a: of a pelvis that moves without effort

# fit_keypoints: standard deviations in metres
_SEEN_M = 0.02  # σ_0: a keypoint from its joint's image, besides jitter
_BIAS_PER_JITTER = 4.0  # β: lasting errors of keypoints are larger than their jitter by this factor
_OUTLIER_M = 0.1  # σ_r: beyond this the detector means something else
_BONE_M = 0.04  # σ_b: a lifted bone, along each axis
_LENGTH_M = 0.025  # σ_l: a bone's length, from the person's usual one
_PELVIS_M = 0.15  # σ_p: the pelvis, from `root_trajectory`
_SMOOTHING_S = 0.07  # standard deviation of the smoothing of keypoint offsets over time
_ROUNDS = 3  # of Gauss-Newton: bone lengths are not linear


def root_trajectory(joints_m: Floats, sequence: LifterInput, intrinsics: Intrinsics) -> Floats:
    """Find the pelvis' path from which the joints are seen at their keypoints.

    Banded linear least squares. A joint X at root t lies on the ray (u, v, 1) of its keypoint when
    t_x - u t_z = u X_z - X_x and t_y - v t_z = v X_z - X_y, which is linear in t:

        min over t   Σ_frames Σ_limbs w [(t_x - u t_z - e_x)² + (t_y - v t_z - e_y)²]
                     + λ Σ_frames |t_i-1 - 2 t_i + t_i+1|²

    with e_x, e_y the right sides above, w = score / σ_k² and λ = (fps² / σ_a)². The second term
    keeps depth steady under noise and carries the path through frames without keypoints.

    Args:
        joints_m: (T, J, 3) lifted joints (H36M_17 or H36M_21), metres from the pelvis, camera axes.
        sequence: The keypoints of the same T frames; those with score 0 count for nothing.
        intrinsics: The camera. An error in its focal length scales depth.

    Returns:
        (T, 3) the pelvis in camera space, metres; NaN if no limb has a score in any frame.
    """
    rays = pixels_to_rays(np.nan_to_num(sequence.keypoints[:, LIMBS_IN]), intrinsics)  # (T, 12, 2)
    limbs = joints_m[:, LIMBS_OUT]
    weight = np.nan_to_num(sequence.scores[:, LIMBS_IN]) / _KEYPOINT_M**2
    if not weight.any():
        return np.full((len(joints_m), 3), np.nan)
    u, v = rays[..., 0], rays[..., 1]
    e_x = u * limbs[..., 2] - limbs[..., 0]
    e_y = v * limbs[..., 2] - limbs[..., 1]

    # Right side of the normal equations, Aᵀ W e, with the rows (1, 0, -u) and (0, 1, -v) of A
    right = np.stack([
        (weight * e_x).sum(1),
        (weight * e_y).sum(1),
        -(weight * (u * e_x + v * e_y)).sum(1),
    ], 1)  # fmt: skip

    # Left side N = Aᵀ W A + λ Dᵀ D in lower banded form, band[d, j] = N[j + d, j]. Unknowns are
    # ordered (x, y, z) by frame, and D joins frames two apart: six entries below the diagonal.
    frames = len(joints_m)
    band = np.zeros((7, 3 * frames))
    band[0, 0::3] = band[0, 1::3] = weight.sum(1)
    band[0, 2::3] = (weight * (u * u + v * v)).sum(1)
    band[2, 0::3] = -(weight * u).sum(1)  # z with x
    band[1, 1::3] = -(weight * v).sum(1)  # z with y
    stiffness = (sequence.fps**2 / _ACCELERATION_M_S2) ** 2  # λ
    difference = (1.0, -2.0, 1.0)  # a row of D
    for i in range(3):
        for j in range(i + 1):
            columns = slice(3 * j, 3 * (j + max(frames - 2, 0)))
            band[3 * (i - j), columns] += stiffness * difference[i] * difference[j]
    band[0] += 1e-9 * band[0].max()  # a person seen as one point has no depth
    return np.asarray(linalg.solveh_banded(band, right.ravel(), lower=True)).reshape(frames, 3)


def fit_keypoints(
    joints_m: Floats,
    root_m: Floats,
    sequence: LifterInput,
    intrinsics: Intrinsics,
    skeleton: Skeleton = H36M_17,
) -> tuple[Floats, Floats]:
    """Move lifted joints and pelvis towards their keypoints: the most likely body of each frame.

    A network that meets an unknown pose answers with a known one, and the picture shows the
    difference. Maximum a posteriori estimate under Gaussian errors: over the moves m_j of all
    joints in camera space, minimise for each frame

        Σ_limbs τ_j |P_j m_j - o_j|²                    keypoints, across their rays
        + |m_0|² / σ_p²                                 the pelvis
        + Σ_bones |m_c - m_p|² / σ_b²                   lifted bones, from parent p to child c
        + Σ_bones (ℓ_c - |b_c + m_c - m_p|)² / σ_l²     usual lengths ℓ of bones b

    P_j projects onto the plane across the ray, o_j is the way from the joint to the ray and τ_j the
    keypoint's precision (`_keypoint_terms`). Gauss-Newton linearises the lengths; joints form a
    tree, so each round is solved by block elimination from the leaves to the pelvis and back
    (`_solved_round`), for all frames at once.

    Args:
        joints_m: (T, J, 3) lifted joints, metres from the pelvis, camera axes.
        root_m: (T, 3) the pelvis in camera space, metres; NaN = unknown.
        sequence: The keypoints of the same T frames.
        intrinsics: The camera.
        skeleton: The joints'; H36M_17 or one that goes on from it.

    Returns:
        joints_m and root_m, moved; unchanged if no limb has a score in any frame.
    """
    terms = _keypoint_terms(joints_m, root_m, sequence, intrinsics)
    if terms is None:
        return joints_m, root_m
    matrices, vectors = terms
    matrices[0] += (np.eye(3) / _PELVIS_M**2)[..., None]
    lengths = bone_lengths(bone_spans(joints_m, skeleton), skeleton)
    joints = _frames_last(joints_m)
    moves = np.zeros_like(joints)
    for _ in range(_ROUNDS):
        moves = _solved_round(joints, lengths, matrices, vectors, moves, skeleton)
    back: Floats = moves.transpose(2, 0, 1)
    return joints_m + back - back[:, :1], root_m + back[:, 0]


def fit_last(
    people: Sequence[tuple[Floats, Floats, LifterInput]],
    intrinsics: Intrinsics,
    skeleton: Skeleton = H36M_17,
) -> list[tuple[Floats, Floats]]:
    """`fit_keypoints` for the last frame of several people, all at once: for live sources.

    So few frames are solved faster as dense systems than joint by joint.

    Args:
        people: joints_m (T, J, 3), root_m (T, 3) and the keypoints of each, as `fit_keypoints`
            takes them; T may differ.
        intrinsics: The camera.
        skeleton: The joints'.

    Returns:
        Joints (J, 3) and root (3,) of each person in their last frame.
    """
    fitted = [(joints[-1], root[-1]) for joints, root, _ in people]
    last = slice(-1, None)
    terms = {i: _keypoint_terms(*person, intrinsics, last) for i, person in enumerate(people)}
    seen = {i: (term[0][..., 0], term[1][..., 0]) for i, term in terms.items() if term}
    if not seen:
        return fitted
    joints = np.stack([fitted[i][0] for i in seen])
    lengths = np.stack([bone_lengths(bone_spans(people[i][0], skeleton), skeleton) for i in seen])
    matrices, vectors = (np.stack(of_all) for of_all in zip(*seen.values(), strict=True))
    matrices[:, 0] += np.eye(3) / _PELVIS_M**2
    moves = _solved_densely(joints, lengths, matrices, vectors, skeleton)
    for i, move in zip(seen, moves, strict=True):
        fitted[i] = fitted[i][0] + move - move[0], fitted[i][1] + move[0]
    return fitted


def _solved_densely(
    joints_m: Floats, lengths_m: Floats, matrices: Floats, vectors: Floats, skeleton: Skeleton
) -> Floats:
    """The moves (N, J, 3) of joints (N, J, 3), by the equations of `_solved_round`.

    With D the bones' incidence matrix (1 at the child, -1 at the parent), the normal equations are

        (diag(M) + Dᵀ diag(S) D) m = v + Dᵀ q
    """
    parents, children = np.array(skeleton.bones).T
    incidence = np.eye(len(skeleton))[children] - np.eye(len(skeleton))[parents]  # D
    joints, ends = np.arange(len(skeleton)), np.abs(incidence).T
    size = 3 * len(skeleton)
    normal = np.zeros((len(joints_m), len(skeleton), 3, len(skeleton), 3))
    moves = np.zeros_like(joints_m)
    for _ in range(_ROUNDS):
        relative = incidence @ moves
        bone = incidence @ joints_m + relative
        span = np.linalg.norm(bone, axis=-1, keepdims=True)
        along = bone / span.clip(1e-9)  # a
        stiffness = along[..., None] * along[..., None, :] / _LENGTH_M**2 + np.eye(3) / _BONE_M**2
        residual = lengths_m[:, children, None] - span + (along * relative).sum(-1, keepdims=True)
        pull = along * residual / _LENGTH_M**2  # q
        # diag(M) + Dᵀ diag(S) D: a joint's block has the stiffness of all bones that end there
        at_joints = matrices + (ends @ stiffness.reshape(*bone.shape[:2], 9)).reshape(
            matrices.shape
        )
        normal[:, joints, :, joints] = at_joints.swapaxes(0, 1)
        normal[:, parents, :, children] = -stiffness.swapaxes(0, 1)
        normal[:, children, :, parents] = -stiffness.swapaxes(0, 1)
        right = vectors + incidence.T @ pull
        solved = np.linalg.solve(normal.reshape(-1, size, size), right.reshape(-1, size, 1))
        moves = solved.reshape(moves.shape)
    return moves


# Below, frames are the last axis: a joint's vectors are (3, T), its matrices (3, 3, T).


def _frames_last(values: Array) -> Array:
    """(T, …) → (…, T), in this order in memory."""
    return np.ascontiguousarray(np.moveaxis(values, 0, -1))


def _keypoint_terms(
    joints_m: Floats,
    root_m: Floats,
    sequence: LifterInput,
    intrinsics: Intrinsics,
    of: slice = slice(None),
) -> tuple[Floats, Floats] | None:
    """The keypoints' part of the normal equations of each joint; None if nothing was seen.

    Args:
        joints_m, root_m, sequence, intrinsics: As for `fit_keypoints`.
        of: The frames whose equations are wanted, T' of them.

    Returns:
        τ P (J, 3, 3, T') and τ P o (J, 3, T'), 0 for joints without a keypoint.
    """
    rays = pixels_to_rays(np.nan_to_num(sequence.keypoints[:, LIMBS_IN]), intrinsics)
    rays = np.concatenate([rays, np.ones_like(rays[..., :1])], -1)
    rays = _frames_last(rays / np.linalg.norm(rays, axis=-1, keepdims=True))  # r (12, 3, T)
    away = _frames_last(joints_m[:, LIMBS_OUT] + root_m[:, None])
    offsets = rays * (rays * away).sum(1, keepdims=True) - away  # -P x, with P = I - r rᵀ

    # Robust weights 1 / (1 + |o|² / σ_r²)² (Geman and McClure, 1987)
    seen = _frames_last(sequence.scores[:, LIMBS_IN] > 0)
    weight = seen / (1 + (offsets**2).sum(1) / _OUTLIER_M**2) ** 2  # (12, T)

    # o: weighted mean of the offsets over neighbouring frames
    spread = _SMOOTHING_S * sequence.fps
    mass = ndimage.gaussian_filter1d(weight, spread)[:, None]
    smoothed = ndimage.gaussian_filter1d(weight[:, None] * offsets, spread) / mass.clip(1e-9)

    # τ = mass / (σ_0 + β jitter)²: a detector that jitters more has larger lasting errors, too
    jitter = np.linalg.norm(offsets - smoothed, axis=1)[weight > 0]
    if not len(jitter):
        return None
    rays, smoothed, mass = (values[..., of] for values in (rays, smoothed, mass))
    precision = mass / (_SEEN_M + _BIAS_PER_JITTER * np.median(jitter)) ** 2  # (12, 1, T')

    frames, count = rays.shape[-1], joints_m.shape[1]
    matrices, vectors = np.zeros((count, 3, 3, frames)), np.zeros((count, 3, frames))
    projections = np.eye(3)[..., None] - rays[:, :, None] * rays[:, None]
    matrices[LIMBS_OUT] = precision[:, None] * projections
    across = smoothed - rays * (rays * smoothed).sum(1, keepdims=True)  # P o
    vectors[LIMBS_OUT] = precision * across
    return matrices, vectors


def _solved_round(
    joints_m: Floats,
    lengths_m: Floats,
    matrices: Floats,
    vectors: Floats,
    moves_m: Floats,
    skeleton: Skeleton,
) -> Floats:
    """One round of Gauss-Newton from moves (J, 3, T) of joints (J, 3, T): the next moves.

    A bone along the unit vector a, with S = I / σ_b² + a aᵀ / σ_l² and the pull q of its length,
    adds to the normal equations

        S (m_c - m_p) - q  for the child,  S (m_p - m_c) + q  for the parent.
    """
    matrices, vectors = matrices.copy(), vectors.copy()
    eliminated = {}
    for parent, child in reversed(skeleton.bones):  # children before their parents
        # Linearised length: |b + m_c - m_p| ≈ span + aᵀ (m_c - m_p - relative)
        relative = moves_m[child] - moves_m[parent]
        bone = joints_m[child] - joints_m[parent] + relative
        span = np.sqrt((bone**2).sum(0))
        along = bone / span.clip(1e-9)  # a
        stiffness = along[:, None] * along / _LENGTH_M**2  # S
        stiffness += (np.eye(3) / _BONE_M**2)[..., None]
        residual = lengths_m[child] - span + (along * relative).sum(0)
        pull = along * residual / _LENGTH_M**2  # q

        # Eliminate m_c = (M_c + S)⁻¹ (v_c + q + S m_p)
        right = vectors[child] + pull
        inverse = _inverse(matrices[child] + stiffness)
        upward = _product(stiffness, inverse)
        matrices[parent] += stiffness - _product(upward, stiffness)
        vectors[parent] += _times(upward, right) - pull
        eliminated[child] = inverse, stiffness, right

    # Back substitution from the pelvis to the leaves
    moved = np.zeros_like(moves_m)
    moved[0] = _times(_inverse(matrices[0]), vectors[0])
    for parent, child in skeleton.bones:
        inverse, stiffness, right = eliminated[child]
        moved[child] = _times(inverse, right + _times(stiffness, moved[parent]))
    return moved


def _times(matrices: Floats, vectors: Floats) -> Floats:
    """(3, 3, T) times (3, T)."""
    return np.asarray((matrices * vectors).sum(1))


def _product(left: Floats, right: Floats) -> Floats:
    """(3, 3, T) times (3, 3, T)."""
    return np.asarray(sum(left[:, k, None] * right[k] for k in range(3)))


def _inverse(matrices: Floats) -> Floats:
    """The inverses of symmetric matrices (3, 3, T), by their cofactors."""
    (a, b, c), (_, d, e), (_, _, f) = matrices
    rows = np.empty_like(matrices)
    rows[0, 0], rows[1, 1], rows[2, 2] = d * f - e * e, a * f - c * c, a * d - b * b
    rows[0, 1] = rows[1, 0] = c * e - b * f
    rows[0, 2] = rows[2, 0] = b * e - c * d
    rows[1, 2] = rows[2, 1] = b * c - a * e
    determinant = a * rows[0, 0] + b * rows[0, 1] + c * rows[0, 2]
    rows /= determinant
    return rows
