"""How long frames take, over runs of any length."""

import time

import numpy as np
from numpy.typing import NDArray

_LONGEST_MS = 10_000


class Latency:
    """Times from a frame's arrival on, in bins of a millisecond."""

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] = np.zeros(_LONGEST_MS + 1, np.int64)

    def since(self, arrived_s: float) -> None:
        """Count what came at `arrived_s`, by `time.monotonic`, as done now."""
        self._counts[min(int(1000 * (time.monotonic() - arrived_s)), _LONGEST_MS)] += 1

    def percentile_ms(self, percent: float) -> int | None:
        """Milliseconds within which so many were done; None before the first."""
        total = int(self._counts.sum())
        if not total:
            return None
        return int(np.searchsorted(np.cumsum(self._counts), percent / 100 * total))

    def as_dict(self) -> dict[str, int | None]:
        """For reports."""
        return {"p50": self.percentile_ms(50), "p95": self.percentile_ms(95)}
