"""When each person's feet are on the ground, from the rows of a result."""

import numpy as np

from pipeline.grounding.feet.stances import stances
from pipeline.results.archive import PoseTable
from pipeline.results.report_parts import StanceReport


def stances_by_person(table: PoseTable) -> dict[int, tuple[StanceReport, ...]]:
    """The stances of a result's people, by track id; seconds are to a millisecond."""
    track_ids, times_s = table.column("track_id"), table.column("time_s")
    contacts = table.column("contacts")
    return {
        int(track_id): tuple(
            StanceReport(**vars(stance)) for stance in stances(contacts[own], times_s[own].round(3))
        )
        for track_id in np.unique(track_ids)
        for own in [track_ids == track_id]
    }
