"""The objective of bundle adjustment and its normal equations.

Maximum a posteriori estimate. Unknown are, for each view v, a rotation R_v, a translation t_v, the
logarithm g_v of the focal length and the distortion k_v; for each person and frame the joints X_j;
for each person the logarithms λ of lengths. Minimised is

    Σ w_vj ρ(|π_v(X_j) - u_vj|/s_v)                keypoints u, with s what σ_k is in px there
    + Σ w_vl ρ(|A_v (R_v (X_c - X_p) - b_vl)|/σ_vl) lifted links b from joint p to joint c
    + Σ ρ((|X_c - X_p| - exp λ_l)/σ_l)              lengths that last
    + Σ ((λ_l - log ℓ_l)/σ_λ)² + (g - g⁰)ᵀ Σ_g⁻¹ (g - g⁰) + Σ (k_v/σ_d)²

with π_v(X) = f_v a (1 + k_v |a|²), a = (x/z, y/z) of R_v X + t_v, and the robust loss
ρ(d) = d²/(1 + d²/τ²) of Geman and McClure (1987), whose width τ shrinks from round to round. Lifts
are sure across the line of sight z and unsure along it: A = I/σ_a + (1/σ_z - 1/σ_a) z zᵀ.
"""

from dataclasses import dataclass

import numpy as np

from core.rotations import cross_matrix
from core.types import Floats
from pipeline.multiview.adjustment.problem import (
    CAMERA,
    FOCAL,
    LENS,
    MIN_DEPTH_M,
    Body,
    Links,
    Problem,
    State,
    robust,
)

# Standard deviations
KEYPOINT_M = 0.025
"""σ_k: a keypoint from its joint, across the ray."""
_LENGTH_M = 0.012  # σ_l: the length of a link, over time
_ACROSS, _ALONG = 0.45, 0.9  # σ_a, σ_z: a lifted link, as shares of the 68 % radius σ_vl
_LOG_LENGTH = 0.08  # σ_λ: lifted lengths
_LOG_FOCAL, _LOG_FOCAL_SHARED = 0.05, 0.2  # Σ_g: of each view, and of all guesses alike
_DISTORTION = 0.02  # σ_d
_LENGTH_WIDTH = 3.0  # τ of lengths, as a multiple of that of keypoints


@dataclass
class Equations:
    """Normal equations: H of cameras and lengths c and of joints x of each person, b = -gradient/2.

    cost; cc (C, C), c (C,); for each person xx (T, 3J, 3J), xc (T, 3J, C), x (T, 3J).
    """

    cost: float
    cc: Floats
    c: Floats
    xx: list[Floats]
    xc: list[Floats]
    x: list[Floats]


def linearised(problem: Problem, state: State, width: float) -> Equations:
    """The objective and its normal equations at a state, for a width τ."""
    views, size = len(state.rotations), len(problem.free)
    equations = Equations(0.0, np.zeros((size, size)), np.zeros(size), [], [], [])
    lengths = CAMERA * views
    for body, joints, log_lengths in zip(
        problem.bodies, state.joints, state.log_lengths, strict=True
    ):
        frames, count = joints.shape[:2]
        equations.xx.append(np.zeros((frames, count, 3, count, 3)))
        equations.xc.append(np.zeros((frames, count, 3, size)))
        equations.x.append(np.zeros((frames, count, 3)))
        squared, pull = _add_lengths(equations, joints, log_lengths, problem.links, lengths, width)
        for view in range(views):
            _add_keypoints(equations, body, state, joints, view, width)
            lifted = _add_lifts(equations, body, state, joints, problem.links, view, width)
            squared, pull = squared + lifted[0], pull + lifted[1]
        _add_links(equations, problem.links, squared, pull)
        # (λ - log ℓ)/σ_λ
        residual = (log_lengths - body.log_lengths) / _LOG_LENGTH
        own = np.arange(lengths, lengths + len(residual))
        equations.cost += float(residual @ residual)
        equations.cc[own, own] += 1 / _LOG_LENGTH**2
        equations.c[own] -= residual / _LOG_LENGTH
        lengths += len(residual)
    # (g - g⁰)ᵀ Σ_g⁻¹ (g - g⁰) and (k/σ_d)²
    shared = np.full(views, _LOG_FOCAL_SHARED)
    if problem.is_guessed is not None:
        shared[~problem.is_guessed] = 0.0
    covariance = np.eye(views) * _LOG_FOCAL**2 + np.outer(shared, shared)
    precision = np.linalg.inv(covariance)
    offset = state.log_focals - problem.log_focals
    focal, lens = (np.arange(views) * CAMERA + unknown for unknown in (FOCAL, LENS))
    equations.cost += float(offset @ precision @ offset)
    equations.cost += float((state.distortions**2).sum()) / _DISTORTION**2
    equations.cc[np.ix_(focal, focal)] += precision
    equations.c[focal] -= precision @ offset
    equations.cc[lens, lens] += 1 / _DISTORTION**2
    equations.c[lens] -= state.distortions / _DISTORTION**2
    return equations


