"""What is known of how each person was followed, gathered from the rows of a result in one pass."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.camera import project
from core.runs import add_span, true_runs
from core.skeletons import COCO_17, Skeleton
from core.types import Array, Floats
from lifter.bones import bone_spans
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from pipeline.grounding.feet.soles import soles
from pipeline.results.archive import PoseTable
from pipeline.results.measures import RunningMoments
from pipeline.results.report import Report
from pipeline.results.report_parts import PersonReport

_COLUMNS = (
    "track_id", "time_s", "keypoints_2d", "observed", "joints_camera_m", "root_camera_m",
    "joints_world_m", "joint_sigma_m", "contacts",
)  # fmt: skip
_MAX_SPANS, _SHORTEST_S = 5, 0.15  # that are named
_APART_S = 0.2  # spans that are closer are one
_BREAK_S = 0.5  # rows farther apart do not follow each other
_PARTS = {
    "head": ("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    "hands": ("left_wrist", "right_wrist"), "elbows": ("left_elbow", "right_elbow"),
    "feet": ("left_ankle", "right_ankle"), "knees": ("left_knee", "right_knee"),
}  # fmt: skip

Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Evidence:
    """What is known of how one person was followed; T rows, by time.

    report; person; seconds that a frame lasts; times_s (T,); is_seen (T,) whether the person was
    detected; error (T,) mean distance of lifted limbs from their keypoints, share of the person's
    size in the picture; sigma_m (T,) mean of the joints' σ; cut_off: which parts of the body are
    outside the picture, (T,) each; foot_speed_m_s (T,) of the fastest foot in contact, NaN without;
    distance_m (T,) from the camera; bone_spread: of each bone's length, standard deviation over
    mean; joint_sigma_m by joint.
    """

    report: Report
    person: PersonReport
    frame_s: float
    times_s: Floats
    is_seen: NDArray[np.bool_]
    error: Floats
    sigma_m: Floats
    cut_off: dict[str, NDArray[np.bool_]]
    foot_speed_m_s: Floats
    distance_m: Floats
    bone_spread: dict[str, float]
    joint_sigma_m: dict[str, float]

    def spans(self, is_so: NDArray[np.bool_], shortest_s: float = _SHORTEST_S) -> Spans:
        """When something is so (T,): the longest few times, seconds, by time."""
        spans: list[tuple[float, float]] = []
        for start, stop in true_runs(is_so):
            begin, end = float(self.times_s[start]), float(self.times_s[stop - 1]) + self.frame_s
            add_span(spans, begin, end, _APART_S)
        return longest_spans(spans, shortest_s)


def longest_spans(spans: Iterable[tuple[float, float]], shortest_s: float = 0.0) -> Spans:
    """The longest few spans that are not too short, seconds, by time."""
    long = [(start, stop) for start, stop in spans if stop - start >= shortest_s]
    longest = sorted(long, key=lambda span: span[0] - span[1])[:_MAX_SPANS]
    return tuple((round(start, 2), round(stop, 2)) for start, stop in sorted(longest))


@dataclass
class _Gathering:
    """One person's rows, as they come: a few numbers of each are kept."""

    joints: Skeleton
    columns: dict[str, list[Array]] = field(default_factory=dict)
    bones: RunningMoments = field(default_factory=RunningMoments)
    sigmas: RunningMoments = field(default_factory=RunningMoments)

    def add(self, rows: dict[str, Array], report: Report) -> None:
        for name, values in _numbers(rows, self.joints, report).items():
            self.columns.setdefault(name, []).append(values)
        self.bones.add(bone_spans(rows["joints_camera_m"], self.joints)[:, 1:])
        self.sigmas.add(rows["joint_sigma_m"][:, 1:])

    def evidence(self, report: Report, person: PersonReport) -> Evidence:
        columns: dict[str, Any] = {
            name: np.concatenate(parts) for name, parts in self.columns.items()
        }
        names = self.joints.joints[1:]
        frame_s = 1 / report.video.fps
        soles_m, contacts = columns.pop("soles_m"), columns.pop("contacts")
        speed = _foot_speed(soles_m, contacts, columns["times_s"])
        return Evidence(
            report,
            person,
            frame_s,
            cut_off={part: columns.pop(part) for part in _PARTS},
            foot_speed_m_s=speed,
            bone_spread=_by_name(names, self.bones.relative_spread if self.bones.count else ()),
            joint_sigma_m=_by_name(
                names, self.sigmas.total / self.sigmas.count if self.sigmas.count else ()
            ),
            **columns,
        )


