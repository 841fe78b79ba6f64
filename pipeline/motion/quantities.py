"""What can be measured of a pose: one function a quantity, in one registry, and how sure each is.

A quantity is a function of a few joints' positions. To add one, write the function in `angles.py`
or `lengths.py` (or anywhere that is imported) and decorate it:

    @quantity("trunk_flexion", "deg", ("pelvis", "thorax"), about="…")
    def trunk_flexion(points: Floats) -> Floats: ...
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from core.registry import Registry
from core.skeletons import Skeleton
from core.types import Floats

DEGREES, METRES = "deg", "m"
AXIS_SHARE = 0.534
"""Of a joint's σ, its standard deviation along an axis: σ is the radius of the sphere in which the
joint lies in 68 of 100 cases, which for a normal distribution of three equal axes is 1.872 of
their standard deviations."""
_STEP_M = 1e-4  # of the differences that stand for derivatives

Function = Callable[[Floats], Floats]
"""Of positions (T, N, 3), metres, to numbers (T,)."""


@dataclass(frozen=True)
class Quantity:
    """One number of a pose.

    name, by which tables call it; unit, `DEGREES` or `METRES`; joints (N,) that it depends on,
    which may repeat; of, the function of their positions (T, N, 3), metres, world axes, to (T,);
    about, one line.
    """

    name: str
    unit: str
    joints: tuple[str, ...]
    of: Function
    about: str

    def is_known_of(self, skeleton: Skeleton) -> bool:
        """Whether a skeleton has all the joints."""
        return set(self.joints) <= set(skeleton.joints)

    def values(self, joints_m: Floats, skeleton: Skeleton) -> Floats:
        """Compute the quantity.

        Args:
            joints_m: (T, J, 3) metres, world axes.
            skeleton: Of the joints.

        Returns:
            (T,) in `unit`; NaN where a joint is missing, from the pose or from the skeleton.
        """
        if not self.is_known_of(skeleton):
            return np.full(len(joints_m), np.nan)
        return self.of(joints_m[:, skeleton.indices(self.joints)].astype(np.float64))

    def sigma(self, joints_m: Floats, sigma_m: Floats, skeleton: Skeleton) -> Floats:
        """Propagate the joints' uncertainty to first order (the delta method).

        With q the quantity and x a joint's coordinate of standard deviation σ_x,

            σ² = Σ_x (∂q/∂x σ_x)²,

        as if coordinates erred independently. (∂q/∂x)² is the mean square of the differences to
        either side, which also holds where q has its minimum, as at a straight knee.

        Args:
            joints_m: (T, J, 3) metres, world axes.
            sigma_m: (T, J) metres, how sure each joint is, as in `poses.npz`.
            skeleton: Of the joints.

        Returns:
            (T,) one standard deviation, in `unit`; NaN where one of a joint is not known.
        """
        if not self.is_known_of(skeleton):
            return np.full(len(joints_m), np.nan)
        columns = skeleton.indices(self.joints)
        points = joints_m[:, columns].astype(np.float64)
        value = self.of(points)
        variance = np.zeros(len(points))
        for joint, axis in product(sorted(set(columns)), range(3)):
            step = np.zeros(points.shape[1:])
            step[np.equal(columns, joint), axis] = _STEP_M
            changes = np.stack([self.of(points + step) - value, self.of(points - step) - value])
            if self.unit == DEGREES:
                changes = (changes + 180) % 360 - 180
            variance += ((changes / _STEP_M) ** 2).mean(0) * (AXIS_SHARE * sigma_m[:, joint]) ** 2
        return np.asarray(np.sqrt(variance))


QUANTITIES: Registry[Quantity] = Registry(
    "a quantity", ("pipeline.motion.angles", "pipeline.motion.lengths")
)


def quantity(
    name: str, unit: str, joints: tuple[str, ...], about: str
) -> Callable[[Function], Function]:
    """Register a function of joints' positions as a quantity; see `Quantity`.

    Raises:
        ValueError: The name is taken.
    """

    def register(of: Function) -> Function:
        QUANTITIES.add(name, Quantity(name, unit, joints, of, about), of.__module__)
        return of

    return register