def _add_keypoints(
    equations: Equations, body: Body, state: State, joints: Floats, view: int, width: float
) -> None:
    """Terms of one view's keypoints."""
    rotation, focal = state.rotations[view], np.exp(state.log_focals[view])
    k = state.distortions[view]
    turned = joints @ rotation.T
    local = turned + state.translations[view]
    depth = local[..., 2].clip(MIN_DEPTH_M)
    a = local[..., :2] / depth[..., None]
    r2 = (a * a).sum(-1)
    radial = (1 + k * r2)[..., None]
    scale = 1 / body.point_px[view][:, None, None]
    residual = (focal * a * radial - body.points[view]) * scale
    loss, weight = robust((residual**2).sum(-1), width)
    weights = body.point_weights[view]
    equations.cost += float((weights * loss).sum())
    weight = weight * weights

    # ∂(a radial)/∂a = radial I + 2 k a aᵀ, ∂a/∂local = [1, 0, -a_x; 0, 1, -a_y]/z
    by_a = radial[..., None] * np.eye(2) + 2 * k * a[..., :, None] * a[..., None, :]
    by_local = np.concatenate([by_a, -(by_a @ a[..., None])], -1)  # times 1/z
    by_local *= focal * (scale / depth[..., None])[..., None]
    by_joint = by_local @ rotation
    by_camera = np.concatenate(
        [
            -by_local @ cross_matrix(turned),
            by_local,
            (focal * a * radial * scale)[..., None],
            (focal * a * r2[..., None] * scale)[..., None],
        ],
        -1,
    )  # (T, J, 2, 8)
    own = slice(CAMERA * view, CAMERA * (view + 1))
    every = np.arange(joints.shape[1])
    weighted = weight[..., None, None] * by_joint
    equations.xx[-1][:, every, :, every] += np.moveaxis(
        np.swapaxes(weighted, -1, -2) @ by_joint, 1, 0
    )
    equations.x[-1] -= (np.swapaxes(weighted, -1, -2) @ residual[..., None])[..., 0]
    equations.xc[-1][..., own] += np.swapaxes(weighted, -1, -2) @ by_camera
    flat = by_camera.reshape(-1, CAMERA)
    heavy = np.repeat(weight.ravel(), 2)[:, None] * flat
    equations.cc[own, own] += heavy.T @ flat
    equations.c[own] -= heavy.T @ residual.ravel()


