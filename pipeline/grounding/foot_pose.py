"""Rigid feet that lie on the floor: flat in foot-flat, turning about the planted toe in heel-off.

A lifted foot is 20 cm long and its direction is off by 10° or more, so its toe seems to be some
centimetres in the floor or in the air. What is known better: a foot is rigid, it is level while its
heel and toe rest, and it is never in the floor. The order is that of `world`: `level_feet` before
the root path, which then meets feet that agree with their contacts; `plant_feet` after it.
"""

from dataclasses import dataclass, field

import numpy as np

from core.rotations import from_rotation_vectors, rotation_vectors, unit_vectors
from core.skeletons import H36M_21
from core.types import Floats
from pipeline.grounding.contacts import ANKLES, Bools, Support
from pipeline.grounding.leg_ik import fade_between, limited, reach_with_legs

HEELS = H36M_21.indices(("l_heel", "r_heel"))
TOES = H36M_21.indices(("l_toe", "r_toe"))

_UP = np.array([0.0, 0.0, 1.0])
_HOLD_S = 0.1  # over which a live foot gets level, and what held it ends
_MAX_HELD_M = 0.12  # by which a live foot is moved at most: the path is not corrected for it
_SHAPE_EVERY_S = 1.0  # between two measurements of a live foot's shape
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


def level_feet(joints: Floats, contacts: Bools, fps: float) -> Floats:
    """Make feet rigid, and level wherever heel and toe are in contact; ankles stay.

    Around foot-flat frames the correction fades out. In contact with one end only, a foot does not
    point into the ground.

    Args:
        joints: (T, 21, 3) metres, z up.
        contacts: (T, 4) bool: left heel, left toe, right heel, right toe.
        fps: Frames a second.

    Returns:
        (T, 21, 3) with heels and toes changed.
    """
    levelled = joints.copy()
    if not len(joints):
        return levelled
    shape = FootShape.of(joints)
    for foot in range(2):
        heel, toe = contacts[:, 2 * foot], contacts[:, 2 * foot + 1]
        axes = _foot_axes(joints, foot)
        axes = _turned(axes, _level_axes(axes[..., 0]), heel & toe, fps)
        pitch = _pitch(axes)
        pitch = np.where(toe, np.minimum(pitch, 0.0), pitch)
        axes = _with_pitch(axes, np.where(heel, np.maximum(pitch, 0.0), pitch))
        _attach(levelled, foot, axes, shape)
    return levelled


def plant_feet(joints: Floats, supports: list[Support], fps: float) -> Floats:
    """Fix each heel and toe in contact to one point; legs follow, and no foot is in the floor.

    Args:
        joints: (T, 21, 3) metres, z up, floor at 0, as from `level_feet`.
        supports: The person's contacts and what they rest on.
        fps: Frames a second.

    Returns:
        (T, 21, 3) with knees, ankles, heels and toes changed.
    """
    if not len(joints):
        return joints
    shape = FootShape.of(joints)
    every_axes, targets = [], joints[:, ANKLES].copy()
    in_contact = np.zeros(targets.shape[:2], dtype=bool)
    for foot in range(2):
        heel, toe = _pins(joints, foot, supports, shape)
        axes = _foot_axes(joints, foot)
        flat = _are_known(heel + toe)
        axes = _turned(axes, _level_axes(np.where(flat[:, None], toe - heel, 1.0)), flat, fps)
        ankle = np.where(np.isfinite(toe), toe - axes @ shape.toe, heel - axes @ shape.heel)
        known = in_contact[:, foot] = _are_known(ankle)
        offsets = limited(np.where(known[:, None], ankle - targets[:, foot], 0.0))
        targets[:, foot] += fade_between(offsets, known, fps)
        lowest = shape.height_m * _cos_roll(axes)
        targets[:, foot, 2] = np.maximum(targets[:, foot, 2], lowest)
        every_axes.append(axes)
    return _with_feet(joints, targets, in_contact, every_axes, shape, fps)


