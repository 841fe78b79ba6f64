"""What `report.json` says of how good a result is: one function a measure, in one registry.

A measure is a function from a part of a person to numbers, and how these become one number for the
report. To add one, write the function here (or anywhere that is imported) and decorate it:

    @measure("my_measure", unit="m", about="mean of …")
    def my_measure(part: PersonPart) -> Floats: ...
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.camera import project
from core.registry import Registry
from core.skeletons import Skeleton
from core.types import Array, Floats, Intrinsics
from lifter.bones import bone_spans
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from pipeline.grounding.feet.contacts import contact_speeds


@dataclass(frozen=True)
class PersonPart:
    """Some rows of one person, as measures get them: of a video, a stretch without a break.

    rows (N,) with the fields of `pose_row`: each row of the result once. joints_world_m (T, J, 3)
    metres, double precision, and contacts (T, 4), as in `pose_row`, are of all frames of the
    stretch, also of those that it shares with the part before. joints: the joints' skeleton.
    """

    rows: Array
    joints: Skeleton
    joints_world_m: Floats
    contacts: NDArray[np.bool_]
    fps: float
    intrinsics: Intrinsics

    @property
    def track_id(self) -> int:
        """The person's number."""
        return int(self.rows["track_id"][0])


@dataclass
class RunningMoments:
    """Sum, sum of squares and count of numbers that come bit by bit."""

    total: Any = 0.0
    squares: Any = 0.0
    count: int = 0

    def add(self, values: Floats) -> None:
        """Add values (N, …); the moments are over the first axis, entries with NaN left out."""
        values = values.astype(np.float64)
        values = values[np.isfinite(values).all(tuple(range(1, values.ndim)))]
        self.total = self.total + values.sum(0)
        self.squares = self.squares + (values**2).sum(0)
        self.count += len(values)

    @property
    def relative_spread(self) -> Floats:
        """(…) standard deviations over means."""
        mean = self.total / self.count
        variance = np.maximum(self.squares / self.count - mean**2, 0.0)
        return np.asarray(np.sqrt(variance) / mean)


Summary = Callable[[Mapping[int, RunningMoments]], float | None]
"""From the moments of each person's numbers, by track id, to the report's number; None for none."""


def mean_of_all(persons: Mapping[int, RunningMoments]) -> float | None:
    """The mean over all people's numbers, None where there are none."""
    count = sum(person.count for person in persons.values())
    return float(sum(person.total for person in persons.values()) / count) if count else None


def largest_mean(persons: Mapping[int, RunningMoments]) -> float | None:
    """The largest of each person's quantities' means, averaged over people."""
    largest = [(person.total / person.count).max() for person in persons.values() if person.count]
    return float(np.mean(largest)) if largest else None


def mean_relative_spread(persons: Mapping[int, RunningMoments]) -> float | None:
    """Standard deviation over mean of each of a person's quantities, averaged; then over people."""
    spreads = [person.relative_spread.mean() for person in persons.values() if person.count]
    return float(np.mean(spreads)) if spreads else None


@dataclass(frozen=True)
class Measure:
    """One number of the report: `name` is its key, `samples` the numbers that a part adds to it."""

    name: str
    unit: str
    about: str
    samples: Callable[[PersonPart], Floats]
    summary: Summary


MEASURES: Registry[Measure] = Registry("a measure")


def measure(
    name: str, unit: str, about: str, summary: Summary = mean_of_all
) -> Callable[[Callable[[PersonPart], Floats]], Callable[[PersonPart], Floats]]:
    """Register a function as a measure.

    Args:
        name: Its key in `report.json`.
        unit: The unit of its value, "1" for none.
        about: What it says, one line for people.
        summary: How the people's numbers become the report's.

    Returns:
        A decorator of a function from a part to numbers (N, …), which it leaves as it is.

    Raises:
        ValueError: The name is taken.
    """

    def register(samples: Callable[[PersonPart], Floats]) -> Callable[[PersonPart], Floats]:
        MEASURES.add(name, Measure(name, unit, about, samples, summary), samples.__module__)
        return samples

    return register


@measure(
    "reprojection_error_px",
    unit="px",
    about="mean distance between observed limb keypoints and the lifted joints projected there",
)
def reprojection_error(part: PersonPart) -> Floats:
    """(M,) px, one for each observed limb keypoint."""
    rows = part.rows
    joints = rows["joints_camera_m"].astype(np.float64) + rows["root_camera_m"][:, None]
    projected = project(joints, part.intrinsics)[:, LIMBS_OUT]
    distances = np.linalg.norm(projected - rows["keypoints_2d"][:, LIMBS_IN], axis=-1)
    return np.asarray(distances[rows["observed"][:, LIMBS_IN]])


@measure(
    "bone_length_spread",
    unit="1",
    about="how much bones change their length: standard deviation over mean, averaged",
    summary=mean_relative_spread,
)
def bone_lengths_m(part: PersonPart) -> Floats:
    """(N, B) metres, of each bone in each row."""
    return bone_spans(part.rows["joints_camera_m"].astype(np.float64), part.joints)[:, 1:]


@measure(
    "foot_skate_m_s",
    unit="m/s",
    about="mean speed at which feet in contact with the ground move across it",
)
def foot_skate(part: PersonPart) -> Floats:
    """(M,) m/s, one for each foot that is in contact for two frames."""
    return contact_speeds(part.joints_world_m, part.contacts, part.joints, part.fps)


@measure(
    "joint_sigma_m",
    unit="m",
    about="how sure joints are: mean of one standard deviation of their positions",
)
def joint_sigmas(part: PersonPart) -> Floats:
    """(M,) metres, of each joint but the pelvis in each row."""
    return np.asarray(part.rows["joint_sigma_m"][:, 1:].ravel())


@measure(
    "worst_joint_sigma_m",
    unit="m",
    about="the same of the joint that is least sure",
    summary=largest_mean,
)
def joint_sigmas_by_joint(part: PersonPart) -> Floats:
    """(N, J - 1) metres, of each joint but the pelvis in each row."""
    return np.asarray(part.rows["joint_sigma_m"][:, 1:])


@dataclass
class Measurement:
    """All measures of a result, taken part by part."""

    _moments: dict[str, dict[int, RunningMoments]] = field(default_factory=dict)

    def add(self, part: PersonPart) -> None:
        """Take all measures of a part."""
        for one in MEASURES.entries().values():
            persons = self._moments.setdefault(one.name, {})
            persons.setdefault(part.track_id, RunningMoments()).add(one.samples(part))

    def values(self) -> dict[str, float | None]:
        """Each measure by name, rounded for the report; None where there is nothing to measure."""
        found = {
            one.name: one.summary(self._moments.get(one.name, {}))
            for one in MEASURES.entries().values()
        }
        return {name: None if value is None else round(value, 4) for name, value in found.items()}
