"""How long frames take, in memory that does not grow with the run."""

import time

import numpy as np
from numpy.typing import NDArray

_MAX_MS = 10_000


class Latency:
    """A histogram of the times from a frame's arrival, in bins of a millisecond."""

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] = np.zeros(_MAX_MS + 1, np.int64)

    def add(self, arrived_s: float) -> None:
        """Count a frame that came at `arrived_s`, by `time.monotonic`, and is done now."""
        self._counts[min(int(1000 * (time.monotonic() - arrived_s)), _MAX_MS)] += 1

    def percentile_ms(self, percent: float) -> int | None:
        """Milliseconds within which `percent` of the frames were done; None before the first."""
        total = int(self._counts.sum())
        if not total:
            return None
        return int(np.searchsorted(np.cumsum(self._counts), percent / 100 * total))

    def as_dict(self) -> dict[str, int | None]:
        """Median and 95th percentile in milliseconds, for reports."""
        return {"p50": self.percentile_ms(50), "p95": self.percentile_ms(95)}
