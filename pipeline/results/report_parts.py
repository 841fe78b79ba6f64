"""What `report.json` says of one thing each: a person, a view, a verdict, a file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from core.types import Intrinsics, VideoInfo
from pipeline.results.person_table import PersonSummary

Level = Literal["good", "look", "bad"]
"""Of a verdict: all is well; have a look; don't trust it."""


@dataclass(frozen=True)
class DetectorReport:
    """Which detector found people, and why that one."""

    name: str
    why: str


@dataclass(frozen=True)
class WeightsReport:
    """A file of weights that was used; sha256 None where it was not here to be read."""

    file: str
    sha256: str | None


@dataclass(frozen=True)
class InputReport:
    """What tells the input files, taken together, from others: bytes, newest change, content."""

    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True)
class LiveReport:
    """How a live run went.

    source is without passwords; name begins the files' names; started is ISO 8601; ended is
    "stopped", "ended", "stalled" or "failed: …". frames_missed arrived but were not analysed;
    frames_not_drawn were, but the video leaves them out because the machine was behind. latency_ms
    has the percentiles p50 and p95 of poses and of the picture, from a frame's arrival.
    """

    source: str
    name: str
    started: str
    ended: str
    seconds: float
    frames_arrived: int
    frames_missed: int
    latency_ms: Mapping[str, Mapping[str, int | None]]
    frames_not_drawn: int = 0


@dataclass(frozen=True)
class SeenReport:
    """In how many of the result's frames a view sees a person."""

    track_id: int
    frames: int


@dataclass(frozen=True)
class ViewReport:
    """One of several views.

    offset_s, drift: its t is offset_s + (1 + drift) t on the first view's clock; found_by "first",
    "given", "sound" or "motion"; margin: by how many standard deviations that explains the
    recordings better than any other offset, None where it was not measured. position_m (3,),
    rotation (3, 3): where the camera stands in the world, and world axes → camera axes. distortion
    k1, k2, p1, p2. residual_px: median distance of keypoints from the joints' images. focal_sigma,
    position_sigma_m: one standard deviation of the focal length, as a share of it, and of where the
    camera stands beside the first one; 0 where it is given, None in reports that do not say.
    """

    video: VideoInfo
    offset_s: float
    drift: float
    found_by: str
    margin: float | None
    intrinsics: Intrinsics
    distortion: tuple[float, ...]
    position_m: tuple[float, ...]
    rotation: tuple[tuple[float, ...], ...]
    residual_px: float | None
    people: tuple[SeenReport, ...]
    focal_sigma: float | None = None
    position_sigma_m: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Its fields as plain values."""
        plain = asdict(self)
        plain["video"]["path"] = str(self.video.path)
        return plain

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The report of plain values."""
        return cls(
            **{
                **content,
                "video": video_of(content["video"]),
                "intrinsics": Intrinsics(**content["intrinsics"]),
                "people": tuple(SeenReport(**seen) for seen in content["people"]),
            }
        )


@dataclass(frozen=True)
class ViewsReport:
    """Several views: what the result's files are called, and each view, the first one first."""

    name: str
    views: tuple[ViewReport, ...]

    def as_dict(self) -> dict[str, Any]:
        """Its fields as plain values."""
        return {"name": self.name, "views": [view.as_dict() for view in self.views]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The report of plain values."""
        return cls(content["name"], tuple(map(ViewReport.from_dict, content["views"])))


@dataclass(frozen=True)
class StanceReport:
    """One foot on the ground once, in seconds, as `pipeline.grounding.feet.stances.Stance`."""

    foot: str
    heel_strike_s: float | None
    flat_s: float | None
    heel_off_s: float | None
    toe_off_s: float | None


@dataclass(frozen=True)
class PersonReport:
    """One person: first and last frame, frames detected, frames bridged between detections.

    stances: when each foot is on the ground, by time. side_swaps: when left and right were
    exchanged back, (start, stop) seconds; None where that was not looked for.
    """

    track_id: int
    first_frame: int
    last_frame: int
    frames_seen: int
    frames_bridged: int
    grounding: str
    stances: tuple[StanceReport, ...] = ()
    side_swaps: tuple[tuple[float, float], ...] | None = None

    @classmethod
    def of(cls, person: PersonSummary, grounding: str, stances: tuple[StanceReport, ...]) -> Self:
        """The report of a table's person."""
        swaps = None if person.side_swaps is None else tuple(person.side_swaps)
        return cls(**{**vars(person), "side_swaps": swaps}, grounding=grounding, stances=stances)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], grounding: str) -> Self:
        """The report of plain values; `grounding` is that of files that say it once for all."""
        stances = tuple(StanceReport(**stance) for stance in content.get("stances", ()))
        swaps = content.get("side_swaps")
        others = {"frames_bridged": 0, "grounding": grounding, **content}
        others |= {"side_swaps": None if swaps is None else _spans(swaps)}
        return cls(**{**others, "stances": stances})


@dataclass(frozen=True)
class VerdictReport:
    """Whether something about a person can be trusted; see `pipeline.results.verdicts.questions`.

    name; title, the question; track_id; level; value in `unit`, on which it rests, None where there
    is none; text, the answer, and reason, for people; spans: when to look, (start, stop) seconds.
    """

    name: str
    title: str
    track_id: int
    level: Level
    value: float | None
    unit: str
    text: str
    reason: str
    spans: tuple[tuple[float, float], ...] = ()

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The report of plain values."""
        return cls(**{**content, "spans": _spans(content["spans"])})


def video_of(content: Mapping[str, Any]) -> VideoInfo:
    """The video of its fields as plain values."""
    return VideoInfo(**{**content, "path": Path(content["path"])})


def _spans(content: list[list[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((start, stop) for start, stop in content)
