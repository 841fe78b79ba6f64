"""`--measures` in the report, and the page that says what each measure is."""

from pathlib import Path

import pytest

from core.skeletons import H36M_21
from pipeline.export.base import ExportOptions, add_exports
from pipeline.motion.quantities import DEGREES, METRES, QUANTITIES
from pipeline.motion.summary import motion_report
from pipeline.results.report import read_report
from testkit.made.made_people import two_people
from testkit.results import made_result

_PAGE = Path(__file__).parents[3] / "docs" / "measures.md"


def test_the_summary_has_every_measure_of_everyone(tmp_path: Path) -> None:
    result = two_people(tmp_path)
    one, other = motion_report(result.table)
    assert (one["track_id"], other["track_id"]) == (1, 2)
    assert {*QUANTITIES.entries()} <= one.keys()
    assert one["r_thigh_length"]["mean"] == pytest.approx(0.42, abs=1e-3)
    assert one["r_thigh_length"]["unit"] == METRES
    knee = QUANTITIES.entries()["r_knee_flexion"]
    values = knee.values(result.people[0].joints_world_m, H36M_21)
    assert one["r_knee_flexion"]["max"] == pytest.approx(values.max(), abs=1e-3)
    assert 1 < one["r_knee_flexion"]["sigma"] < 20


def test_a_report_has_measures_once_they_are_asked_for(tmp_path: Path) -> None:
    result = made_result(tmp_path)
    assert result.report.motion is None
    add_exports(result, ["csv"], ExportOptions(measures=True))
    report = read_report(result.folder)
    assert report.motion is not None
    assert report.motion[0]["l_knee_flexion"]["unit"] == DEGREES
    assert report.config["measures"] is True
    assert {"clip_measures.csv", "clip_steps.csv"} <= set(report.files)


def test_the_page_names_every_angle() -> None:
    text = _PAGE.read_text()
    angles = [name for name, one in QUANTITIES.entries().items() if one.unit == DEGREES]
    assert [name for name in angles if f"`{name.replace('r_', 'l_', 1)}`" not in text
            and f"`{name}`" not in text] == []  # fmt: skip
