"""`report.json`: what was done, with what, and how good it is; the same for files and live sources.

`docs/report.md` has every field for people who read the file.
"""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Self

from core.errors import InputError
from core.files import result_stem
from core.types import Intrinsics, VideoInfo
from detectors.base import backends
from pipeline.results.archive import POSES_FORMAT
from pipeline.results.person_table import PersonSummary
from pipeline.results.staging import REPORT, read_json

NO_PEOPLE = "nobody was found in this video"
"""The warning of a result without people."""

Level = Literal["good", "look", "bad"]
"""Of a verdict: all is well; have a look; don't trust it."""

_PACKAGES = ("torch", "numpy", "opencv-python-headless", "scipy")


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
    frames_not_drawn were, but the video leaves them out because drawing was behind. latency_ms has
    the percentiles p50 and p95 of poses and of the picture, from a frame's arrival.
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
    k1, k2, p1, p2. residual_px: median distance of keypoints from the joints' images.
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
                "video": _video(content["video"]),
                "intrinsics": Intrinsics(**content["intrinsics"]),
                "people": tuple(SeenReport(**seen) for seen in content["people"]),
            }
        )


@dataclass(frozen=True)
class ViewsReport:
    """Several views: what the result's files are called, and each view, the first one first."""

    name: str
    views: tuple[ViewReport, ...]


@dataclass(frozen=True)
class StanceReport:
    """One foot on the ground once, in seconds, as `pipeline.grounding.contacts.Stance`."""

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


