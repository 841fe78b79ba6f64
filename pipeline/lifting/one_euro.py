"""The One-Euro filter (Casiez, Roussel and Vogel, CHI 2012), a causal low-pass filter.

Exponential smoothing whose cutoff frequency rises with speed, so that a person at rest does not
jitter and one who moves does not lag:

    v̂_i = v̂_i-1 + α(f_v) (v_i - v̂_i-1),           v_i = (x_i - x_i-1) / (Δt · height)
    x̂_i = x̂_i-1 + α(f_min + β |v̂_i|) (x_i - x̂_i-1)
    α(f) = r / (r + 1),                            r = 2π f Δt
"""

import numpy as np

from core.types import Floats

MIN_CUTOFF_HZ = 1.5
"""f_min: the cutoff at rest."""
SPEED_CUTOFF_HZ = 1.0
"""f_v: the cutoff for speeds."""
SLOPE = 5.0
"""β: how much the cutoff rises, in Hz, with a speed of one body height a second."""


class OneEuro:
    """Smooths positions sample by sample."""

    def __init__(self) -> None:
        self._smoothed: Floats | None = None
        self._last: Floats = np.zeros(0)
        self._speed: Floats = np.zeros(0)

    def __call__(self, values: Floats, elapsed_s: float, height: float) -> Floats:
        """Smooth the next sample.

        Args:
            values: Positions of any shape, the same in every call; NaN = missing.
            elapsed_s: Δt, seconds since the last sample.
            height: Height of the body, in the unit of `values`.

        Returns:
            Smoothed positions. NaN stays NaN, and what was NaN before starts anew.
        """
        if self._smoothed is None:
            self._smoothed, self._last, self._speed = values, values, np.zeros_like(values)
            return values
        speed = np.nan_to_num((values - self._last) / (elapsed_s * height))
        self._speed = self._speed + _weight(SPEED_CUTOFF_HZ, elapsed_s) * (speed - self._speed)
        weight = _weight(MIN_CUTOFF_HZ + SLOPE * np.abs(self._speed), elapsed_s)
        smoothed = self._smoothed + weight * (values - self._smoothed)
        self._last, self._smoothed = values, np.where(np.isnan(smoothed), values, smoothed)
        return self._smoothed


def _weight(cutoff_hz: Floats | float, elapsed_s: float) -> Floats | float:
    """α(f) of a cutoff frequency."""
    rate = 2 * np.pi * cutoff_hz * elapsed_s
    return rate / (rate + 1)
