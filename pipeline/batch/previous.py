"""What an earlier run left of a clip."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.errors import InputError
from pipeline.batch.jobs import Job
from pipeline.config import PipelineConfig
from pipeline.export.base import ExportOptions
from pipeline.results.archive import TRACKS
from pipeline.results.report import Report, read_report
from pipeline.results.report_parts import WeightsReport
from pipeline.results.result import Result, load_result
from pipeline.results.resume import comparable, finished

_USUAL = ExportOptions().manner


def report_before(
    job: Job, config: PipelineConfig, weights: Mapping[str, WeightsReport]
) -> Report | None:
    """The report of a job's results, if they are whole and made of the same with the same.

    Args:
        job: The clip and the folder of its results.
        config: The options that it would be done with.
        weights: The networks that it would be done with.
    """
    options, defaults = config.as_dict(), PipelineConfig().as_dict()
    return finished(job.folder, config.input_files(*job.videos), options, defaults, weights)


def result_to_mend(
    job: Job, config: PipelineConfig, weights: Mapping[str, WeightsReport]
) -> Result | None:
    """A job's result that differs from what is asked for in corrections by hand alone.

    Args:
        job: The clip and the folder of its results.
        config: The options that it would be done with.
        weights: The networks that it would be done with.

    Returns:
        None where there is none, or it does not have what pass 1 found.
    """
    try:
        report = read_report(job.folder)
        alike = replace(config, correct=PipelineConfig.from_report(report.config).correct)
    except InputError:
        return None
    if TRACKS not in report.files or report_before(job, alike, weights) is None:
        return None
    return load_result(job.folder)


def made_with(
    config: PipelineConfig, weights: Mapping[str, WeightsReport]
) -> dict[str, dict[str, Any]]:
    """What all results of a batch are made with, as JSON gives it back."""
    files = {role: vars(file) for role, file in weights.items()}
    return {"settings": comparable(config.as_dict()), "weights": files}


def missing_exports(report: Report, config: PipelineConfig) -> list[str]:
    """The export formats that are asked for and that a result lacks, or has in another way."""
    asked = {name: value for name, value in config.export.manner.items() if value != _USUAL[name]}
    is_same = all(report.config.get(name) == value for name, value in asked.items())
    return sorted(set(config.export.formats) - (report.exports if is_same else set()))
