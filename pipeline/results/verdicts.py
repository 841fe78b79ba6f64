"""Whether a result can be trusted: one function a question, in one registry, in plain words.

A verdict looks at the evidence of one person, which is gathered from the rows of a result in one
pass, and says "good", "look" (have a look) or "bad" (don't trust it), why, and when to look. To add
one, write the function here (or anywhere that is imported) and decorate it:

    @verdict("my_question", "Is it …?")
    def my_question(evidence: Evidence) -> Judgement | None: ...
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.camera import project
from core.registry import Registry
from core.runs import true_runs
from core.skeletons import COCO_17, Skeleton
from core.types import Array, Floats
from lifter.bones import bone_spans
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from pipeline.grounding.contacts import soles
from pipeline.results.archive import PoseTable
from pipeline.results.measures import RunningMoments
from pipeline.results.report import Level, PersonReport, Report, VerdictReport

LIMITS: dict[str, tuple[float, float]] = {
    "gaps": (0.03, 0.15),
    "reprojection": (0.025, 0.05),
    "uncertainty": (0.12, 0.20),
    "side_swaps": (0.0, 0.2),
    "cut_off": (0.02, 0.15),
    "foot_skate": (0.05, 0.2),
    "bones": (0.04, 0.08),
}
"""By verdict: up to where it is good, and up to where a look is enough."""

LENSES_DEG = (45.0, 55.0, 70.0)
"""Fields of view across the longer side: a camcorder zoomed in a little, the default, a phone."""

_COLUMNS = (
    "track_id", "time_s", "keypoints_2d", "observed", "joints_camera_m", "root_camera_m",
    "joints_world_m", "joint_sigma_m", "contacts",
)  # fmt: skip
_MAX_SPANS, _SHORTEST_S = 5, 0.15  # that are named
_APART_S = 0.2  # spans that are closer are one
_BREAK_S = 0.5  # rows farther apart do not follow each other
_SOURCES = {"given": "you gave it", "estimated": "it was estimated from the picture"}
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
            if spans and begin - spans[-1][1] < _APART_S:
                begin = spans.pop()[0]
            spans.append((begin, end))
        return _longest(spans, shortest_s)


def _longest(spans: Iterable[tuple[float, float]], shortest_s: float = 0.0) -> Spans:
    long = [(start, stop) for start, stop in spans if stop - start >= shortest_s]
    longest = sorted(long, key=lambda span: span[0] - span[1])[:_MAX_SPANS]
    return tuple((round(start, 2), round(stop, 2)) for start, stop in sorted(longest))


@dataclass(frozen=True)
class Judgement:
    """What a verdict says; see `VerdictReport`."""

    level: Level
    value: float | None
    unit: str
    text: str
    reason: str
    spans: Spans = ()


Judge = Callable[[Evidence], Judgement | None]
VERDICTS: Registry[tuple[str, Judge]] = Registry("a verdict")


def verdict(name: str, title: str) -> Callable[[Judge], Judge]:
    """Register a function as a verdict.

    Args:
        name: Its name in `report.json`.
        title: The question that it answers, for people.

    Returns:
        A decorator of a function from evidence to a judgement, or to None where there is nothing to
        be said; it leaves the function as it is.

    Raises:
        ValueError: The name is taken.
    """

    def register(judge: Judge) -> Judge:
        VERDICTS.add(name, (title, judge), judge.__module__)
        return judge

    return register


def verdicts(evidence: Iterable[Evidence]) -> tuple[VerdictReport, ...]:
    """Every verdict of everyone, rounded for the report."""
    found = []
    for one in evidence:
        for name, (title, judge) in VERDICTS.entries().items():
            judged = judge(one)
            if judged is not None:
                value = None if judged.value is None else round(judged.value, 4)
                said = {**vars(judged), "value": value}
                found.append(VerdictReport(name, title, one.person.track_id, **said))
    return tuple(found)


def level_of(name: str, value: float) -> Level:
    """A level by `LIMITS`."""
    good, look = LIMITS[name]
    if value <= good:
        return "good"
    return "look" if value <= look else "bad"


# What is asked


@verdict("gaps", "Was the person seen throughout?")
def gaps(evidence: Evidence) -> Judgement:
    """Frames that were filled in between detections."""
    share = float(1 - evidence.is_seen.mean())
    spans = evidence.spans(~evidence.is_seen, shortest_s=0.0)
    longest_s = max((stop - start for start, stop in spans), default=0.0)
    text = (
        f"Not found in {share:.0%} of the frames, {longest_s:.1f} s at a time at most."
        if spans
        else "Found in every frame."
    )
    reason = "Motion is made up where nobody was found: it leads smoothly from before to after."
    return Judgement(level_of("gaps", share), share, "1", text, reason, spans)


@verdict("reprojection", "Does the figure match the picture?")
def reprojection(evidence: Evidence) -> Judgement | None:
    """Lifted limbs against keypoints."""
    error = evidence.error
    if not np.isfinite(error).any():
        return None
    mean = float(np.nanmean(error))
    text = f"Joints are {mean:.1%} of the person's size from where they were seen, on average."
    reason = (
        "Seen through the film camera the figure should cover the person. Where it does not, the"
        " pose was unusual, the detector erred, or the lens is another one."
    )
    with np.errstate(invalid="ignore"):
        spans = evidence.spans(error > LIMITS["reprojection"][1])
    return Judgement(level_of("reprojection", mean), mean, "1", text, reason, spans)


@verdict("uncertainty", "How far off may joints be?")
def uncertainty(evidence: Evidence) -> Judgement | None:
    """σ, as the lifter says."""
    sigma = evidence.sigma_m
    if not np.isfinite(sigma).any():
        return None
    mean = float(np.nanmean(sigma))
    worst = max(evidence.joint_sigma_m, key=lambda joint: evidence.joint_sigma_m[joint])
    text = (
        f"Two times in three a joint is within {100 * mean:.0f} cm of where it is drawn; the"
        f" {_words(worst)} within {100 * evidence.joint_sigma_m[worst]:.0f} cm."
    )
    reason = (
        "One camera does not see depth: it is inferred. To measure something it has to be much"
        " larger than that."
    )
    with np.errstate(invalid="ignore"):
        spans = evidence.spans(sigma > LIMITS["uncertainty"][1])
    return Judgement(level_of("uncertainty", mean), mean, "m", text, reason, spans)


@verdict("side_swaps", "Were left and right mixed up?")
def side_swaps(evidence: Evidence) -> Judgement | None:
    """Left/right swaps that were mended."""
    swaps = evidence.person.side_swaps
    if swaps is None:
        return None
    total_s = sum(stop - start for start, stop in swaps)
    share = total_s / max(len(evidence.times_s) * evidence.frame_s, 1e-9)
    if not swaps:
        text = "No: left stayed left."
    else:
        times = "once" if len(swaps) == 1 else f"{len(swaps)} times"
        text = f"The detector took left for right {times}, {total_s:.1f} s in all; it was mended."
    reason = (
        "Seen from behind or from the side, left and right look alike. What lasts longer than a"
        " second or two is not noticed: compare with the video."
    )
    return Judgement(level_of("side_swaps", share), share, "1", text, reason, _longest(swaps))


@verdict("cut_off", "Is the whole body in the picture?")
def cut_off(evidence: Evidence) -> Judgement:
    """Parts of the body outside the picture."""
    shares = {part: float(is_out.mean()) for part, is_out in evidence.cut_off.items()}
    any_out = np.any(list(evidence.cut_off.values()), axis=0)
    share = float(any_out.mean())
    outside = [f"{part} {value:.0%}" for part, value in shares.items() if value >= 0.01]
    text = (
        f"Out of the picture, of the time: {', '.join(outside)}."
        if outside
        else "Yes, all the time."
    )
    reason = "What is outside the picture is guessed from the rest of the body."
    spans = evidence.spans(any_out)
    return Judgement(level_of("cut_off", share), share, "1", text, reason, spans)


@verdict("foot_skate", "Do feet stay where they stand?")
def foot_skate(evidence: Evidence) -> Judgement | None:
    """Feet that slide while they are in contact."""
    speed = evidence.foot_speed_m_s
    if not np.isfinite(speed).any():
        return Judgement(
            "look", None, "m/s", "No foot was found to be on the ground.",
            "Without a contact nothing tells how high the person is above the floor.",
        )  # fmt: skip
    mean = float(np.nanmean(speed))
    text = f"Feet on the ground move at {100 * mean:.0f} cm/s on average."
    reason = "A foot that rests should stand still; where it slides, the contact is wrong."
    with np.errstate(invalid="ignore"):
        spans = evidence.spans(speed > LIMITS["foot_skate"][1], shortest_s=0.1)
    return Judgement(level_of("foot_skate", mean), mean, "m/s", text, reason, spans)


@verdict("bones", "Do bones keep their length?")
def bones(evidence: Evidence) -> Judgement | None:
    """Bones that stretch."""
    if not evidence.bone_spread:
        return None
    spread = evidence.bone_spread
    mean = float(np.mean([*spread.values()]))
    worst = max(spread, key=lambda bone: spread[bone])
    text = f"They vary by {mean:.1%}; most, by {spread[worst]:.1%}, to the {_words(worst)}."
    reason = (
        "Real bones do not stretch. Where they do, the pose was hard to read."
        " The option --rigid-bones gives every bone one length."
    )
    return Judgement(level_of("bones", mean), mean, "1", text, reason)


@verdict("lens", "Are size and distance right?")
def lens(evidence: Evidence) -> Judgement | None:
    """What another lens would make of distance and height."""
    distance = evidence.distance_m
    if not np.isfinite(distance).any():
        return None
    report = evidence.report
    video, intrinsics = report.video, report.intrinsics
    metres = float(np.nanmedian(distance))
    longer = max(video.width, video.height)
    fov_deg = math.degrees(2 * math.atan(longer / 2 / intrinsics.fx))
    tans = {angle: math.tan(math.radians(angle) / 2) for angle in LENSES_DEG}
    now = math.tan(math.radians(fov_deg) / 2)
    far = ", ".join(f"{angle:.0f}°: {metres * now / tan:.1f} m" for angle, tan in tans.items())
    is_height_given = report.config.get("height_m") is not None
    height = (
        "The height is the one you gave"
        if is_height_given
        else "The height is the same with each: it follows from the body's proportions and what"
        " adults measure, and may be off by 6 %, and all lengths with it"
    )
    source = _SOURCES.get(intrinsics.source)
    text = (
        f"The lens is {fov_deg:.0f}° wide: {source}."
        if source
        else f"Nobody said what lens it was; {fov_deg:.0f}° is assumed."
    )
    text += f" Distance from the camera by lens: {far}. {height}."
    reason = (
        "Distances, and ways towards the camera or away from it, are in proportion to the focal"
        " length; poses are not. The options --fov and --height-m say what is right."
    )
    level: Level = "good" if source and is_height_given else "look"
    return Judgement(level, round(metres, 2), "m", text, reason)


def _words(joint: str) -> str:
    sides = {"l": "left", "r": "right"}
    return " ".join(sides.get(word, word) for word in joint.split("_"))


# How evidence is gathered


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
    feet = np.repeat(soles(joints).joints, 4 // len(soles(joints).joints))
    outside = _outside(keypoints, observed, report)
    return {
        "times_s": rows["time_s"],
        "is_seen": observed.any(1),
        "error": error.astype(np.float32),
        "sigma_m": rows["joint_sigma_m"][:, 1:].mean(1),
        "distance_m": rows["root_camera_m"][:, 2],
        "soles_m": rows["joints_world_m"][:, feet, :2],
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
