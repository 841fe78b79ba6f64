"""Feet of live people, held where they set down, from the past alone."""

from dataclasses import dataclass, field

import numpy as np

from core.rotations import from_rotation_vectors, rotation_vectors
from core.types import Floats
from pipeline.grounding.feet.offsets import limited
from pipeline.grounding.feet.planting import with_feet
from pipeline.grounding.feet.shape import FootShape, axes_of_feet, cos_roll, level_axes
from pipeline.grounding.feet.soles import ANKLES, Bools

_HOLD_S = 0.1  # over which a live foot gets level, and what held it ends
_MAX_HELD_M = 0.12  # by which a live foot is moved at most: the path is not corrected for it
_SHAPE_EVERY_S = 1.0  # between two measurements of a live foot's shape


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

    def next_turn(self, axes: Floats, is_flat: bool, elapsed_s: float) -> Floats:
        """(3,) the turn of a foot of axes (3, 3): to level where it is flat; it sets in and ends
        smoothly."""
        if is_flat:
            if self.ahead is None:
                self.ahead = (from_rotation_vectors(self.turn_left * self.turn) @ axes)[:, 0]
            self.turn = rotation_vectors(level_axes(self.ahead) @ axes.T)
        else:
            self.ahead = None
        step = elapsed_s / _HOLD_S
        self.turn_left = min(max(self.turn_left + (step if is_flat else -step), 0.0), 1.0)
        return self.turn_left * self.turn

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
        axes, targets = axes_of_feet(last), last[:, ANKLES].copy()
        own_contacts = contacts.reshape(2, 2)
        turns = [
            held.next_turn(own_axes, bool(own.all()), elapsed_s)
            for held, own_axes, own in zip(self._feet, axes[0], own_contacts, strict=True)
        ]
        axes = from_rotation_vectors(np.stack(turns)) @ axes
        ends = np.stack([axes[0] @ shape.heel, axes[0] @ shape.toe], 1)
        for foot, held in enumerate(self._feet):
            targets[0, foot] = held.moved(
                targets[0, foot], ends[foot], own_contacts[foot], level_m, elapsed_s
            )
        targets[..., 2] = np.maximum(targets[..., 2], shape.height_m * cos_roll(axes))
        in_contact = np.asarray(own_contacts[None].any(-1))
        return np.asarray(with_feet(last, targets, in_contact, axes, shape, fps=1.0)[0])
