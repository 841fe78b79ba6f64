"""`report.json`: what was done, with what, and how good it is; the same for files and live sources.

`docs/report.md` has every field for people who read the file.
"""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from core.errors import InputError
from core.files import result_stem
from core.types import Intrinsics, VideoInfo
from detectors.base import backends
from pipeline.results.archive import POSES_FORMAT
from pipeline.results.report_parts import (
    DetectorReport,
    InputReport,
    LiveReport,
    PersonReport,
    VerdictReport,
    ViewsReport,
    WeightsReport,
    video_of,
)
from pipeline.results.staging import REPORT, read_json

NO_PEOPLE = "nobody was found in this video"
"""The warning of a result without people."""

_PACKAGES = ("torch", "numpy", "opencv-python-headless", "scipy")


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
            plain["views"] = self.views.as_dict()
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
            "video": video_of(plain["video"]),
            "intrinsics": Intrinsics(**plain["intrinsics"]),
            "detector": DetectorReport(**plain.get("detector", {"name": "", "why": ""})),
            "weights": {role: WeightsReport(**file) for role, file in plain["weights"].items()},
            "grounding": grounding,
            "people": tuple(PersonReport.from_dict(person, grounding) for person in persons),
            "warnings": tuple(plain["warnings"]),
            "verdicts": tuple(map(VerdictReport.from_dict, plain.get("verdicts", ()))),
            "input": None if made_of is None else InputReport(**made_of),
            "live": None if live is None else LiveReport(**{"name": "live", **live}),
            "views": None if views is None else ViewsReport.from_dict(views),
            "measures": {name: content[name] for name in content if name not in known},
        }
        return cls(**plain)

    @property
    def exports(self) -> frozenset[str]:
        """The export formats that are there."""
        return frozenset((POSES_FORMAT, *self.config.get("export", ())))

    def exported(self, names: Iterable[str], lines: Iterable[str]) -> Self:
        """A new result with what became of its exports: `names` were written, `lines` warn."""
        return replace(
            self,
            config={**self.config, "export": sorted({*names} - {POSES_FORMAT})},
            warnings=(*self.warnings, *lines),
        )

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
