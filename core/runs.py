"""Runs of frames, and spans of time, in which something is so."""

import numpy as np
from numpy.typing import NDArray


def true_runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of True in `mask` (T,), as (start, stop)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def add_span(spans: list[tuple[float, float]], start: float, stop: float, apart: float) -> None:
    """Append a span to those before it, or lengthen the last one if it is closer than `apart`."""
    if spans and start - spans[-1][1] < apart:
        start = spans.pop()[0]
    spans.append((start, stop))