@dataclass
class _HeldFoot:
    """What holds one foot of a live person.

    end: of the foot that is held, 0 the heel and 1 the toe, None in the air; point (3,) where;
    gap_m by how much it was above there; ahead (3,) where a flat foot points; offset (3,) of the
    ankle and turn (3,), a rotation vector, as last held, and what is left of both, 0…1.
    """

    end: int | None = None
    point: Floats = field(default_factory=lambda: np.zeros(3))
    gap_m: float = 0.0
    ahead: Floats | None = None
    offset: Floats = field(default_factory=lambda: np.zeros(3))
    turn: Floats = field(default_factory=lambda: np.zeros(3))
    offset_left: float = 0.0
    turn_left: float = 0.0

    def turned(self, axes: Floats, is_flat: bool, elapsed_s: float) -> Floats:
        """The foot's axes (3, 3), level where it is flat; sets in and ends smoothly."""
        if is_flat:
            if self.ahead is None:
                self.ahead = (self._last_turn @ axes)[:, 0]
            self.turn = rotation_vectors(_level_axes(self.ahead) @ axes.T)
        else:
            self.ahead = None
        step = elapsed_s / _HOLD_S
        self.turn_left = float(np.clip(self.turn_left + (step if is_flat else -step), 0.0, 1.0))
        return np.asarray(self._last_turn @ axes)

    @property
    def _last_turn(self) -> Floats:
        """(3, 3) what is left of the turn."""
        return from_rotation_vectors(self.turn_left * self.turn)

    def moved(
        self, ankle: Floats, ends: Floats, contacts: Bools, level_m: float, elapsed_s: float
    ) -> Floats:
        """The ankle (3,) of a foot whose end in contact stays where it set down.

        ends (2, 3) are heel and toe from the ankle; contacts (2,) theirs.
        """
        if not contacts.any():
            self.end = None
            self.offset_left = max(self.offset_left - elapsed_s / _HOLD_S, 0.0)
            return np.asarray(ankle + self.offset_left * self.offset)
        if self.end is None or not contacts[self.end]:
            self.end = 0 if contacts[0] else 1
            self.point = ankle + self.offset_left * self.offset + ends[self.end]
            self.gap_m = self.point[2] - level_m
        self.gap_m *= np.exp(-elapsed_s / _HOLD_S)
        self.point[2] = level_m + self.gap_m
        self.offset = limited(self.point - ends[self.end] - ankle, _MAX_HELD_M)
        self.offset_left = 1.0
        return np.asarray(ankle + self.offset)


class HeldFeet:
    """Both feet of one live person: rigid, level while flat, held by one end while in contact.

    From the past alone: an end stays where it was when its contact began, and nothing changes
    before.
    """

    def __init__(self) -> None:
        self._feet = (_HeldFoot(), _HeldFoot())
        self._shape: FootShape | None = None
        self._shape_age_s = 0.0

    def hold(self, joints: Floats, contacts: Bools, level_m: float, elapsed_s: float) -> Floats:
        """Hold the feet of one more frame.

        Args:
            joints: (T, 21, 3) metres, z up, floor at 0, of the last seconds.
            contacts: (4,) of the last frame: left heel, left toe, right heel, right toe.
            level_m: Height of what the person is on, above the floor.
            elapsed_s: Seconds since the frame before.

        Returns:
            (21, 3) of the last frame, with knees, ankles, heels and toes changed.
        """
        self._shape_age_s += elapsed_s
        if self._shape is None or self._shape_age_s > _SHAPE_EVERY_S:
            self._shape, self._shape_age_s = FootShape.of(joints), 0.0
        shape, last = self._shape, joints[-1:]
        every_axes, targets = [], last[:, ANKLES].copy()
        for foot, held in enumerate(self._feet):
            own = contacts[2 * foot : 2 * foot + 2]
            axes = held.turned(_foot_axes(last, foot)[0], bool(own.all()), elapsed_s)[None]
            ends = np.stack([axes[0] @ shape.heel, axes[0] @ shape.toe])
            targets[0, foot] = held.moved(targets[0, foot], ends, own, level_m, elapsed_s)
            targets[:, foot, 2] = np.maximum(targets[:, foot, 2], shape.height_m * _cos_roll(axes))
            every_axes.append(axes)
        in_contact = np.asarray(contacts.reshape(1, 2, 2).any(-1))
        held_joints = _with_feet(last, targets, in_contact, every_axes, shape, fps=1.0)
        return np.asarray(held_joints[0])


def _with_feet(
    joints: Floats,
    ankles: Floats,
    in_contact: Bools,
    axes: list[Floats],
    shape: FootShape,
    fps: float,
) -> Floats:
    """Legs that reach ankles (T, 2, 3), with feet of such axes (T, 3, 3) above the floor."""
    planted = reach_with_legs(joints, ankles, in_contact, fps)
    for foot, own in enumerate(axes):
        _attach(planted, foot, _above_floor(own, planted[:, ANKLES[foot], 2], shape), shape)
    return planted


