"""The shape of a rigid foot, and its axes: which way it points, how it is pitched and rolled."""

from dataclasses import dataclass

import numpy as np

from core.rotations import cross, from_rotation_vectors, unit_vectors
from core.skeletons import H36M_21
from core.types import Floats
from pipeline.grounding.feet.soles import ANKLES

HEELS = H36M_21.indices(("l_heel", "r_heel"))
TOES = H36M_21.indices(("l_toe", "r_toe"))

_UP = np.array([0.0, 0.0, 1.0])
_NEVER_ZERO = 1e-9  # metres, added where a direction might have no length


@dataclass(frozen=True)
class FootShape:
    """A rigid foot from the side, metres: both of a person's feet have one shape.

    height_m of the ankle above the sole; the heel is back_m behind it, the toe front_m before it.
    """

    height_m: float
    back_m: float
    front_m: float

    @classmethod
    def of(cls, joints: Floats) -> "FootShape":
        """The triangle whose sides are the medians, over time and feet, of lifted distances.

        With a from heel to ankle, b from ankle to toe and c from heel to toe, the ankle's foot of
        the perpendicular is (a² + c² - b²) / (2 c) from the heel.

        Args:
            joints: (T, 21, 3) metres.
        """
        ankle, heel, toe = (joints[:, points] for points in (ANKLES, HEELS, TOES))
        a, b, c = (
            max(float(np.median(np.linalg.norm(one - other, axis=-1))), _NEVER_ZERO)
            for one, other in ((heel, ankle), (ankle, toe), (heel, toe))
        )
        back = np.clip((a**2 + c**2 - b**2) / (2 * c), -a, a)
        return cls(float(np.sqrt(a**2 - back**2)), float(back), float(c - back))

    @property
    def heel(self) -> Floats:
        """(3,) from the ankle to the heel in the foot's axes: forwards, left, up."""
        return np.array([-self.back_m, 0.0, -self.height_m])

    @property
    def toe(self) -> Floats:
        """(3,) from the ankle to the toe in the foot's axes."""
        return np.array([self.front_m, 0.0, -self.height_m])


def foot_axes(joints: Floats, foot: int) -> Floats:
    """(T, 3, 3) a foot's axes as columns: forwards along the sole, left, up."""
    return _axes_of(*(joints[:, points[foot]] for points in (ANKLES, HEELS, TOES)))


def axes_of_feet(joints: Floats) -> Floats:
    """(T, 2, 3, 3) the axes of both feet, as `foot_axes`."""
    return _axes_of(*(joints[:, points] for points in (ANKLES, HEELS, TOES)))


def _axes_of(ankle: Floats, heel: Floats, toe: Floats) -> Floats:
    forwards = unit_vectors(toe - heel + [_NEVER_ZERO, 0.0, 0.0])
    left = cross(ankle - heel + _NEVER_ZERO * _UP, forwards)
    return _axes(forwards, unit_vectors(left))


def level_axes(forwards: Floats) -> Floats:
    """(…, 3, 3) axes of feet that lie flat and point forwards (…, 3) as far as that is level."""
    level = unit_vectors(forwards * [1.0, 1.0, 0.0] + [_NEVER_ZERO, 0.0, 0.0])
    return _axes(level, cross(_UP, level))


def _axes(forwards: Floats, left: Floats) -> Floats:
    return np.stack([forwards, left, cross(forwards, left)], axis=-1)


def pitch_of(axes: Floats) -> Floats:
    """(…,) radians by which feet point upwards."""
    return np.asarray(np.arcsin(np.clip(axes[..., 2, 0], -1.0, 1.0)))


def cos_roll(axes: Floats) -> Floats:
    """(…,) cosine of the angle by which feet are tilted sideways."""
    return np.asarray(np.maximum(axes[..., 2, 2], 0.0) / np.maximum(np.cos(pitch_of(axes)), 1e-3))


def with_pitch(axes: Floats, pitch: Floats) -> Floats:
    """Axes turned about their level sideways axis until they point upwards by `pitch` (…,)."""
    sideways = cross(_UP, unit_vectors(axes[..., 0] * [1.0, 1.0, 0.0]))
    turn = from_rotation_vectors((pitch_of(axes) - pitch)[..., None] * sideways)
    return np.asarray(turn @ axes)


def above_floor(axes: Floats, ankle_height: Floats, shape: FootShape) -> Floats:
    """Axes of feet pitched so far that neither heel nor toe is in the floor.

    With roll ρ, H = height cos ρ, r = √(H² + front²) and δ = atan(front / H), a foot that points
    down by φ has its toe r cos(φ - δ) below the ankle. That is more than the ankle's height h, and
    the toe in the floor, where |φ - δ| < acos(h / r); then φ is moved to the nearer end of this
    interval. Likewise for the heel of a foot that points up.

    Args:
        axes: (…, 3, 3).
        ankle_height: (…,) metres above the floor.
        shape: Of the foot.
    """
    height = np.maximum(shape.height_m * cos_roll(axes), _NEVER_ZERO)  # H

    def freed(down: Floats, length: float) -> Floats:
        reach = np.hypot(height, length)  # r
        deepest = np.arctan2(length, height)  # δ
        sunk = np.arccos(np.clip(ankle_height / reach, -1.0, 1.0))
        nearest = deepest + np.where(down < deepest, -sunk, sunk)
        return np.where(np.abs(down - deepest) < sunk, nearest, down)

    pitch = -freed(-pitch_of(axes), shape.front_m)
    return with_pitch(axes, freed(pitch, shape.back_m))


def attach_foot(joints: Floats, foot: int, axes: Floats, shape: FootShape) -> None:
    """Put a foot of some shape, with axes (T, 3, 3), to its ankle in `joints` (T, 21, 3)."""
    ankle = joints[:, ANKLES[foot]]
    joints[:, HEELS[foot]] = ankle + axes @ shape.heel
    joints[:, TOES[foot]] = ankle + axes @ shape.toe
