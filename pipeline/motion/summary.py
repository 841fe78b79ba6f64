"""What the report says of each person's motion: steps, and every quantity over all frames."""

from dataclasses import asdict
from typing import Any

import numpy as np

from core.types import Floats
from pipeline.motion.gait import steps_of_people, summarise
from pipeline.motion.quantities import QUANTITIES
from pipeline.motion.stretches import stretches
from pipeline.results.archive import PoseTable


class _Range:
    """Mean, least, greatest and root mean square sigma of numbers that come bit by bit."""

    def __init__(self) -> None:
        self._count, self._total, self._variance = 0, 0.0, 0.0
        self._least, self._greatest = np.inf, -np.inf

    def add(self, values: Floats, sigmas: Floats) -> None:
        known = np.isfinite(values)
        if known.any():
            self._count += int(known.sum())
            self._total += float(values[known].sum())
            self._variance += float((sigmas[known] ** 2).sum())
            self._least = min(self._least, float(values[known].min()))
            self._greatest = max(self._greatest, float(values[known].max()))

    def as_dict(self, unit: str) -> dict[str, Any] | None:
        if not self._count:
            return None
        mean, sigma = self._total / self._count, np.sqrt(self._variance / self._count)
        return {
            "unit": unit,
            "mean": round(mean, 3),
            "min": round(self._least, 3),
            "max": round(self._greatest, 3),
            "sigma": round(float(sigma), 3) if np.isfinite(sigma) else None,
        }


def motion_report(table: PoseTable) -> tuple[dict[str, Any], ...]:
    """The measures of motion of everyone in a table, as plain values, by track id.

    Args:
        table: By frame, then track.
    """
    quantities = QUANTITIES.entries().values()
    ranges: dict[int, dict[str, _Range]] = {}
    for stretch in stretches(table):
        of_person = ranges.setdefault(
            stretch.track_id, {quantity.name: _Range() for quantity in quantities}
        )
        joints, sigmas = (
            stretch["joints_world_m"][stretch.own],
            stretch["joint_sigma_m"][stretch.own],
        )
        for quantity in quantities:
            of_person[quantity.name].add(
                quantity.values(joints, table.joints), quantity.sigma(joints, sigmas, table.joints)
            )
    steps = steps_of_people(table)
    return tuple(
        {
            "track_id": track_id,
            **asdict(summarise(steps.get(track_id, []))),
            **{one.name: of_person[one.name].as_dict(one.unit) for one in quantities},
        }
        for track_id, of_person in sorted(ranges.items())
    )
