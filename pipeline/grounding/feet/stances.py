"""Stances: each time a foot is on the ground, and the moments of its strike and toe-off."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.runs import true_runs
from core.types import Floats
from pipeline.grounding.feet.soles import Bools

Foot = Literal["left", "right"]
_FEET: tuple[Foot, Foot] = ("left", "right")
_MAX_STEP_S = 0.5  # rows farther apart than this do not belong to one stance


@dataclass(frozen=True)
class Stance:
    """One foot on the ground, from its strike to toe-off, in seconds.

    flat_s: when heel and toe first rest together; heel_off_s: when the heel leaves the ground
    before the toe does. None where there was no such moment, or it is out of view.
    """

    foot: Foot
    heel_strike_s: float | None
    flat_s: float | None
    heel_off_s: float | None
    toe_off_s: float | None


def stances(contacts: Bools, times_s: Floats) -> list[Stance]:
    """Read the events of both feet off one person's contacts.

    Args:
        contacts: (T, 4) bool: left heel, left toe, right heel, right toe.
        times_s: (T,) seconds, rising; a long step ends a stance.

    Returns:
        Stances by the time of their first frame, the left foot's first.
    """
    found = []
    breaks = np.flatnonzero(np.diff(times_s) > _MAX_STEP_S) + 1
    for rows in np.split(np.arange(len(times_s)), breaks):
        for foot in range(2):
            heel, toe = contacts[rows, 2 * foot], contacts[rows, 2 * foot + 1]
            for start, stop in true_runs(heel | toe):
                stance = _stance(_FEET[foot], heel, toe, start, stop, times_s[rows])
                found.append((rows[start], foot, stance))
    return [stance for _, _, stance in sorted(found, key=lambda item: item[:2])]


def _stance(foot: Foot, heel: Bools, toe: Bools, start: int, stop: int, times_s: Floats) -> Stance:
    """The stance in frames `start` to `stop` - 1 of an interval without a break."""
    flat = start + np.flatnonzero(heel[start:stop] & toe[start:stop])
    heel_off = start + int(np.flatnonzero(heel[start:stop]).max(initial=-1)) + 1

    def seconds(frame: int, is_seen: bool) -> float | None:
        return float(times_s[frame]) if is_seen else None

    return Stance(
        foot,
        heel_strike_s=seconds(start, start > 0),
        flat_s=seconds(flat[0] if len(flat) else 0, len(flat) > 0 and flat[0] > 0),
        heel_off_s=seconds(min(heel_off, stop - 1), start < heel_off < stop),
        toe_off_s=seconds(min(stop, len(times_s) - 1), stop < len(times_s)),
    )