def _by_name(names: Sequence[str], values: Any) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=False)}


def _numbers(rows: dict[str, Array], joints: Skeleton, report: Report) -> dict[str, Array]:
    """The numbers of each of one person's rows (N,)."""
    keypoints, observed = rows["keypoints_2d"].astype(np.float64), rows["observed"]
    size_px = np.ptp(np.nan_to_num(keypoints[:, LIMBS_IN]), axis=1).max(1).clip(1.0)
    in_camera = rows["joints_camera_m"].astype(np.float64) + rows["root_camera_m"][:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        projected = project(in_camera, report.intrinsics)[:, LIMBS_OUT]
    distances = np.linalg.norm(projected - keypoints[:, LIMBS_IN], axis=-1)
    is_known = observed[:, LIMBS_IN] & np.isfinite(distances)
    count = is_known.sum(1)
    total = np.where(is_known, distances, 0.0).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.where(count > 0, total / count, np.nan) / size_px
    outside = _outside(keypoints, observed, report)
    return {
        "times_s": rows["time_s"],
        "is_seen": observed.any(1),
        "error": error.astype(np.float32),
        "sigma_m": rows["joint_sigma_m"][:, 1:].mean(1),
        "distance_m": rows["root_camera_m"][:, 2],
        "soles_m": rows["joints_world_m"][:, soles(joints).four_joints, :2],
        "contacts": rows["contacts"],
        **outside,
    }


def _outside(
    keypoints: Floats, observed: NDArray[np.bool_], report: Report
) -> dict[str, NDArray[np.bool_]]:
    """Which parts of the body (N,) are outside the picture, or at its edge and not seen."""
    size = np.array([report.video.width, report.video.height])
    edge = 0.01 * size.max()
    with np.errstate(invalid="ignore"):
        is_out = ((keypoints < 0) | (keypoints > size)).any(-1)
        is_near = ((keypoints < edge) | (keypoints > size - edge)).any(-1) & ~observed
    is_out = is_out | is_near
    return {
        part: is_out[:, COCO_17.indices(names)].any(1)
        if part != "head"
        else is_out[:, COCO_17.indices(names)].all(1)
        for part, names in _PARTS.items()
    }


def _foot_speed(soles_m: Floats, contacts: NDArray[np.bool_], times_s: Floats) -> Floats:
    """(T,) m/s of the fastest foot that is in contact in a row and the one before; NaN without."""
    if len(times_s) < 2:
        return np.full(len(times_s), np.nan)
    seconds = np.diff(times_s)
    moved = np.linalg.norm(np.diff(soles_m, axis=0), axis=-1) / seconds[:, None]
    counts = contacts[1:] & contacts[:-1] & np.isfinite(moved) & (seconds < _BREAK_S)[:, None]
    fastest = np.where(counts, moved, -1.0).max(1)
    return np.concatenate([[np.nan], np.where(fastest < 0, np.nan, fastest)])


def gather_evidence(report: Report, table: PoseTable) -> tuple[Evidence, ...]:
    """Go through a result's rows once.

    Args:
        report: Names the people.
        table: By frame, then track.

    Returns:
        The evidence of everyone who has rows, by track id.
    """
    gatherings: dict[int, _Gathering] = {}
    for chunk in zip(*(table.chunks(name) for name in _COLUMNS), strict=True):
        columns = dict(zip(_COLUMNS, chunk, strict=True))
        for track_id in np.unique(columns["track_id"]).tolist():
            own = columns["track_id"] == track_id
            gathering = gatherings.setdefault(track_id, _Gathering(table.joints))
            gathering.add({name: values[own] for name, values in columns.items()}, report)
    people = {person.track_id: person for person in report.people}
    return tuple(
        gathering.evidence(report, people[track_id])
        for track_id, gathering in sorted(gatherings.items())
        if track_id in people
    )
