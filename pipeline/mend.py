"""Correct a result by hand: `python -m pipeline.mend output/clip corrections.json`, or

from pipeline.mend import mend
mended = mend(load_result("output/clip"), read_corrections("corrections.json"))

Those whom that concerns are lifted again. Detection and tracking are not done again: `tracks.npz`
has what they gave, and of a live recording the rows themselves. Everyone else's rows are copied,
and up, floor and origin stay as they were found. People of several views are not lifted again.
"""

import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.errors import InputError, Video3DError
from core.options import Parser
from pipeline.config import PipelineConfig
from pipeline.corrections.edits import MENDED, Corrections, read_corrections
from pipeline.corrections.options import CorrectionOptions
from pipeline.corrections.people import corrected_people
from pipeline.people import mend_people
from pipeline.regrouped import regrouped
from pipeline.results.archive import POSES, TRACKS, ArchiveTable, PoseTable
from pipeline.results.detections import TrackRows
from pipeline.results.report import NO_PEOPLE
from pipeline.results.report_parts import ViewsReport
from pipeline.results.result import Result, load_result
from pipeline.results.staging import staged
from pipeline.run import Stopwatch, write_results
from pipeline.runtime.models import Models
from pipeline.runtime.progress import StageProgress, progress_bar
from pipeline.tracks_file import FoundPeople, read_tracks, tracks_of_rows


def mend(
    result: Result,
    corrections: Corrections,
    folder: str | Path | None = None,
    config: PipelineConfig | None = None,
    models: Models | None = None,
    progress: StageProgress = progress_bar,
) -> Result:
    """Lift again those people of a result whom corrections concern.

    Args:
        result: Of a file, corrected before, too; or of a live source or several views, not so.
        corrections: All that is to be corrected of what was found: those of before are not kept.
        folder: Where the new result goes, with `corrections.json`; None for `mended` inside the
            result's. The result's own folder replaces it.
        config: The options that the result was made with, which may ask for other exports; None for
            those that its report has.
        models: The networks of earlier videos with the same options, which spares loading them.
        progress: Is told how far drawing has come.

    Returns:
        The new result.

    Raises:
        InputError: The result has no `tracks.npz`, an edit names who or what is not there, or is
            none that several views can have.
        OutputError: The folder cannot be written.
    """
    folder = result.folder / MENDED if folder is None else Path(folder)
    as_before = PipelineConfig.from_report(result.report.config)
    former = as_before.corrections
    config = replace(config or as_before, correct=CorrectionOptions(corrections or None))
    has_tracks = result.report.live is None and result.report.views is None
    if former and not has_tracks:
        raise InputError(
            f"{result.folder}: was corrected before: correct the result it was made of"
        )
    stopwatch = Stopwatch()
    with ExitStack() as opened:
        partial = opened.enter_context(staged(folder))
        video = result.report.video
        found = (
            read_tracks(result.folder, video, partial)
            if has_tracks
            else tracks_of_rows(result.table, video, partial)
        )
        opened.callback(found.close)
        models = models or opened.enter_context(closing(Models(config.detect, config.lift.lifter)))
        report, first = result.report, found.first
        table: PoseTable = result.table
        if report.views is None:
            before, after = (_people(found, edits) for edits in (former, corrections))
        else:
            table, after = regrouped(table, corrections, first.frame_indices, first.times_s)
            before = after
        with stopwatch.stage("lift"):
            lifting = first.lifting(models.lifter, report.intrinsics, config.lift)
            people = mend_people(
                table, before, after, lifting, found.world, found.grounding or report.grounding,
                partial, progress,
            )  # fmt: skip
            opened.callback(people.table.close)
        if has_tracks:
            shutil.copyfile(result.folder / TRACKS, partial / TRACKS)
        warnings = [*first.warnings, *people.doubts]
        if not people.table.persons:
            warnings.append(NO_PEOPLE)
        report = replace(
            report, config=config.as_dict(), measures=people.measures, warnings=tuple(warnings),
            motion=None, files={}, views=_views(report.views, result.table, table),
        )  # fmt: skip
        if not has_tracks:  # there is no video to be drawn on, or there are several
            config = replace(config, render=replace(config.render, render="none"))
        report = write_results(partial, report, first, people, config, stopwatch, progress)
    return Result(folder, report, ArchiveTable(folder / POSES))


def _views(views: ViewsReport | None, before: PoseTable, after: PoseTable) -> ViewsReport | None:
    """Without what views saw of people whose frames are others now."""
    if views is None:
        return None
    same = {
        person
        for person in np.unique(after.column("track_id")).tolist()
        if np.array_equal(
            *(t.column("frame_index")[t.column("track_id") == person] for t in (before, after))
        )
    }
    return replace(
        views,
        views=tuple(
            replace(view, people=tuple(seen for seen in view.people if seen.track_id in same))
            for view in views.views
        ),
    )


def _people(found: FoundPeople, corrections: Corrections) -> list[TrackRows]:
    first = found.first
    return corrected_people(found.tracks, corrections, first.frame_indices, first.times_s)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, 1 (it cannot be corrected) or 2."""
    parser = Parser(prog="python -m pipeline.mend", description="Correct a result by hand.")
    parser.add_argument("result", type=Path, metavar="RESULT", help="a folder of results")
    parser.add_argument("corrections", type=Path, metavar="FILE", help="corrections.json")
    parser.add_argument(
        "-o", "--output", type=Path, help="(default: the folder `mended` inside the result's)"
    )
    given = parser.parse_args(arguments)
    try:
        edits = read_corrections(given.corrections)
        print(mend(load_result(given.result), edits, given.output).folder)
    except Video3DError as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
