"""Whether a result can be trusted: one function a question, in one registry, in plain words.

A verdict looks at the evidence of one person, which is gathered from the rows of a result in one
pass, and says "good", "look" (have a look) or "bad" (don't trust it), why, and when to look. To add
one, write the function here (or anywhere that is imported) and decorate it:

    @verdict("my_question", "Is it …?")
    def my_question(evidence: Evidence) -> Judgement | None: ...
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from core.registry import Registry
from pipeline.results.report_parts import Level, VerdictReport
from pipeline.results.verdicts.evidence import Evidence, Spans, longest_spans

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

_SOURCES = {
    "given": "you gave it",
    "recorded": "the camera wrote it into the file",
    "estimated": "it was estimated from the picture",
}


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
    return Judgement(level_of("side_swaps", share), share, "1", text, reason, longest_spans(swaps))


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
