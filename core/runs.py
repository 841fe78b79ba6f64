"""Runs of frames, and spans of time, in which something is so."""

import numpy as np
from numpy.typing import NDArray


def true_runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of True in `mask` (T,), as (start, stop)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def consecutive_runs(numbers: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Runs of rising `numbers` (N,) without one left out, as (start, stop) of their indices."""
    edges = np.flatnonzero(np.diff(numbers) > 1) + 1
    if not len(numbers):
        return []
    starts = [0, *edges.tolist()]
    return list(zip(starts, [*edges.tolist(), len(numbers)], strict=True))


def add_span(spans: list[tuple[float, float]], start: float, stop: float, apart: float) -> None:
    """Append a span to those before it, or lengthen the last one if it is closer than `apart`."""
    if spans and start - spans[-1][1] < apart:
        start = spans.pop()[0]
    spans.append((start, stop))
