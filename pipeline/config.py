"""All options of a run: a dataclass for each stage, declared in the stage's room, composed here.

    PipelineConfig(output=Path("out"), lift=LiftOptions(fov=70))
    PipelineConfig.from_flat(output=Path("out"), fov=70)  # the same, by the options' own names

Each option has one name: the dataclass' field, the flag of the command line (`height_m` is
--height-m) and the key in `report.json`. Stages get their own dataclass, never the whole.
"""

from collections.abc import Iterator, Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from core.errors import InputError, UsageError
from core.options import given_flags, is_option, option
from detectors.choice import DetectOptions, option_fields
from pipeline.corrections.edits import Corrections
from pipeline.corrections.options import CorrectionOptions
from pipeline.export.base import ExportOptions
from pipeline.grounding.options import GroundOptions
from pipeline.lifting.options import LiftOptions
from pipeline.live.options import LiveOptions
from pipeline.media.options import ClipOptions
from pipeline.multiview.options import ViewOptions
from pipeline.render.options import RenderOptions
from pipeline.tracking.options import TrackOptions

_TITLES = {
    "several": "several views",
    "clip": "what is read of a video",
    "correct": "corrections by hand",
    "detect": "who finds people",
    "track": "who is kept of them",
    "lift": "their poses in 3D",
    "ground": "the world",
    "render": "what is drawn",
    "export": "formats and measures",
    "live": "a live source",
}
"""What the command line's help calls the options of each stage."""


@dataclass(frozen=True)
class PipelineConfig:
    """Settings of one run.

    Raises:
        UsageError: A value is out of its range, or options contradict each other.
    """

    output: Path = option(
        Path("output"), "folder for results (default: %(default)s)", short="-o", parse=str
    )  # as text on the command line, where it may be an address
    overwrite: bool = option(False, "do finished videos again")
    several: ViewOptions = field(default_factory=ViewOptions)
    clip: ClipOptions = field(default_factory=ClipOptions)
    correct: CorrectionOptions = field(default_factory=CorrectionOptions)
    detect: DetectOptions = field(default_factory=DetectOptions)
    track: TrackOptions = field(default_factory=TrackOptions)
    lift: LiftOptions = field(default_factory=LiftOptions)
    ground: GroundOptions = field(default_factory=GroundOptions)
    render: RenderOptions = field(default_factory=RenderOptions)
    export: ExportOptions = field(default_factory=ExportOptions)
    live: LiveOptions = field(default_factory=LiveOptions)

    def __post_init__(self) -> None:
        if not isinstance(self.output, Path):
            object.__setattr__(self, "output", Path(self.output))
        if self.several.views:
            self._require_views()

    @classmethod
    def from_flat(cls, **values: Any) -> Self:
        """A configuration from options by their own names.

        Raises:
            UsageError: As the constructor, and where there is no option of a name.
        """
        own = {
            entry.name: values.pop(entry.name) for entry in _own_fields() if entry.name in values
        }
        stages: dict[str, Any] = {}
        for stage, options in _stages():
            names = values.keys() & {entry.name for entry in fields(options) if is_option(entry)}
            stages[stage] = {name: values.pop(name) for name in names}
        names = values.keys() & {entry.name for entry in option_fields()}
        stages["detect"]["settings"] = {name: values.pop(name) for name in names}
        if values:
            raise UsageError(f"there is no option `{min(values)}`")
        return cls(**own, **{stage: options(**stages[stage]) for stage, options in _stages()})

    @classmethod
    def from_report(cls, plain: Mapping[str, Any]) -> Self:
        """The options that a report names, to do the same again; those that it lacks are defaults.

        Raises:
            InputError: The values are none of these options.
        """
        try:
            values = {
                entry.name: _typed(entry, plain[entry.name])
                for entry in all_options()
                if entry.name in plain
            }
            return cls.from_flat(**values)
        except (TypeError, ValueError, UsageError) as error:
            raise InputError(f"the report's options cannot be read ({error})") from error

    @property
    def corrections(self) -> Corrections:
        """What was corrected by hand; empty where nothing was."""
        return self.correct.edits

    def as_dict(self) -> dict[str, Any]:
        """Every option by its own name, as plain values for reports."""
        values = {entry.name: getattr(self, entry.name) for entry in _own_fields()}
        for stage in (getattr(self, name) for name, _ in _stages()):
            has_own = isinstance(stage, DetectOptions | CorrectionOptions)
            values |= stage.as_dict() if has_own else asdict(stage)
        return {name: _plain(value) for name, value in values.items()}

    def given(self) -> list[str]:
        """The names of the options that are not their defaults, but `output`."""
        defaults = PipelineConfig().as_dict()
        return [
            name for name, value in self.as_dict().items()
            if value != defaults[name] and name != "output"
        ]  # fmt: skip

    def input_files(self, *clips: Path) -> list[Path]:
        """The files and folders that the results of a clip, or of several views, are made of."""
        backend = self.detect.choose().backend
        backends = [backend.of_view(clip) for clip in clips] if self.several.views else [backend]
        keypoints = [path for each in backends for path in each.input_files()]
        cameras = [] if self.several.calibration is None else [self.several.calibration]
        return [*clips, *keypoints, *cameras]

    def weight_files(self) -> dict[str, str | Path]:
        """The networks' files by role; see `network_files`."""
        from pipeline.results.resume import network_files  # what `--help` goes without

        return network_files(self.detect, self.lift.lifter)

    def require_inputs(self) -> None:
        """`InputError` where a file or folder that a detector is to read is not there."""
        backend = self.detect.choose().backend
        cameras = () if self.several.calibration is None else (self.several.calibration,)
        for path in (*backend.input_files(), *backend.weight_files().values(), *cameras):
            if not path.exists():
                raise InputError(f"{path}: no such file or folder")

    def require_file(self) -> None:
        """`UsageError` where something is asked for that only a live source has."""
        for name in given_flags(self.live):
            raise UsageError(
                f"`{name}` is for live sources: a camera's number, an address or a FIFO"
            )

    def require_uncorrected(self) -> None:
        """`UsageError` where what is still to be made of several views is to be corrected."""
        if self.corrections:
            raise UsageError(
                "`corrections` is for one video: correct the result of `views`, by `python -m"
                " pipeline.mend RESULT FILE`"
            )

    def _require_views(self) -> None:
        """`UsageError` where something is asked for that several views cannot give."""
        if self.ground.camera == "moving":
            raise UsageError(
                "`camera` moving does not go with `views`: they need cameras that stand still, on"
                " something solid"
            )
        for name in given_flags(self.clip):
            raise UsageError(f"`{name}` is for one video: it does not go with `views`")

    def require_live(self) -> None:
        """`UsageError` where something is asked for that a source without a future cannot give."""
        refused = {
            "`overwrite`": self.overwrite,
            "`views`": self.several.views,
            "`start`": self.clip.start is not None,
            "`camera` moving": self.ground.camera == "moving",
            "`person_id`": bool(self.track.person_id),
            "`people_order`": "people_order" in given_flags(self.track),
            "`fps`": self.clip.fps is not None,
            "`corrections`": bool(self.corrections),
            f"`render` {self.render.render}": self.render.render in ("orbit", "frames"),
        }
        if self.detect.selecting_option is not None:
            raise only_for_files(f"`{self.detect.selecting_option}`")
        for name, is_given in refused.items():
            if is_given:
                raise only_for_files(name)


