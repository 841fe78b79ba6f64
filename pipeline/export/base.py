"""What an export format is, and the registry of formats.

A format is one file here: a class that brings its `name` and writes a result. It registers itself;
the built-in ones are named in `_BUILT_IN`, one line each, and imported when they are asked for.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from core.errors import OutputError, UsageError, Video3DError, one_line
from core.options import check_options, comma_separated, option
from core.registry import Registry
from pipeline.results.archive import POSES_FORMAT, PoseTable
from pipeline.results.report import Report
from pipeline.results.result import Result
from pipeline.results.staging import staged

_BUILT_IN = {
    POSES_FORMAT: "pipeline.export.npz",
    "csv": "pipeline.export.tables.csv_table",
    "parquet": "pipeline.export.tables.parquet",
    "json": "pipeline.export.tables.json_poses",
    "nc": "pipeline.export.tables.netcdf",
    "trc": "pipeline.export.biomechanics.trc",
    "c3d": "pipeline.export.biomechanics.c3d_points",
    "mot": "pipeline.export.biomechanics.mot",
    "npy": "pipeline.export.viz_array",
    "gif": "pipeline.export.pictures.gif",
    "png": "pipeline.export.pictures.contact_sheet",
    "plots": "pipeline.export.pictures.plots",
    "rrd": "pipeline.export.pictures.rerun_recording",
    "html": "pipeline.export.pictures.html_page",
    "bvh": "pipeline.export.rigs.bvh",
    "glb": "pipeline.export.rigs.glb",
    "fbx": "pipeline.export.rigs.fbx",
}
"""The modules of the formats that come with the project, by name."""

_EXPORTERS: Registry[type["Exporter"]] = Registry("an export format", _BUILT_IN)


class Exporter(ABC):
    """Writes results in one format; a subclass with a `name` of its own is known by it."""

    name: ClassVar[str]
    """What `--export` and `--to` call it."""
    about: ClassVar[str]
    """What the format is for, one line."""

    def __init__(self, options: "ExportOptions | None" = None) -> None:
        """Make an exporter; `options` say how formats are written, None for the defaults."""
        self.options = ExportOptions() if options is None else options
        self.notes: list[str] = []
        """What people should know of the files, which `write` adds; the report has them."""

    def note(self, text: str | None) -> None:
        """Add to `notes`; None is nothing to be known."""
        if text:
            self.notes.append(text)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" in vars(cls):
            _EXPORTERS.add(cls.name, cls, cls.__module__)

    @abstractmethod
    def write(self, result: Result, folder: Path) -> None:
        """Write a result's files.

        A person has rows for the frames in which they are in view, bridged ones included. What is
        not known is NaN: write it as the format says "missing", never as 0.

        Args:
            result: Its rows, from `result.people` (an array of all of a person's rows at a time),
                or, where memory must not grow with the video, from `result.table.chunks`. Its
                report may lack what is only known at the end of a run: times and files.
            folder: Where they go: `<result.stem>.<ending>`, `<result.stem>_person1.<ending>`, ….
                The caller moves them to the result's folder when all are whole.

        Raises:
            OSError: The disk refuses.
        """


def exporters() -> Mapping[str, type[Exporter]]:
    """All formats by name: the built-in ones, then others in the order of their definition."""
    return _EXPORTERS.entries()


def exporter_names() -> tuple[str, ...]:
    """The names of all formats."""
    return _EXPORTERS.names()


def require_known(names: Iterable[str]) -> list[str]:
    """The names of formats, each once; `UsageError` where there is none of a name, or no name."""
    wanted = list(dict.fromkeys([names] if isinstance(names, str) else names))
    for name in wanted or [""]:
        if name not in exporter_names():
            known = ", ".join(exporter_names())
            raise UsageError(f"there is no format {name!r}; there is {known}")
    return wanted


_WHICH = frozenset({"export", "plots"})
"""Options that say which formats are written; the others say how."""


@dataclass(frozen=True)
class ExportOptions:
    """What is written beside `poses.npz`, the report and the video."""

    export: tuple[str, ...] = option(
        (),
        "formats to write, too, separated by comma",
        metavar="FORMAT[,…]",
        parse=comma_separated,
        choices=exporter_names,
    )
    measures: bool = option(
        False, "angles, lengths, speeds and steps: in the report, and in csv, parquet and mot"
    )
    plots: bool = option(False, "angles over time as pictures: the same as the format plots")
    z_up: bool = option(False, "c3d with z up; else y is up")
    bvh_names: Literal["mixamo", "lafan1", "h36m"] = option(
        "mixamo",
        "what bvh calls its bones (default: %(default)s)",
        choices=("mixamo", "lafan1", "h36m"),
    )
    private: bool = option(False, "html without the video, and so without anyone's face")
    embed_mb: float = option(
        20.0,
        "html: the largest video that is put into the page; a larger one lies beside it"
        " (default: %(default)s)",
        metavar="MB",
        at_least=0,
    )
    blender: str | None = option(
        None, "fbx: Blender, or a Python that has bpy (default: `blender`)", metavar="PROGRAM"
    )

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def formats(self) -> tuple[str, ...]:
        """All formats to write: `poses.npz` first, from which others can be made later."""
        return tuple(dict.fromkeys((POSES_FORMAT, *self.export, *self.added)))

    @property
    def added(self) -> tuple[str, ...]:
        """The formats that have a flag of their own, where it is given."""
        return ("plots",) if self.plots else ()

    @property
    def manner(self) -> dict[str, Any]:
        """How formats are written, by option."""
        return {
            entry.name: getattr(self, entry.name)
            for entry in fields(self)
            if entry.name not in _WHICH
        }

    def measured(self, report: Report, table: PoseTable) -> Report:
        """A report with the measures of motion of a table, where they are asked for."""
        if not self.measures:
            return report
        from pipeline.motion.summary import motion_report  # takes a while to load

        return replace(report, motion=motion_report(table))


@dataclass(frozen=True)
class Written:
    """What became of exports: formats written, a line for each that failed, what is to be known."""

    names: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it, for the report's warnings."""
        return (*self.failures, *self.notes)


def write_exports(
    result: Result, names: Iterable[str], folder: Path, options: ExportOptions | None = None
) -> Written:
    """Write a result in several formats.

    Args:
        result: What is written.
        names: Of the formats.
        folder: Where the files go.
        options: How they are written, whatever formats they name; None for the defaults.

    Returns:
        What failed by a fault of its own, from which nothing is left, and what is to be known.

    Raises:
        OSError: The disk refuses.
        UsageError: There is no format of a name; nothing is written.
    """
    written = Written()
    for name in require_known(names):
        before = set(folder.iterdir())
        exporter = _EXPORTERS[name](options)
        try:
            exporter.write(result, folder)
        except OSError:
            raise
        except Exception as error:  # hours of work are not lost for a format
            if name == POSES_FORMAT:
                raise
            for file in set(folder.iterdir()) - before:
                file.unlink()
            reason = one_line(error)
            if not isinstance(error, Video3DError):
                reason = f"{type(error).__name__}: {reason}"
            written.failures.append(f"--export {name} failed: {reason}")
        else:
            written.names.append(name)
        written.notes.extend(f"{name}: {note}" for note in dict.fromkeys(exporter.notes))
    return written


def add_exports(
    result: Result, names: Iterable[str], options: ExportOptions | None = None
) -> list[str]:
    """Write a finished result in more formats, into its own folder, and note them in its report.

    Args:
        result: A result that is whole.
        names: Of the formats.
        options: How they are written, whatever formats they name; None for the defaults.

    Returns:
        The names of the files that were written.

    Raises:
        OutputError: The folder cannot be written, or a format failed; the result stays as it was.
        UsageError: There is no format of a name.
    """
    names, options = require_known(names), options or ExportOptions()
    with staged(result.folder) as partial:
        written = write_exports(result, names, partial, options)
        if written.failures:
            raise OutputError(f"{result.folder}: {'; '.join(written.failures)}")
        files = sorted(file.name for file in partial.iterdir())
        report = options.measured(result.report, result.table)
        report.with_exports(names, options.manner, written.notes).write(partial)
    return files
