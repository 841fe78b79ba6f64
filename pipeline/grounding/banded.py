"""Banded systems of a path's normal equations: solved in time linear in its length."""

import numpy as np

from core.lazy_scipy import linalg
from core.types import Floats


def solve_block_banded(blocks: Floats, right: Floats) -> Floats:
    """Solve A x = b, where A is symmetric positive definite and couples frames at most two apart.

    Banded Cholesky factorisation (LAPACK `pbsv`). The unknowns of frame t are rows 3t…3t + 2 of A,
    so its lower triangle has 9 diagonals, stored as band[k, j] = A[j + k, j].

    Args:
        blocks: (3, T, 3, 3); block d, t holds rows of frame t + d and columns of frame t. Blocks
            that would lie below the last frame are not read.
        right: (T, 3) b.

    Returns:
        (T, 3) x.
    """
    frames = len(right)
    band = np.zeros((9, 3 * frames))
    for d in range(3):
        for row in range(3):
            for column in range(3):
                k = 3 * d + row - column
                if k >= 0:  # else above the diagonal: known by symmetry
                    band[k, column::3] = blocks[d, :, row, column]
    return np.asarray(linalg.solveh_banded(band, right.ravel(), lower=True)).reshape(frames, 3)