def _pins(
    joints: Floats, foot: int, supports: list[Support], shape: FootShape
) -> tuple[Floats, Floats]:
    """Where a foot's heel and toe rest, (T, 3) each; NaN where they do not.

    A contact that sets in while the foot's other end rests lies a foot's length from it.
    """
    pins = np.full((2, len(joints), 3), np.nan)
    length = shape.back_m + shape.front_m
    own = [support for support in supports if support.contact.point // 2 == foot]
    for support in sorted(own, key=lambda support: support.contact.start):
        rows, end = support.contact.frames, support.contact.point % 2  # end: 0 heel, 1 toe
        point = np.median(joints[rows, (HEELS, TOES)[end][foot]], axis=0)
        point[2] = support.level_m
        both = np.flatnonzero(np.isfinite(pins[1 - end, rows, 0]))
        if len(both):
            other = pins[1 - end, rows][both[0]]
            ahead = _foot_axes(joints[rows][both], foot)[..., 0].mean(0) * [1.0, 1.0, 0.0]
            point = other + (length if end else -length) * unit_vectors(ahead)
        pins[end, rows] = point
    return pins[0], pins[1]


def _are_known(points: Floats) -> Bools:
    """(T,) which points (T, 3) are not NaN."""
    return np.asarray(np.isfinite(points).all(-1))


def _foot_axes(joints: Floats, foot: int) -> Floats:
    """(T, 3, 3) a foot's axes as columns: forwards along the sole, left, up."""
    ankle, heel, toe = (joints[:, points[foot]] for points in (ANKLES, HEELS, TOES))
    forwards = unit_vectors(toe - heel + [_NEVER_ZERO, 0.0, 0.0])
    left = np.cross(ankle - heel + _NEVER_ZERO * _UP, forwards)
    return _axes(forwards, unit_vectors(left))


def _level_axes(forwards: Floats) -> Floats:
    """(T, 3, 3) axes of feet that lie flat and point forwards (T, 3) as far as that is level."""
    level = unit_vectors(forwards * [1.0, 1.0, 0.0] + [_NEVER_ZERO, 0.0, 0.0])
    return _axes(level, np.cross(_UP, level))


def _axes(forwards: Floats, left: Floats) -> Floats:
    return np.stack([forwards, left, np.cross(forwards, left)], axis=-1)


def _turned(axes: Floats, goal: Floats, known: Bools, fps: float) -> Floats:
    """Axes (T, 3, 3) turned to their goal where it is known (T,), and less and less around there.

    The turn is a rotation vector, which fades as offsets do.
    """
    turn = rotation_vectors(goal @ np.swapaxes(axes, -1, -2))
    faded = fade_between(np.where(known[:, None], turn, 0.0), known, fps)
    return np.asarray(from_rotation_vectors(faded) @ axes)


def _pitch(axes: Floats) -> Floats:
    """(T,) radians by which feet point upwards."""
    return np.asarray(np.arcsin(np.clip(axes[:, 2, 0], -1.0, 1.0)))


def _cos_roll(axes: Floats) -> Floats:
    """(T,) cosine of the angle by which feet are tilted sideways."""
    return np.asarray(np.maximum(axes[:, 2, 2], 0.0) / np.maximum(np.cos(_pitch(axes)), 1e-3))


def _with_pitch(axes: Floats, pitch: Floats) -> Floats:
    """Axes turned about their level sideways axis until they point upwards by `pitch` (T,)."""
    sideways = np.cross(_UP, unit_vectors(axes[..., 0] * [1.0, 1.0, 0.0]))
    turn = from_rotation_vectors((_pitch(axes) - pitch)[:, None] * sideways)
    return np.asarray(turn @ axes)


def _above_floor(axes: Floats, ankle_height: Floats, shape: FootShape) -> Floats:
    """Axes of feet pitched so far that neither heel nor toe is in the floor.

    With roll ρ, H = height cos ρ, r = √(H² + front²) and δ = atan(front / H), a foot that points
    down by φ has its toe r cos(φ - δ) below the ankle. That is more than the ankle's height h, and
    the toe in the floor, where |φ - δ| < acos(h / r); then φ is moved to the nearer end of this
    interval. Likewise for the heel of a foot that points up.

    Args:
        axes: (T, 3, 3).
        ankle_height: (T,) metres above the floor.
        shape: Of the foot.
    """
    height = np.maximum(shape.height_m * _cos_roll(axes), _NEVER_ZERO)  # H

    def freed(down: Floats, length: float) -> Floats:
        reach = np.hypot(height, length)  # r
        deepest = np.arctan2(length, height)  # δ
        sunk = np.arccos(np.clip(ankle_height / reach, -1.0, 1.0))
        nearest = deepest + np.where(down < deepest, -sunk, sunk)
        return np.where(np.abs(down - deepest) < sunk, nearest, down)

    pitch = -freed(-_pitch(axes), shape.front_m)
    return _with_pitch(axes, freed(pitch, shape.back_m))


def _attach(joints: Floats, foot: int, axes: Floats, shape: FootShape) -> None:
    """Put a foot of some shape, with axes (T, 3, 3), to its ankle in `joints` (T, 21, 3)."""
    ankle = joints[:, ANKLES[foot]]
    joints[:, HEELS[foot]] = ankle + axes @ shape.heel
    joints[:, TOES[foot]] = ankle + axes @ shape.toe
