"""Correct a result by hand and lift again those whom that concerns.

from pipeline.mend import mend
mended = mend(load_result("output/clip"), read_corrections("corrections.json"))

Detection and tracking are not done again: `tracks.npz` has what they gave. Everyone else's rows
are copied, and up, floor and origin stay as they were found.
"""

import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from pipeline.config import PipelineConfig
from pipeline.corrections.edits import MENDED, Corrections
from pipeline.corrections.options import CorrectionOptions
from pipeline.corrections.people import corrected_people
from pipeline.people import mend_people
from pipeline.results.archive import POSES, TRACKS, ArchiveTable
from pipeline.results.detections import TrackRows
from pipeline.results.report import NO_PEOPLE
from pipeline.results.result import Result
from pipeline.results.staging import staged
from pipeline.run import Stopwatch, write_results
from pipeline.runtime.models import Models
from pipeline.runtime.progress import StageProgress, progress_bar
from pipeline.tracks_file import FoundPeople, read_tracks


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
        result: A result of a file; corrected before, too.
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
        InputError: The result has no `tracks.npz`, or an edit names who or what is not there.
        OutputError: The folder cannot be written.
    """
    folder = result.folder / MENDED if folder is None else Path(folder)
    as_before = PipelineConfig.from_report(result.report.config)
    former = as_before.corrections
    config = replace(config or as_before, correct=CorrectionOptions(corrections or None))
    stopwatch = Stopwatch()
    with ExitStack() as opened:
        partial = opened.enter_context(staged(folder))
        found = read_tracks(result.folder, result.report.video, partial)
        opened.callback(found.close)
        before, after = (_people(found, edits) for edits in (former, corrections))
        if models is None:
            models = Models(config.detect, config.lift.lifter)
            opened.callback(models.close)
        report, first = result.report, found.first
        with stopwatch.stage("lift"):
            people = mend_people(
                result.table, before, after, first.frame_indices, first.times_s, found.world,
                found.grounding, models.lifter, report.intrinsics, config.lift, partial,
                first.is_smoothed,
            )  # fmt: skip
            opened.callback(people.table.close)
        shutil.copyfile(result.folder / TRACKS, partial / TRACKS)
        warnings = [*first.warnings, *people.doubts]
        if not people.table.persons:
            warnings.append(NO_PEOPLE)
        report = replace(
            report, config=config.as_dict(), measures=people.measures, warnings=tuple(warnings),
            motion=None, files={},
        )  # fmt: skip
        report = write_results(partial, report, first, people, config, stopwatch, progress)
    return Result(folder, report, ArchiveTable(folder / POSES))


def _people(found: FoundPeople, corrections: Corrections) -> list[TrackRows]:
    first = found.first
    return corrected_people(found.tracks, corrections, first.frame_indices, first.times_s)
