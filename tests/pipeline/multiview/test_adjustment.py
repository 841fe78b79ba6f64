"""The normal equations against differences of the objective, and what the search finds."""

from dataclasses import replace

import numpy as np

from core.rotations import from_rotation_vectors
from core.types import Floats
from pipeline.multiview.adjustment.bundle import adjust, moved
from pipeline.multiview.adjustment.problem import (
    CAMERA,
    Body,
    Links,
    Problem,
    State,
    free_unknowns,
    reprojected,
)
from pipeline.multiview.adjustment.terms import linearised

VIEWS, FRAMES, JOINTS = 2, 3, 4
LINKS = Links(np.array([[0, 1], [1, 2], [0, 3]]), np.array([0, 1, 0]))
WIDE = 1e6  # a loss that is quadratic


def made(rng: np.random.Generator) -> tuple[Problem, State]:
    joints = rng.normal(0, 0.3, (FRAMES, JOINTS, 3))
    rotations = np.stack([np.eye(3), from_rotation_vectors(np.array([0, 1.0, 0.2]))])
    translations = np.array([[0, 0, 4.0], [0.2, 0.1, 5]])
    sight = np.tile([0.1, 0, 0.995], (VIEWS, FRAMES, 1))
    body = Body(
        rng.normal(0, 100, (VIEWS, FRAMES, JOINTS, 2)), rng.random((VIEWS, FRAMES, JOINTS)),
        np.full((VIEWS, FRAMES), 3.0), rng.normal(0, 0.3, (VIEWS, FRAMES, 3, 3)),
        rng.random((VIEWS, FRAMES, 3)) + 0.1, rng.random((VIEWS, FRAMES, 3)), sight,
        np.log([0.4, 0.5]),
    )  # fmt: skip
    state = State(
        rotations, translations, np.log([1000.0, 900]), np.array([0.05, -0.02]), (joints,),
        (np.log([0.3, 0.4]),),
    )  # fmt: skip
    free = free_unknowns(VIEWS, LINKS.lengths, True, [True, True])
    return Problem([body], LINKS, np.log([1000.0, 1000]), free), state


def test_gradients_are_those_of_the_objective() -> None:
    problem, state = made(np.random.default_rng(0))
    equations = linearised(problem, state, WIDE)
    still = np.zeros(len(problem.free))

    def slope(step: np.ndarray, move: np.ndarray) -> float:
        ahead, back = (
            linearised(problem, moved(state, s * step, [s * move]), WIDE).cost for s in (1, -1)
        )
        return (back - ahead) / 4e-6

    for unknown in range(CAMERA * VIEWS + LINKS.lengths):
        step = still.copy()
        step[unknown] = 1e-6
        found = slope(step, np.zeros((FRAMES, JOINTS, 3)))
        np.testing.assert_allclose(equations.c[unknown], found, rtol=1e-4, atol=1e-3)
    for joint in range(JOINTS):
        move = np.zeros((FRAMES, JOINTS, 3))
        move[1, joint, 2] = 1e-6
        np.testing.assert_allclose(
            equations.x[0][1, joint, 2], slope(still, move), rtol=1e-4, atol=1e-3
        )


def explained(problem: Problem, truth: State) -> tuple[Body, Floats]:
    """Observations that are exactly those of a state, and its joints with bones of one length."""
    parents, children = LINKS.ends.T
    joints = truth.joints[0].copy()
    # Bones of one length: directions as they are
    for (parent, child), length in zip(LINKS.ends, np.array([0.3, 0.4, 0.3]), strict=True):
        way = truth.joints[0][:, child] - truth.joints[0][:, parent]
        joints[:, child] = joints[:, parent] + length * way / np.linalg.norm(way, axis=-1)[:, None]
    ways = joints[:, children] - joints[:, parents]
    lifted = np.stack([ways @ rotation.T for rotation in truth.rotations])
    body = problem.bodies[0]
    exact = replace(
        body, points=reprojected(truth, joints), lifted=lifted,
        point_weights=np.ones_like(body.point_weights), log_lengths=np.log([0.3, 0.4]),
    )  # fmt: skip
    return exact, joints


def test_exact_observations_are_explained_exactly() -> None:
    problem, truth = made(np.random.default_rng(1))
    exact, joints = explained(problem, truth)
    rng = np.random.default_rng(2)
    turned = from_rotation_vectors(np.array([0.2, 0.1, -0.2])) @ truth.rotations[1]
    start = State(
        np.stack([np.eye(3), turned]),
        truth.translations + np.array([[0, 0, 0], [0.3, -0.2, 0.3]]), np.log([1000.0, 900]),
        truth.distortions, (joints + rng.normal(0, 0.05, joints.shape),), (np.log([0.33, 0.36]),),
    )  # fmt: skip
    free = free_unknowns(VIEWS, LINKS.lengths, True, [False, False])
    asked = Problem([exact], LINKS, np.log([1000.0, 900]), free)
    found = adjust(asked, start, (20.0, 8.0), 40)
    np.testing.assert_allclose(found.joints[0], joints, atol=2e-3)
    np.testing.assert_allclose(found.rotations[1], truth.rotations[1], atol=2e-3)


def test_the_search_goes_on_along_the_valley_of_focal_length_and_distance() -> None:
    """A longer lens from farther away shows nearly the same; the prior says which it is."""
    problem, truth = made(np.random.default_rng(1))
    exact, joints = explained(problem, truth)
    unsure = replace(exact, point_px=np.full((VIEWS, FRAMES), 50.0))
    start = replace(
        truth,
        translations=truth.translations * 1.3,
        log_focals=truth.log_focals + np.log(1.3),
        joints=(joints,),
    )
    free = free_unknowns(VIEWS, LINKS.lengths, True, [True, True])
    asked = Problem([unsure], LINKS, truth.log_focals, free)
    found = adjust(asked, start, (8.0,))
    np.testing.assert_allclose(found.log_focals, truth.log_focals, atol=0.01)
