"""Steps and cadence, from foot contacts.

A foot's initial contact is where a contact of its heel or toe begins after both were off the
ground. A step is from an initial contact of one foot to the next one of the other foot (Perry,
Gait Analysis, 1992), which lands ahead of the first, or behind it. Two initial contacts of the same
foot in a row are no step, since the other one's was missed; nor are feet that land side by side.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.skeletons import Skeleton
from core.types import Array, Floats
from pipeline.motion.quantities import AXIS_SHARE
from pipeline.motion.stretches import COLUMNS
from pipeline.results.archive import PoseTable

Side = Literal["left", "right"]
_SIDES: tuple[Side, Side] = ("left", "right")
_MAX_GAP_S = 0.1  # contacts of a foot that are no farther apart are one
_MIN_STEP_S, _MAX_STEP_S = 0.2, 1.5  # who is faster jumped, who is slower stood in between
_MIN_LENGTH_M = 0.15  # who gets no farther steps on the spot


@dataclass(frozen=True)
class Step:
    """A step, named after the foot that ends it.

    person, its track id; side; start_s, end_s, presentation times of the two initial contacts;
    length_m, how far ahead of the other foot it lands, along the direction that the hips face,
    and length_sigma_m, one standard deviation; NaN where they are not known. time_sigma_s, one
    standard deviation of the step's time that comes of the frames being apart.
    """

    person: int
    side: Side
    start_s: float
    end_s: float
    time_sigma_s: float
    length_m: float
    length_sigma_m: float

    @property
    def time_s(self) -> float:
        """How long the step takes."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Gait:
    """The means over steps: each with one standard deviation; None where there are no steps.

    cadence_per_min: Steps a minute.
    """

    steps: int
    cadence_per_min: float | None
    cadence_sigma_per_min: float | None
    step_length_m: float | None
    step_length_sigma_m: float | None
    step_time_s: float | None
    step_time_sigma_s: float | None


def steps_of_people(table: PoseTable) -> dict[int, list[Step]]:
    """The steps of everyone in a table, by track id.

    Only the columns of feet and hips are held for the whole video.
    """
    skeleton = table.joints
    feet_and_hips = [*_feet(skeleton), *skeleton.indices(("l_hip", "r_hip"))]
    parts: dict[int, list[tuple[Array, ...]]] = {}
    for chunk in zip(*(table.chunks(name) for name in COLUMNS), strict=True):
        frames, persons, times, joints, sigmas, contacts = chunk
        for person in np.unique(persons).tolist():
            own = persons == person
            columns = frames, times, joints[:, feet_and_hips], sigmas[:, feet_and_hips], contacts
            parts.setdefault(person, []).append(tuple(values[own] for values in columns))
    steps: dict[int, list[Step]] = {}
    for person, of_person in sorted(parts.items()):
        whole = [np.concatenate(columns) for columns in zip(*of_person, strict=True)]
        breaks = np.flatnonzero(np.diff(whole[0]) != 1) + 1
        stretches = zip(*(np.split(values, breaks) for values in whole[1:]), strict=True)
        steps[person] = [step for stretch in stretches for step in find_steps(person, *stretch)]
    return steps


def _feet(skeleton: Skeleton) -> list[int]:
    """Left and right heel, or ankle where a skeleton ends there."""
    foot = "heel" if "l_heel" in skeleton.joints else "ankle"
    return skeleton.indices((f"l_{foot}", f"r_{foot}"))


def find_steps(
    person: int, times_s: Floats, points_m: Floats, sigma_m: Floats, contacts: NDArray[np.bool_]
) -> list[Step]:
    """Find the steps of one person in a stretch of frames without a break.

    Args:
        person: Their track id.
        times_s: (T,) presentation times.
        points_m: (T, 4, 3) left and right heel, left and right hip; metres, world axes.
        sigma_m: (T, 4) metres, how sure they are, as in `poses.npz`; NaN = unknown.
        contacts: (T, 4) left heel, left toe, right heel, right toe on the ground.

    Returns:
        The steps by time.
    """
    if len(times_s) < 2:
        return []
    points_m = points_m.astype(np.float64)
    interval_s = float(np.median(np.diff(times_s)))
    on_ground = np.stack([contacts[:, :2].any(1), contacts[:, 2:].any(1)], 1)
    landings = sorted(
        (row, side) for side in range(2) for row in _landings(on_ground[:, side], times_s)
    )
    steps = []
    is_jump = False  # whether the other foot landed together with this one's last time
    for (before, other), (row, side) in pairwise(landings):
        lasted_s = times_s[row] - times_s[before]
        was_jump, is_jump = is_jump, lasted_s < _MIN_STEP_S
        if side == other or was_jump or not _MIN_STEP_S <= lasted_s <= _MAX_STEP_S:
            continue
        hips_m = points_m[before : row + 1, 2:]
        ahead = np.cross([0, 0, 1], (hips_m[:, 1] - hips_m[:, 0]).mean(0))
        ahead /= np.linalg.norm(ahead)
        length = float((points_m[row, side] - points_m[row, other]) @ ahead)
        if abs(length) < _MIN_LENGTH_M:
            continue
        steps.append(
            Step(
                person,
                _SIDES[side],
                float(times_s[before]),
                float(times_s[row]),
                interval_s / math.sqrt(6),  # two times, each anywhere within a frame: 2 × 1/12
                length,
                AXIS_SHARE * float(np.hypot(*sigma_m[row, :2])),
            )
        )
    return steps


def summarise(steps: Sequence[Step]) -> Gait:
    """The means over a person's steps.

    Steps that follow each other share a contact, so a run's mean time errs by its first and last
    contact alone.
    """
    if not steps:
        return Gait(0, *[None] * 6)
    times = np.array([step.time_s for step in steps])
    runs = 1 + sum(step.start_s != before.end_s for before, step in pairwise(steps))
    time_s, time_sigma = times.mean(), steps[0].time_sigma_s * np.sqrt(runs) / len(steps)
    lengths = np.array([step.length_m for step in steps])
    sigmas = np.array([step.length_sigma_m for step in steps])
    return Gait(
        len(steps),
        _number(60 / time_s),
        _number(60 / time_s**2 * time_sigma),
        _number(lengths.mean()),
        _number(np.sqrt((sigmas**2).mean())),  # errors of a body's size are shared by all steps
        _number(time_s),
        _number(time_sigma),
    )


def _number(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


def _landings(on_ground: NDArray[np.bool_], times_s: Floats) -> list[int]:
    """The frames in which contacts (T,) of a foot begin; one that is there at first did before."""
    edges = np.flatnonzero(np.diff(on_ground.astype(np.int8)))
    starts = [int(edge) + 1 for edge in edges if on_ground[edge + 1]]
    kept = []
    for start in starts:
        off = edges[edges < start - 1]
        lifted = int(off[-1]) + 1 if len(off) else 0
        if lifted == 0 or times_s[start] - times_s[lifted] > _MAX_GAP_S:
            kept.append(start)
    return kept
