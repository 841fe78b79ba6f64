"""What is missing of a result that was made before, when exports are asked for."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.batch.previous import missing_exports
from pipeline.config import PipelineConfig
from pipeline.results.report import Report
from testkit.made.made_people import two_people


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Of a result with csv, written as usual."""
    config = PipelineConfig.from_flat(export=("csv",)).as_dict()
    return replace(two_people(tmp_path).report, config=config)


def test_only_what_is_not_there_is_missing(report: Report) -> None:
    assert missing_exports(report, PipelineConfig.from_flat(export=("csv", "json"))) == ["json"]
    assert missing_exports(report, PipelineConfig.from_flat(plots=True)) == ["plots"]
    assert missing_exports(report, PipelineConfig()) == []


def test_what_is_asked_for_in_another_way_is_missing(report: Report) -> None:
    wanted = PipelineConfig.from_flat(export=("csv",), measures=True)
    assert missing_exports(report, wanted) == ["csv", "npz"]
    with_measures = replace(report, config={**report.config, "measures": True})
    assert missing_exports(with_measures, wanted) == []
    # measures that are there do no harm to who does not ask for them
    assert missing_exports(with_measures, PipelineConfig.from_flat(export=("csv",))) == []


def test_what_was_written_is_there_and_what_failed_is_missing(report: Report) -> None:
    written = replace(report, config={**report.config, "export": ["csv", "fbx"]})
    written = written.exported(["npz", "csv", "plots"], ["--export fbx failed: it needs Blender"])
    wanted = PipelineConfig.from_flat(export=("csv", "fbx"), plots=True)
    assert missing_exports(written, wanted) == ["fbx"]
