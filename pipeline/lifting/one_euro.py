"""The One-Euro filter (Casiez, Roussel and Vogel, CHI 2012): it looks only back, as a live camera must.

A low-pass filter whose cutoff rises with speed: what rests does not tremble, what moves does not lag.
"""

import numpy as np

from core.types import Floats

MIN_CUTOFF_HZ, SPEED_CUTOFF_HZ = 1.5, 1.0
SLOPE = 5.0
"""By how much the cutoff rises, in Hz, with a speed of one body height a second."""


class OneEuro:
    """Smooths positions of one shape, sample by sample; `height` is a body's, in the same unit."""

    def __init__(self) -> None:
        self._smoothed: Floats | None = None
        self._last: Floats = np.zeros(0)
        self._speed: Floats = np.zeros(0)

    def __call__(self, values: Floats, elapsed_s: float, height: float) -> Floats:
        """The next sample, `elapsed_s` after the last one. NaN stays NaN; what was NaN before starts anew."""
        if self._smoothed is None:
            self._smoothed, self._last, self._speed = values, values, np.zeros_like(values)
            return values
        raw = np.nan_to_num((values - self._last) / (elapsed_s * height))
        self._speed = self._speed + _weight(SPEED_CUTOFF_HZ, elapsed_s) * (raw - self._speed)
        weight = _weight(MIN_CUTOFF_HZ + SLOPE * np.abs(self._speed), elapsed_s)
        smoothed = self._smoothed + weight * (values - self._smoothed)
        self._last, self._smoothed = values, np.where(np.isnan(smoothed), values, smoothed)
        return self._smoothed


def _weight(cutoff_hz: Floats | float, elapsed_s: float) -> Floats | float:
    rate = 2 * np.pi * cutoff_hz * elapsed_s
    return rate / (rate + 1)
