"""Bundle adjustment: cameras, bodies and the lengths of their bones from keypoints and lifts.

Levenberg-Marquardt over the objective of `terms`. Frames depend on each other by cameras and
lengths alone, so each step eliminates the joints frame by frame (Schur complement: Triggs et al.,
"Bundle adjustment, a modern synthesis", 2000).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core.rotations import from_rotation_vectors
from core.types import Floats
from pipeline.multiview.adjustment.problem import CAMERA, FOCAL, LENS, Problem, State
from pipeline.multiview.adjustment.terms import Equations, linearised

_CONVERGED = 3e-6  # relative decrease of the objective
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-3, 1e-6, 1e4
_UNREACHED = 1e-4
"""1/m², added for joints that no term reaches. Added to all, it must be far below what the priors
say: with 1/m² a step along the valley of focal length and distance, in which all joints move, is
held back by thousands of them."""
_ALONE = 1.0  # 1/m², what is known of joints that no term reaches


def adjust(problem: Problem, state: State, widths: Sequence[float], steps: int = 24) -> State:
    """Minimise the objective from a start.

    Args:
        problem: The observations.
        state: The start.
        widths: τ of each round.
        steps: The most in each round.

    Returns:
        The minimum.
    """
    for width in widths:
        damping = _FIRST_DAMPING
        equations = linearised(problem, state, width)
        cost = equations.cost
        for _ in range(steps):
            step, moves = _solved(equations, problem.free, damping)
            new = moved(state, step, moves)
            tried = linearised(problem, new, width)
            if tried.cost < cost:
                is_done = cost - tried.cost < _CONVERGED * cost
                state, equations, cost = new, tried, tried.cost
                damping = max(damping / 5, _LEAST_DAMPING)
                if is_done:
                    break
            else:
                damping *= 10
                if damping > _MOST_DAMPING:
                    break
    return state


def covariances(problem: Problem, state: State, width: float) -> list[Floats]:
    """Posterior covariances of all joints with cameras and lengths fixed (Laplace's approximation).

    Args:
        problem: The observations.
        state: The minimum.
        width: τ there.

    Returns:
        Of each person (T, J, J, 3, 3) m², of joints j and k.
    """
    equations = linearised(problem, state, width)
    found = []
    for matrix, _, own in _by_frame(equations, problem.free):
        joints = own.shape[1] // 3
        inverse = np.linalg.inv(matrix + _ALONE * np.eye(own.shape[1]))
        found.append(inverse.reshape(len(own), joints, 3, joints, 3).transpose(0, 1, 3, 2, 4))
    return found


def camera_covariance(problem: Problem, state: State, width: float) -> Floats:
    """Posterior covariance of cameras and lengths (C, C), whatever joints are; 0 of what is fixed.

    Args:
        problem: The observations.
        state: The minimum.
        width: τ there.
    """
    schur, _, _ = _without_joints(linearised(problem, state, width), problem.free, 0.0)
    covariance = np.zeros((len(problem.free), len(problem.free)))
    covariance[np.ix_(problem.free, problem.free)] = np.linalg.inv(schur)
    return covariance


def moved(state: State, step: Floats, moves: Sequence[Floats]) -> State:
    """The state after a step of cameras and lengths (C,) and moves of the joints (T, J, 3)."""
    views = len(state.rotations)
    cameras = step[: CAMERA * views].reshape(views, CAMERA)
    lengths = step[CAMERA * views :].reshape(len(moves), -1)
    return State(
        from_rotation_vectors(cameras[:, :3]) @ state.rotations,
        state.translations + cameras[:, 3:6],
        state.log_focals + cameras[:, FOCAL],
        state.distortions + cameras[:, LENS],
        tuple(x + move for x, move in zip(state.joints, moves, strict=True)),
        tuple(old + new for old, new in zip(state.log_lengths, lengths, strict=True)),
    )


def _solved(
    equations: Equations, free: NDArray[np.bool_], damping: float
) -> tuple[Floats, list[Floats]]:
    """The step of cameras and lengths (C,) and the moves of joints (T, J, 3)."""
    schur, right, eliminated = _without_joints(equations, free, damping)
    step: Floats = np.zeros(len(free))
    step[free] = np.linalg.solve(schur, right) if free.any() else 0.0
    moves: list[Floats] = [
        (solved[..., -1] - solved[..., :-1] @ step[free]).reshape(len(solved), -1, 3)
        for solved in eliminated
    ]
    return step, moves


def _without_joints(
    equations: Equations, free: NDArray[np.bool_], damping: float
) -> tuple[Floats, Floats, list[Floats]]:
    """The damped equations of cameras and lengths with joints eliminated.

    Returns:
        The Schur complement S = H_cc - Σ H_cx H_xx⁻¹ H_xc (free, free), its right side (free,), and
        of each person H_xx⁻¹ [H_xc, b_x] (T, 3J, free + 1).
    """
    schur = equations.cc[np.ix_(free, free)].copy()
    diagonal = np.diag_indices(len(schur))
    schur[diagonal] *= 1 + damping
    right = equations.c[free].copy()
    eliminated = []
    for matrix, mixed, own in _by_frame(equations, free):
        diagonal = np.diag_indices(matrix.shape[1])
        matrix[:, diagonal[0], diagonal[1]] *= 1 + damping
        matrix[:, diagonal[0], diagonal[1]] += _UNREACHED
        solved = np.linalg.solve(matrix, np.concatenate([mixed, own[..., None]], -1))
        both = np.tensordot(mixed, solved, ((0, 1), (0, 1)))
        schur -= both[:, :-1]
        right -= both[:, -1]
        eliminated.append(solved)
    return schur, right, eliminated


def _by_frame(
    equations: Equations, free: NDArray[np.bool_]
) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Of each person copies of H_xx (T, 3J, 3J), H_xc (T, 3J, free) and b_x (T, 3J)."""
    for xx, xc, x in zip(equations.xx, equations.xc, equations.x, strict=True):
        frames, size = len(x), 3 * x.shape[1]
        yield (
            xx.reshape(frames, size, size).copy(),
            xc.reshape(frames, size, -1)[..., free],
            x.reshape(frames, size),
        )