def only_for_files(name: str) -> UsageError:
    """What is said of an option, named in backticks, that a live source cannot honour."""
    return UsageError(f"{name} is for files: it does not go with a live source")


def all_options() -> list[Field[Any]]:
    """Every option of a run, in the order of the command line's help.

    Raises:
        ValueError: A detector has an option of a name that another stage has.
    """
    entries = [entry for own in option_groups().values() for entry in own]
    names = [entry.name for entry in entries]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"two stages have an option {', '.join(sorted(twice))}")
    return entries


def option_groups() -> dict[str, list[Field[Any]]]:
    """The options of a run by the titles that the command line's help gives them."""
    groups = {"results": _own_fields()}
    for stage, options in _stages():
        own = filter(is_option, fields(options))
        groups[_TITLES[stage]] = [*own, *(option_fields() if options is DetectOptions else [])]
    return groups


def _own_fields() -> list[Field[Any]]:
    return [entry for entry in fields(PipelineConfig) if is_option(entry)]


def _stages() -> Iterator[tuple[str, Any]]:
    """The field and dataclass of each stage."""
    for entry in fields(PipelineConfig):
        if not is_option(entry):
            yield entry.name, entry.type


def _typed(entry: Field[Any], plain: Any) -> Any:
    """An option's value from what `as_dict` made of it."""
    if plain is None:
        return None
    if entry.name == "corrections":
        return Corrections.from_dict(plain)
    if entry.type is Path:
        return Path(plain)
    return tuple(plain) if isinstance(plain, list) else plain


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value
