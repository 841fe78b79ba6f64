"""Second looks at people by another network, by turns: one of a person serves for some frames.

By how much the two networks' points differ, in the size of the body, changes slowly: most of it
comes from the person, their clothes and how they are seen. So it is carried along.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.types import Floats, Picture
from detectors.blazepose.clearness import COCO, LIMBS
from detectors.blazepose.networks.calls import Calls
from detectors.blazepose.networks.models import Landmarks

Look = Callable[[Picture, Landmarks], Floats]
"""A look at a person in a frame (H, W, 3): by how much their points of COCO-17 are to move, (17, 2)
in the body's size."""


@dataclass(frozen=True, eq=False)
class Shift:
    """By how much a person's points are to move, since a look at them.

    by: (17, 2) in the body's size.
    frames: From that look to the present frame.
    """

    by: Floats
    frames: float

    def of(self, person: Landmarks) -> Landmarks:
        """The person with points moved; those that COCO-17 lacks stay."""
        xy = person.xy.copy()
        xy[COCO] += self.by * body_size(person)
        return replace(person, xy=xy)


UNSEEN = Shift(np.zeros((len(COCO), 2)), math.inf)
"""That of a person at whom no one has looked."""
NONE_YET = replace(UNSEEN, frames=0)
"""That of a person at whom no one will look for a while."""


@dataclass(frozen=True)
class Turns:
    """Whose turn it is to be looked at.

    look: Looks at one person.
    every: Frames from one look at a person to the next, at least.
    calls: Makes looks side by side.
    """

    look: Look
    every: int
    calls: Calls

    def __call__(
        self, rgb: Picture, people: Sequence[Landmarks], before: Sequence[Shift]
    ) -> list[Shift]:
        """Look at those whose turn it is: one of `every` people in a frame, who waits longest.

        Args:
            rgb: (H, W, 3) the frame.
            people: Everyone in it.
            before: Their shifts in the frame before.

        Returns:
            Their shifts now.
        """
        shifts = [Shift(shift.by, shift.frames + 1) for shift in before]
        waiting = sorted(range(len(people)), key=lambda row: -shifts[row].frames)
        at_once = math.ceil(len(people) / self.every)
        looks = {
            row: self.calls.begin(self.look, rgb, people[row])
            for row in waiting[:at_once]
            if shifts[row].frames >= self.every
        }
        for row, look in looks.items():
            shifts[row] = Shift(self.calls.result(look), 0)
        return shifts


def body_size(person: Landmarks) -> float:
    """The diagonal of the box around the limbs, px; at least 1."""
    return max(float(np.linalg.norm(np.ptp(person.xy[LIMBS], axis=0))), 1.0)
