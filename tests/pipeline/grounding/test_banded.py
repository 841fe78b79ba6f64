import numpy as np

from pipeline.grounding.banded import solve_block_banded


def test_a_banded_solve_is_the_dense_one() -> None:
    frames, rng = 7, np.random.default_rng(0)
    dense = np.zeros((3 * frames, 3 * frames))
    for first in range(frames - 2):  # a sum of squares over any three frames: positive definite
        rows = slice(3 * first, 3 * first + 9)
        factor = rng.standard_normal((9, 9))
        dense[rows, rows] += factor @ factor.T + np.eye(9)
    blocks = np.zeros((3, frames, 3, 3))
    for d in range(3):
        for t in range(frames - d):
            blocks[d, t] = dense[3 * (t + d) : 3 * (t + d) + 3, 3 * t : 3 * t + 3]
    right = rng.standard_normal((frames, 3))
    solution = solve_block_banded(blocks, right)
    np.testing.assert_allclose(solution.ravel(), np.linalg.solve(dense, right.ravel()))
