"""When views run against each other: each view's clock against the first one's."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np

from core.errors import InputError
from core.types import Floats
from pipeline.multiview.sync.correlation import Agreement, Signal, find_agreement

FoundBy = Literal["first", "given", "sound", "motion"]


@dataclass(frozen=True)
class Clock:
    """A view's clock: its t is offset_s + (1 + drift) t on the first view's.

    found_by: How it was found; `first` of the first view itself. margin: By how many standard
    deviations this offset explains the recordings better than any other; None where it was not
    measured.
    """

    offset_s: float = 0.0
    drift: float = 0.0
    found_by: FoundBy = "first"
    margin: float | None = None

    def to_shared(self, times_s: Floats) -> Floats:
        """Times (…) of this view, seconds, on the first view's clock."""
        return np.asarray(self.offset_s + (1 + self.drift) * times_s)


@dataclass(frozen=True)
class Recording:
    """What can be compared of a view: its sound, None without, and the motion of its people."""

    name: str
    sound: Signal | None
    motions: Sequence[Signal]


def given_clocks(offsets_s: Sequence[float]) -> list[Clock]:
    """Clocks by hand: how many seconds later than the first view each of the others starts."""
    return [Clock(), *(Clock(offset, 0.0, "given") for offset in offsets_s)]


def synchronise(recordings: Sequence[Recording]) -> list[Clock]:
    """Find the clocks of V views, the first being the one that the others are told against.

    Each pair is compared by sound, and by motion where sound does not tell; views are joined along
    the surest pairs (a maximum spanning tree, grown from the first view as Prim does).

    Raises:
        InputError: A view agrees with none that is joined.
    """
    clocks: dict[int, Clock] = {0: Clock()}
    pairs: dict[tuple[int, int], tuple[FoundBy, Agreement] | None] = {}
    while len(clocks) < len(recordings):
        others = [view for view in range(len(recordings)) if view not in clocks]
        sure = []
        for known, view in product(clocks, others):
            if (known, view) not in pairs:
                pairs[known, view] = _compare(recordings[known], recordings[view])
            if (found := pairs[known, view]) is not None:
                sure.append((found[1].margin, known, view, found))
        if not sure:
            raise InputError(_refusal(recordings, others, len(clocks)))
        margin, known, view, (found_by, agreement) = max(sure, key=lambda each: each[:3])
        base = clocks[known]
        clocks[view] = Clock(
            float(base.to_shared(np.array(agreement.offset_s))),
            (1 + base.drift) * (1 + agreement.drift) - 1,
            found_by,
            round(margin, 2),
        )
    return [clocks[view] for view in range(len(recordings))]


def _compare(first: Recording, second: Recording) -> tuple[FoundBy, Agreement] | None:
    """The second recording's clock against the first one's; None where nothing is sure."""
    if first.sound is not None and second.sound is not None:
        found = find_agreement([(first.sound, second.sound)])
        if found is not None and found.is_sure:
            return "sound", found
    found = find_agreement(list(product(first.motions, second.motions)))
    return None if found is None or not found.is_sure else ("motion", found)


def _refusal(recordings: Sequence[Recording], others: Sequence[int], joined: int) -> str:
    with_whom = recordings[0].name if joined == 1 else "the other views"
    unheard = [each.name for each in recordings if each.sound is None]
    heard = f"{unheard[0]} has no sound, and people" if unheard else "neither sound nor people"
    return (
        f"{recordings[others[0]].name}: when it starts against {with_whom} cannot be told: {heard}"
        " move alike in both for long enough; give --offset SECONDS, or clap once in view of all"
    )
