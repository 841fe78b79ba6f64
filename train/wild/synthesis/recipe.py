"""How far synthesis strays from the captured motion, and how that changes during a run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from core.errors import UsageError

AnyRecipe = TypeVar("AnyRecipe", bound=Any)


@dataclass(frozen=True)
class Recipe:
    """What is drawn; angles in degrees, lengths in metres, shares in 0…1."""

    mix: float = 0.4
    """Share of windows whose limbs come from several performances."""
    rare: float = 0.3
    """How much rare poses are preferred: 0 as captured, 1 as often as any (`MotionBank`)."""
    bent: float = 0.0
    """Share of windows whose joints all have a constant extra turn, beyond the captured poses."""
    bend_deg: float = 14.0
    """Standard deviation of that turn, scaled joint by joint (`bone_turns`)."""
    tumble: float = 0.15
    """Share of windows in which the whole body is turned at random: it lies, hangs or leans."""
    build: float = 0.5
    """Spread of the lengths of legs and trunk, 1 being beyond any human's. The narrower, the more
    their foreshortening tells of the camera's pitch."""
    rigs: float = 0.9
    """Share of bodies with shoulders, hips and trunks as animators draw them, not as people's."""
    level_deg: tuple[float, float] = (10.0, 14.0)
    """Mean and standard deviation of the pitch of most cameras; positive looks down."""
    steep: float = 0.45
    """Share of cameras with any pitch from -30 to 70 degrees."""
    noise: float = 1.0
    """Factor on all errors of the detector."""
    copied: float = 0.5
    """Share of windows with the errors that a detector made of filmed people, if there are any."""
    lens_known: float = 0.4
    """Share of windows whose rays are computed with the right focal length."""
    without_feet: float = 0.25
    """Share of windows whose detector knows no heels and toes."""
    plain_scores: float = 0.15
    """Share of windows whose confidences are all the same."""


STAGES = (
    (0.35, Recipe(build=1.0, level_deg=(6.0, 12.0), steep=0.35)),
    (1.0, Recipe()),
)
"""The recipe until a share of the run: first bodies of any build, then only human ones.

A run that starts from a trained lifter has the last recipe only."""


def with_changes(recipe: AnyRecipe, changes: Sequence[str], flag: str = "--recipe") -> AnyRecipe:
    """A recipe, or another dataclass of numbers, with other numbers.

    Args:
        recipe: The recipe to start from.
        changes: What the flag gives: texts `FIELD=NUMBER`.
        flag: Its name, for error messages.

    Raises:
        UsageError: There is no such field, it holds no number, or the text is none.
    """
    known = [entry.name for entry in fields(recipe) if entry.type is float]
    numbers: dict[str, Any] = {}
    for text in changes:
        name, _, value = text.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if name not in known or not math.isfinite(number):
            raise UsageError(
                f"{flag} {text}: expected FIELD=NUMBER, the fields being {', '.join(known)}"
            )
        numbers[name] = number
    return replace(recipe, **numbers)