def _add_lifts(
    equations: Equations,
    body: Body,
    state: State,
    joints: Floats,
    links: Links,
    view: int,
    width: float,
) -> tuple[Floats, Floats]:
    """Terms of one view's lifted links; of each link JᵀJ and Jᵀr, as `_add_links` has them."""
    rotation = state.rotations[view]
    parents, children = links.ends.T
    turned = (joints[:, children] - joints[:, parents]) @ rotation.T  # (T, L, 3)
    sight = body.sight[view]
    whiten = np.eye(3) / _ACROSS + (1 / _ALONG - 1 / _ACROSS) * (
        sight[:, :, None] * sight[:, None]
    )  # A (T, 3, 3)
    scale = 1 / body.lifted_m[view][..., None]
    residual = (turned - body.lifted[view]) @ whiten * scale
    loss, weight = robust((residual**2).sum(-1), width)
    weights = body.lifted_weights[view]
    equations.cost += float((weights * loss).sum())
    weight = weight * weights
    by_joint = (whiten @ rotation)[:, None] * scale[..., None]  # (T, L, 3, 3) of the child
    by_turn = -whiten[:, None] @ cross_matrix(turned) * scale[..., None]  # (T, L, 3, 3)
    own = slice(CAMERA * view, CAMERA * view + 3)
    weighted = weight[..., None, None] * np.swapaxes(by_joint, -1, -2)
    mixed = (weighted @ by_turn).reshape(*weighted.shape[:2], 9)
    by_end = (links.incidence(joints.shape[1]) @ mixed).reshape(*joints.shape, 3)
    equations.xc[-1][..., own] += by_end
    flat = by_turn.reshape(-1, 3)
    heavy = np.repeat(weight.ravel(), 3)[:, None] * flat
    equations.cc[own, own] += heavy.T @ flat
    equations.c[own] -= heavy.T @ residual.ravel()
    return weighted @ by_joint, (weighted @ residual[..., None])[..., 0]


def _add_lengths(
    equations: Equations,
    joints: Floats,
    log_lengths: Floats,
    links: Links,
    first: int,
    width: float,
) -> tuple[Floats, Floats]:
    """Terms of lasting lengths, whose unknowns start at `first`; JᵀJ and Jᵀr as of lifts."""
    parents, children = links.ends.T
    ways = joints[:, children] - joints[:, parents]
    spans = np.linalg.norm(ways, axis=-1).clip(1e-6)
    lengths = np.exp(log_lengths)[links.groups]
    residual = (spans - lengths) / _LENGTH_M
    loss, weight = robust(residual**2, _LENGTH_WIDTH * width)
    equations.cost += float(loss.sum())
    by_joint = ways / spans[..., None] / _LENGTH_M  # (T, L, 3) of the child
    by_length = -lengths / _LENGTH_M
    heavy = weight[..., None] * by_joint
    of_group = links.groups[:, None] == np.arange(links.lengths)  # (L, groups)
    own = slice(first, first + links.lengths)
    mixed = (by_length[:, None] * heavy)[..., None] * of_group[:, None]  # (T, L, 3, groups)
    by_end = links.incidence(joints.shape[1]) @ mixed.reshape(*spans.shape, -1)
    equations.xc[-1][..., own] += by_end.reshape(*joints.shape, -1)
    every = np.arange(first, first + links.lengths)
    equations.cc[every, every] += (weight.sum(0) * by_length**2) @ of_group
    equations.c[own] -= (by_length * (weight * residual).sum(0)) @ of_group
    return heavy[..., None] * by_joint[..., None, :], residual[..., None] * heavy


def _add_links(equations: Equations, links: Links, squared: Floats, pull: Floats) -> None:
    """Add JᵀJ (T, L, 3, 3) and Jᵀr (T, L, 3) of residuals of X_child - X_parent."""
    xx, x = equations.xx[-1], equations.x[-1]
    frames, joints = x.shape[:2]
    ends = links.incidence(joints)
    both = (ends[:, None] * ends).reshape(joints * joints, -1)  # (J J, L)
    by_ends = (both @ squared.reshape(*pull.shape[:2], 9)).reshape(frames, joints, joints, 3, 3)
    xx += by_ends.swapaxes(2, 3)
    x -= ends @ pull
