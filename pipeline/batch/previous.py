"""What an earlier run left of a clip."""

from collections.abc import Mapping
from typing import Any

from pipeline.batch.jobs import Job
from pipeline.config import PipelineConfig
from pipeline.export.base import ExportOptions
from pipeline.results.report import Report, WeightsReport
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