@dataclass(frozen=True)
class Report:
    """Everything in `report.json`.

    video, intrinsics, detector, weights (by role) and config (option → value) tell what the result
    was made of and with. grounding: how up and floor were found. frames: how many were analysed.
    seconds: by stage. measures: by name, see `pipeline.results.measures`; in the file they stand
    at the top level. verdicts: what can be trusted, by person. input: None for a live source.
    live: None for files. motion: a table a person, None where it was not asked for. files: name →
    bytes. views: None of a single one; `video` and `intrinsics` are the first view's then.
    """

    video: VideoInfo
    intrinsics: Intrinsics
    detector: DetectorReport
    weights: Mapping[str, WeightsReport]
    config: Mapping[str, Any]
    grounding: str
    frames: int
    people: tuple[PersonReport, ...]
    measures: Mapping[str, float | None]
    warnings: tuple[str, ...] = ()
    verdicts: tuple[VerdictReport, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    frames_per_second: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    input: InputReport | None = None
    live: LiveReport | None = None
    views: ViewsReport | None = None
    motion: Sequence[Mapping[str, Any]] | None = None
    files: Mapping[str, int] = field(default_factory=dict)
    status: str = "done"

    def __post_init__(self) -> None:
        taken = self.measures.keys() & {entry.name for entry in fields(self)}
        if taken:
            raise ValueError(f"measures must not be called {', '.join(sorted(taken))}")
        for named in (self.live, self.views):
            if named is not None and Path(named.name).name != named.name:
                raise ValueError(f"{named.name!r} is no name of files")

    @property
    def stem(self) -> str:
        """What the result's files are named after."""
        named = self.live or self.views
        return result_stem(self.video.path) if named is None else named.name

    def provenance(self) -> dict[str, Any]:
        """What the result was made of and with, as plain values; `poses.npz` has it, too."""
        path = str(self.video.path) if self.live is None else self.live.source
        return {
            "video": {**vars(self.video), "path": path},
            "intrinsics": vars(self.intrinsics),
            "detector": vars(self.detector),
            "weights": {role: vars(file) for role, file in self.weights.items()},
            "config": dict(self.config),
        }

    def as_dict(self) -> dict[str, Any]:
        """The file's content as plain values."""
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        plain |= {"people": [asdict(person) for person in self.people]}
        plain |= {"verdicts": [asdict(one) for one in self.verdicts]}
        plain |= {"warnings": list(self.warnings), **self.provenance()}
        for name in ("input", "live"):  # a file's result has no key `live`, and the other way round
            part = plain.pop(name)
            if part is not None:
                plain[name] = asdict(part)
        del plain["views"]
        if self.views is not None:
            views = [view.as_dict() for view in self.views.views]
            plain["views"] = {"name": self.views.name, "views": views}
        if self.motion is None:
            del plain["motion"]
        measures = plain.pop("measures")
        return {**plain, **measures}

    @classmethod
    def from_dict(cls, content: Any) -> Self:
        """The report of a file's content, also one of an earlier version of this program.

        Raises:
            ValueError: The content is no report.
        """
        try:
            return cls._parsed(content)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no report ({error})") from error

    @classmethod
    def _parsed(cls, content: dict[str, Any]) -> Self:
        for name, kind in _KINDS.items():
            if name in content and not isinstance(content[name], kind):
                raise TypeError(f"{name} is {content[name]!r}")
        exports = content["config"].get("export", [])
        if not isinstance(exports, list) or not all(isinstance(name, str) for name in exports):
            raise TypeError(f"config.export is {exports!r}")
        known = {entry.name for entry in fields(cls)} - {"measures"}
        plain = {name: value for name, value in content.items() if name in known}
        persons, live, made_of = plain["people"], plain.get("live"), plain.get("input")
        views = plain.get("views")
        grounding = plain.get("grounding", persons[0].get("grounding", "") if persons else "")
        plain |= {
            "video": _video(plain["video"]),
            "intrinsics": Intrinsics(**plain["intrinsics"]),
            "detector": DetectorReport(**plain.get("detector", {"name": "", "why": ""})),
            "weights": {role: WeightsReport(**file) for role, file in plain["weights"].items()},
            "grounding": grounding,
            "people": tuple(_person(person, grounding) for person in persons),
            "warnings": tuple(plain["warnings"]),
            "verdicts": tuple(_verdict(one) for one in plain.get("verdicts", ())),
            "input": None if made_of is None else InputReport(**made_of),
            "live": None if live is None else LiveReport(**{"name": "live", **live}),
            "views": None
            if views is None
            else ViewsReport(views["name"], tuple(map(ViewReport.from_dict, views["views"]))),
            "measures": {name: content[name] for name in content if name not in known},
        }
        return cls(**plain)

    @property
    def exports(self) -> frozenset[str]:
        """The export formats that are there."""
        return frozenset((POSES_FORMAT, *self.config.get("export", ())))

    def with_exports(
        self, names: Iterable[str], manner: Mapping[str, Any], notes: Iterable[str] = ()
    ) -> Self:
        """The same result with more export formats.

        Args:
            names: Of the formats.
            manner: The options by which they were written.
            notes: What is to be known of them, which becomes warnings.
        """
        others = sorted({*self.exports, *names} - {POSES_FORMAT})
        return replace(
            self,
            config={**self.config, **manner, "export": others},
            warnings=tuple(dict.fromkeys((*self.warnings, *notes))),
        )

    def timed(self, seconds: Mapping[str, float]) -> Self:
        """With how long each stage took, and the frames a second that follow."""
        total = sum(seconds.values())
        rate = round(self.frames / total, 2) if total else None
        return replace(self, seconds=seconds, frames_per_second=rate)

    def write(self, folder: Path) -> "Report":
        """Write `report.json` into a folder, when all other files are there.

        Returns:
            The report with these files beside those that it named already.

        Raises:
            OSError: The disk refuses.
        """
        files = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
        whole = replace(self, files={**self.files, **files})
        (folder / REPORT).write_text(json.dumps(whole.as_dict(), indent=1) + "\n")
        return whole


_KINDS: dict[str, type] = {
    "frames": int, "people": list, "warnings": list, "config": dict, "weights": dict,
    "files": dict, "video": dict, "intrinsics": dict, "grounding": str, "verdicts": list,
}  # fmt: skip
"""What fields are in the file."""


def _video(content: Mapping[str, Any]) -> VideoInfo:
    return VideoInfo(**{**content, "path": Path(content["path"])})


def _person(content: dict[str, Any], grounding: str) -> PersonReport:
    stances = tuple(StanceReport(**stance) for stance in content.get("stances", ()))
    swaps = content.get("side_swaps")
    others = {"frames_bridged": 0, "grounding": grounding, **content}
    others |= {"side_swaps": None if swaps is None else _spans(swaps)}
    return PersonReport(**{**others, "stances": stances})


def _verdict(content: dict[str, Any]) -> VerdictReport:
    return VerdictReport(**{**content, "spans": _spans(content["spans"])})


def _spans(content: list[list[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((start, stop) for start, stop in content)


def read_report(folder: Path) -> Report:
    """The report in a folder of results.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    path = folder / REPORT
    try:
        return Report.from_dict(read_json(path))
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}: no {REPORT} there, so no result, or not a whole one"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from error


def versions() -> dict[str, str]:
    """The versions of Python and of the installed packages that results depend on."""
    from importlib.metadata import PackageNotFoundError, version  # takes a while to load

    found = {"python": platform.python_version()}
    of_detectors = [package for backend in backends().values() for package in backend.packages]
    for package in dict.fromkeys((*_PACKAGES, *of_detectors)):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
