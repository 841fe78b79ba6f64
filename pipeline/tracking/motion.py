"""Where somebody will be: a Kalman filter whose speed dies away, so that nobody unseen walks off for ever."""

import math
from dataclasses import dataclass

import numpy as np

from core.types import Floats


@dataclass(frozen=True)
class Manner:
    """How people move: the spread of their speeds, statures a second, and how many seconds a speed lasts."""

    speed: float
    lasts_s: float


LIVELY = Manner(1.2, 1.0)
"""Whatever people do."""
STEADY = Manner(0.5, 3.0)
"""Whoever walks, walks on; whoever stands, stands."""
CHANGE_OF_MIND = 3.0
"""Minus the logarithm of how often people are lively rather than steady while nobody sees them."""
_SIGHT = 0.05  # statures: how far off the place of a sighting is


@dataclass(frozen=True)
class Motion:
    """Place and speed (2,), px and px a second; covariance (2, 2) of the two, px², the same along x and y."""

    place: Floats
    speed: Floats
    covariance: Floats

    @classmethod
    def begin(cls, place: Floats, stature: float) -> "Motion":
        """Somebody of `stature` px seen for the first time, at `place` (2,) px."""
        return cls(place, np.zeros(2), np.diag([_SIGHT**2, LIVELY.speed**2]) * stature**2)

    def after(self, seconds: float, stature: float, manner: Manner = LIVELY) -> "Motion":
        """What is known some time later: an integrated Ornstein-Uhlenbeck process."""
        speed, lasts = manner.speed, manner.lasts_s
        left = np.exp(-seconds / lasts)
        step = np.array([[1.0, lasts * (1 - left)], [0.0, left]])
        wander = (speed * lasts) ** 2 * (2 * seconds / lasts - 3 + 4 * left - left**2)
        mixed = speed**2 * lasts * (1 - left) ** 2
        noise = np.array([[wander, mixed], [mixed, speed**2 * (1 - left**2)]]) * stature**2
        return Motion(
            self.place + step[0, 1] * self.speed,
            left * self.speed,
            step @ self.covariance @ step.T + noise,
        )

    def seen_at(self, place: Floats, stature: float) -> "Motion":
        """Corrected by a sighting at `place` (2,) px."""
        gain = self.covariance[:, 0] / self._spread(stature)
        off = place - self.place
        covariance = self.covariance - np.outer(gain, self.covariance[0])
        return Motion(self.place + gain[0] * off, self.speed + gain[1] * off, covariance)

    def reversed(self) -> "Motion":
        """The same, with time running backwards."""
        return Motion(self.place, -self.speed, self.covariance * [[1, -1], [-1, 1]])

    def surprise(self, other: "Motion", stature: float) -> float:
        """Minus the logarithm of how likely two independent beliefs about one place and speed are true together."""
        covariance = (self.covariance + other.covariance) / stature**2
        off = np.stack([other.place - self.place, other.speed - self.speed]) / stature
        return float(
            (off * np.linalg.solve(covariance, off)).sum() / 2 + np.log(np.linalg.det(covariance))
        )

    def place_surprise(self, place: Floats, stature: float) -> float:
        """Minus the logarithm of how likely a sighting at `place` (2,) is."""
        variance = self._spread(stature)
        return float(((place - self.place) ** 2).sum()) / (2 * variance) + math.log(
            variance / stature**2
        )

    def _spread(self, stature: float) -> float:
        """Variance, px² along each axis, of where a sighting is expected."""
        return float(self.covariance[0, 0]) + (_SIGHT * stature) ** 2
