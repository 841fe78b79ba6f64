"""Motion of a person in the picture: a Kalman filter on an integrated Ornstein-Uhlenbeck process.

State, for each of the axes x and y, which are independent:

    x = (p, v)       position p, px, and velocity v, px/s
    P (2, 2)         its covariance; one matrix serves both axes

Motion model: the velocity is an Ornstein-Uhlenbeck process with standard deviation σ and time
constant τ, dv = -v/τ dt + σ √(2/τ) dW, and the position its integral. Unlike a constant velocity
it is forgotten while a person is not seen: the prediction comes to a halt, and in the long run the
variance of the position grows linearly, not with the third power of time. Over Δ seconds, with
a = exp(-Δ/τ), its exact discretisation is x' = F x + w, w ~ N(0, Q):

    F = | 1  τ(1 - a) |     Q = σ² | τ² (2Δ/τ - 3 + 4a - a²)   τ (1 - a)² |
        | 0      a    |            |      τ (1 - a)²             1 - a²   |

Measurement: the position alone, z = H x + r, H = (1 0), r ~ N(0, R).

All spreads are given in statures of the person (the height in px), which makes them independent of
the distance to the camera and of the resolution.

Sources: Kalman, "A New Approach to Linear Filtering and Prediction Problems", 1960; Uhlenbeck and
Ornstein, "On the Theory of the Brownian Motion", 1930; the discretisation: Gillespie, "Exact
numerical simulation of the Ornstein-Uhlenbeck process and its integral", 1996.
"""

import math
from dataclasses import dataclass

import numpy as np

from core.types import Floats

_MEASUREMENT_STD = 0.05  # √R, statures


@dataclass(frozen=True)
class MotionModel:
    """Parameters of the process.

    speed_std: σ, standard deviation of the velocity along an axis, statures per second.
    time_constant_s: τ, after which a velocity has decayed to 1/e.
    """

    speed_std: float
    time_constant_s: float


MANEUVERING = MotionModel(1.2, 1.0)
"""Starts, stops, turns, jumps: fast, and soon at another speed."""
STEADY = MotionModel(0.5, 3.0)
"""Walks on, or stands on."""
MANEUVERING_COST = 3.0
"""-ln of the odds of maneuvering against steady motion while a person is not seen."""


@dataclass(frozen=True)
class KalmanState:
    """Estimate of position and velocity.

    position (2,) px; velocity (2,) px/s; covariance P (2, 2) of the two, px and seconds, the same
    along both axes.
    """

    position: Floats
    velocity: Floats
    covariance: Floats

    @classmethod
    def initial(cls, position: Floats, stature: float) -> "KalmanState":
        """The state after the first measurement, at rest with the spread of any motion.

        Args:
            position: (2,) px.
            stature: Height of the person, px.
        """
        variances = [_MEASUREMENT_STD**2, MANEUVERING.speed_std**2]
        return cls(position, np.zeros(2), np.diag(variances) * stature**2)

    def predict(
        self, seconds: float, stature: float, model: MotionModel = MANEUVERING
    ) -> "KalmanState":
        """Kalman prediction: x' = F x, P' = F P Fᵀ + Q.

        Args:
            seconds: Δ, time from this state to the predicted one.
            stature: Height of the person, px.
            model: σ and τ.
        """
        sigma = model.speed_std
        tau = model.time_constant_s
        a = np.exp(-seconds / tau)
        transition = np.array([[1.0, tau * (1 - a)], [0.0, a]])  # F
        # The entries of Q.
        position_variance = (sigma * tau) ** 2 * (2 * seconds / tau - 3 + 4 * a - a**2)
        cross_covariance = sigma**2 * tau * (1 - a) ** 2
        velocity_variance = sigma**2 * (1 - a**2)
        noise = stature**2 * np.array(  # Q, in px
            [[position_variance, cross_covariance], [cross_covariance, velocity_variance]]
        )
        return KalmanState(
            self.position + transition[0, 1] * self.velocity,
            a * self.velocity,
            transition @ self.covariance @ transition.T + noise,  # F P Fᵀ + Q
        )

    def update(self, position: Floats, stature: float) -> "KalmanState":
        """Kalman correction by a measured position.

        With S = H P Hᵀ + R: K = P Hᵀ / S, x' = x + K (z - H x), P' = P - K H P.

        Args:
            position: z (2,) px.
            stature: Height of the person, px.
        """
        # H = (1 0) picks the first column of P as P Hᵀ and its first row as H P.
        gain = self.covariance[:, 0] / self._innovation_variance(stature)  # K
        innovation = position - self.position  # z - H x
        covariance = self.covariance - np.outer(gain, self.covariance[0])  # P - K H P
        return KalmanState(
            self.position + gain[0] * innovation, self.velocity + gain[1] * innovation, covariance
        )

    def time_reversed(self) -> "KalmanState":
        """The same estimate with time running backwards: the velocity changes its sign."""
        return KalmanState(self.position, -self.velocity, self.covariance * [[1, -1], [-1, 1]])

    def position_cost(self, position: Floats, stature: float) -> float:
        """Negative log-likelihood of a measured position, up to a constant.

        -ln N(z; H x, S) over both axes: ‖z - H x‖² / (2 S) + ln S, with S in statures².

        Args:
            position: z (2,) px.
            stature: Height of the person, px.
        """
        variance = self._innovation_variance(stature)
        distance2 = float(((position - self.position) ** 2).sum())
        return distance2 / (2 * variance) + math.log(variance / stature**2)

    def state_cost(self, other: "KalmanState", stature: float) -> float:
        """Negative log-likelihood that two estimates are of one state, up to a constant.

        For independent estimates, with d = x' - x along an axis and C = P + P', in statures:
        ½ Σ dᵀ C⁻¹ d + ln det C, the sum over both axes.

        Args:
            other: x', P', for the same moment.
            stature: Height of the person, px.
        """
        covariance = (self.covariance + other.covariance) / stature**2  # C
        position_gap = other.position - self.position
        velocity_gap = other.velocity - self.velocity
        d = np.stack([position_gap, velocity_gap]) / stature  # rows: p, v; columns: x, y
        mahalanobis2 = (d * np.linalg.solve(covariance, d)).sum()  # Σ dᵀ C⁻¹ d
        return float(mahalanobis2 / 2 + np.log(np.linalg.det(covariance)))

    def _innovation_variance(self, stature: float) -> float:
        """S = H P Hᵀ + R, px² along each axis."""
        return float(self.covariance[0, 0]) + (_MEASUREMENT_STD * stature) ** 2


def motion_cost(state: KalmanState, later: KalmanState, seconds: float, stature: float) -> float:
    """Negative log-likelihood, up to a constant, that a motion becomes another.

    That of steady motion through the gap or, less likely, of maneuvering:
    min_m `KalmanState.state_cost` + cₘ, c = 0 and `MANEUVERING_COST`.

    Args:
        state: The motion before a gap.
        later: That after it.
        seconds: Δ, the time between both.
        stature: Height of the person, px.
    """
    steady = state.predict(seconds, stature, STEADY)
    maneuvering = state.predict(seconds, stature, MANEUVERING)
    return min(
        steady.state_cost(later, stature),
        maneuvering.state_cost(later, stature) + MANEUVERING_COST,
    )
