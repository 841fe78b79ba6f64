"""People who overlap: limbs that the landmark model took from a neighbour are given back.

Where two people share points, one stands before the other, and the model sees the front one twice,
or a body put together of both. The other is looked at again with the front one painted out. Who is
in front is tried out, and seldom changes.
"""

from collections.abc import Sequence
from itertools import combinations

from core.types import Picture
from detectors.blazepose.clearness import MIN_PRESENCE
from detectors.blazepose.likeness import is_in, plausibility, shared
from detectors.blazepose.networks.calls import Calls
from detectors.blazepose.networks.models import LandmarkModel, Landmarks
from detectors.blazepose.networks.region import Region

SHARED = 0.15
"""Two people who share a larger part of their points are tangled."""
AS_BEFORE = 0.3
"""How much more plausible it is that the same one stands behind as in the frame before."""


def untangle(
    seen: list[Landmarks],
    regions: Sequence[Region],
    were_behind: Sequence[bool],
    rgb: Picture,
    model: LandmarkModel,
    calls: Calls,
) -> list[Landmarks]:
    """Look again at people who share points, and at those who are not seen for one before them.

    Args:
        seen: The people in `regions`; changed.
        regions: Of each.
        were_behind: Whether each stood behind another in the frame before.
        rgb: (H, W, 3) the frame.
        model: The landmark model.
        calls: Run it.

    Returns:
        Those who stand behind another.
    """
    hidden = []
    for i, j in combinations(range(len(seen)), 2):
        a, b = seen[i], seen[j]
        if shared(a, b) < SHARED:
            continue
        looks = [
            calls.begin(model, rgb, regions[i], [b]), calls.begin(model, rgb, regions[j], [a])
        ]  # fmt: skip
        a_behind, b_behind = (calls.result(look) for look in looks)
        likely = {
            (a, b): plausibility(a, b),
            (a, b_behind): plausibility(a, b_behind) + AS_BEFORE * were_behind[j],
            (a_behind, b): plausibility(a_behind, b) + AS_BEFORE * were_behind[i],
        }
        seen[i], seen[j] = max(likely, key=lambda pair: likely[pair])
        hidden += [a_behind, b_behind]
    for i, person in enumerate(seen):
        if person.presence < MIN_PRESENCE:
            others = [other for other in seen if other.presence >= MIN_PRESENCE]
            found = behind(model, rgb, regions[i], others)
            if found is not None:
                seen[i] = found
                hidden.append(found)
    return hidden


def behind(
    model: LandmarkModel, rgb: Picture, region: Region, others: Sequence[Landmarks]
) -> Landmarks | None:
    """The person in a region who is only seen when those before them are painted out."""
    near = [other for other in others if is_in(region, other)]
    if not near:
        return None
    person = model(rgb, region, near)
    is_other = all(shared(person, other) < SHARED for other in near)
    return person if person.presence >= MIN_PRESENCE and is_other else None
