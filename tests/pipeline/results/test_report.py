"""The report as callers and files have it."""

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.types import Intrinsics, VideoInfo
from pipeline.config import PipelineConfig
from pipeline.results.measures import MEASURES
from pipeline.results.report import Report, read_report
from pipeline.results.report_parts import (
    DetectorReport,
    InputReport,
    LiveReport,
    PersonReport,
    StanceReport,
    VerdictReport,
    ViewReport,
    WeightsReport,
)
from pipeline.results.verdicts.questions import VERDICTS

PAGE = Path(__file__).parents[3] / "docs" / "report.md"
REPORT = Report(
    video=VideoInfo(Path("clip.mp4"), 640, 360, 25.0, 50, 90, 2.0),
    intrinsics=Intrinsics(600.0, 600.0, 320.0, 180.0, "assumed"),
    detector=DetectorReport("blazepose", "asked for"),
    weights={"lifter": WeightsReport("lifter.safetensors", "ab" * 32)},
    config=PipelineConfig().as_dict(),
    grounding="up from balance",
    frames=50,
    people=(
        PersonReport(
            1,
            0,
            49,
            48,
            2,
            "up from balance",
            (StanceReport("left", None, 0.4, None, 0.9),),
            ((0.4, 0.6),),
        ),
    ),
    verdicts=(
        VerdictReport("gaps", "Seen?", 1, "look", 0.04, "1", "Mostly.", "Why.", ((1.0, 1.1),)),
    ),
    measures={"reprojection_error_px": 4.2, "foot_skate_m_s": None},
    warnings=("cut short",),
    input=InputReport(1000, 5, "cd" * 32),
)
LIVE = replace(
    REPORT,
    input=None,
    live=LiveReport(
        "rtsp://host/a",
        "host_a",
        "2026-01-01T00:00:00",
        "stopped",
        2.0,
        55,
        5,
        {"poses": {"p50": 9}},
    ),
)


def plain(report: Report) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(report.as_dict()))
    return content


@pytest.mark.parametrize("report", [REPORT, LIVE], ids=["file", "live"])
def test_what_is_written_is_read_again(report: Report, tmp_path: Path) -> None:
    (tmp_path / "poses.npz").write_bytes(b"12345")
    written = report.timed({"detect": 2.0, "lift": 0.5}).write(tmp_path)
    assert written.files == {"poses.npz": 5}
    assert written.frames_per_second == 20.0
    read = read_report(tmp_path)
    if report.live is not None:  # the file has the source's address there
        read = replace(read, video=written.video)
    assert read == written


def test_measures_stand_at_the_top_level_and_unused_parts_are_absent() -> None:
    content = plain(REPORT)
    assert content["reprojection_error_px"] == 4.2
    assert content["foot_skate_m_s"] is None
    assert "live" not in content
    assert "measures" not in content
    assert plain(LIVE)["video"]["path"] == "rtsp://host/a"


def test_a_report_of_an_earlier_version_is_read() -> None:
    content = plain(REPORT)
    for name in ("grounding", "detector"):
        del content[name]
    report = Report.from_dict(content)
    assert report.grounding == "up from balance"
    assert report.people == REPORT.people
    for name in ("grounding", "frames_bridged", "stances"):
        del content["people"][0][name]
    (person,) = Report.from_dict(content).people
    assert (person.frames_bridged, person.stances) == (0, ())


@pytest.mark.parametrize(
    "damage",
    [
        {"frames": "many"},
        {"people": None},
        {"people": [{"name": "x"}]},
        {"people": [{**plain(REPORT)["people"][0], "stances": [{"foot": "left"}]}]},
        {"video": 3},
        {"files": 1},
        {"weights": {"lifter": {}}},
        {"warnings": "one"},
        {"config": {"export": None}},
        {"config": []},
    ],
    ids=str,
)
def test_a_damaged_report_is_one_line(damage: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps(plain(REPORT) | damage))
    with pytest.raises(InputError, match=r"report.json: cannot be read") as error:
        read_report(tmp_path)
    assert "\n" not in str(error.value)


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    content = plain(LIVE)
    content["live"]["name"] = "../../evil"
    (tmp_path / "report.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="is no name of files"):
        read_report(tmp_path)


def test_a_measure_does_not_take_the_name_of_a_field() -> None:
    with pytest.raises(ValueError, match="measures must not be called frames"):
        replace(REPORT, measures={"frames": 1.0})


def test_a_folder_without_a_report_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no report.json there"):
        read_report(tmp_path)


def test_the_page_has_every_key_and_every_measure() -> None:
    keys = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE))
    told = {entry.name for kind in (Report, StanceReport, ViewReport) for entry in fields(kind)}
    verdicts = VERDICTS.entries()
    assert keys == told - {"measures"} | MEASURES.entries().keys() | verdicts.keys()
    for name, (title, _) in verdicts.items():
        assert f"| `{name}` | {title} |" in PAGE.read_text()
    for one in MEASURES.entries().values():
        assert f"| `{one.name}` | {one.unit} | {one.about}" in PAGE.read_text()
