"""Verdicts on a walker of whom all is known, and on the same one with one thing wrong."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.skeletons import COCO_21, H36M_21
from core.types import Array, Intrinsics, VideoInfo
from pipeline.results.report import Report
from pipeline.results.report_parts import DetectorReport, PersonReport, VerdictReport
from pipeline.results.verdicts.evidence import gather_evidence
from pipeline.results.verdicts.questions import verdicts
from testkit.made.array_results import ArrayTable
from testkit.walker import CAMERA, keypoints, walking, with_feet

FRAMES, FPS = 90, 30.0
Columns = dict[str, Array]


def walker() -> Columns:
    """The rows of one who walks on the spot, seen throughout; nothing is on the ground."""
    joints, root = with_feet(walking(FRAMES)), np.tile([0.0, 0.0, 5.0], (FRAMES, 1))
    heel = H36M_21.index("l_heel")
    contacts = np.zeros((FRAMES, 4), bool)
    contacts[30:60, 0] = True
    world = joints + root[:, None]
    world[30:60, heel] = world[30, heel]
    return {
        "frame_index": np.arange(FRAMES),
        "track_id": np.ones(FRAMES, np.int64),
        "time_s": np.arange(FRAMES) / FPS,
        "keypoints_2d": keypoints(joints, root).astype(np.float32),
        "keypoint_scores": np.full((FRAMES, 21), 0.9, np.float32),
        "observed": np.ones((FRAMES, 21), bool),
        "joints_camera_m": joints.astype(np.float32),
        "root_camera_m": root.astype(np.float32),
        "joints_world_m": world.astype(np.float32),
        "joint_sigma_m": np.full((FRAMES, 21), 0.05, np.float32),
        "contacts": contacts,
    }


def said(columns: Columns, **changes: Any) -> dict[str, VerdictReport]:
    """What verdicts say, by name; `changes` are the person's, or the report's `intrinsics`."""
    intrinsics: Intrinsics = changes.pop("intrinsics", CAMERA)
    config = changes.pop("config", {})
    person = replace(PersonReport(1, 0, FRAMES - 1, FRAMES, 0, "given", (), ()), **changes)
    report = Report(
        VideoInfo(Path("clip.mp4"), 1920, 1080, FPS, FRAMES, 0, None), intrinsics,
        DetectorReport("none", "made"), {}, config, "given", FRAMES, (person,), {},
    )  # fmt: skip
    table = ArrayTable(COCO_21, H36M_21, columns)
    return {one.name: one for one in verdicts(gather_evidence(report, table))}


def test_of_a_walker_who_is_known_all_is_good_but_the_lens() -> None:
    found = said(walker())
    assert {name: one.level for name, one in found.items()} == {
        "gaps": "good", "reprojection": "good", "uncertainty": "good", "side_swaps": "good",
        "cut_off": "good", "foot_skate": "good", "bones": "good", "lens": "look",
    }  # fmt: skip
    assert all(one.spans == () for one in found.values())


def test_gaps_are_told_with_their_times() -> None:
    columns = walker()
    columns["observed"][45:75] = False
    gaps = said(columns)["gaps"]
    assert (gaps.level, gaps.spans) == ("bad", ((1.5, 2.5),))
    assert gaps.value == pytest.approx(1 / 3, abs=1e-4)
    columns["observed"][50:75] = True
    assert said(columns)["gaps"].level == "look"


def test_a_figure_beside_its_keypoints_is_not_trusted_while_it_is() -> None:
    columns = walker()
    size = np.ptp(columns["keypoints_2d"][..., 1])
    columns["keypoints_2d"][30:60, :, 0] += 0.2 * size
    error = said(columns)["reprojection"]
    assert error.level == "bad"
    assert error.spans == ((1.0, 2.0),)
    columns["observed"][30:60] = False  # what was filled in says nothing of the figure
    assert said(columns)["reprojection"].level == "good"


def test_the_joint_that_is_least_sure_is_named() -> None:
    columns = walker()
    columns["joint_sigma_m"][:, H36M_21.index("l_wrist")] = 0.31
    assert "left wrist within 31 cm" in said(columns)["uncertainty"].text
    columns["joint_sigma_m"][:] = 0.25
    assert said(columns)["uncertainty"].level == "bad"
    columns["joint_sigma_m"][:] = np.nan
    assert "uncertainty" not in said(columns)


def test_swaps_that_were_mended_are_counted() -> None:
    swaps = said(walker(), side_swaps=((0.5, 0.6), (2.0, 2.1)))["side_swaps"]
    assert (swaps.level, swaps.spans) == ("look", ((0.5, 0.6), (2.0, 2.1)))
    assert "2 times, 0.2 s in all" in swaps.text
    assert "side_swaps" not in said(walker(), side_swaps=None)


def test_feet_below_the_picture_are_named() -> None:
    columns = walker()
    feet = COCO_21.indices(("left_ankle", "right_ankle"))
    columns["keypoints_2d"][60:, feet, 1] = 1090
    found = said(columns)["cut_off"]
    assert (found.level, found.spans) == ("bad", ((2.0, 3.0),))
    assert "feet 33%" in found.text


def test_a_foot_that_slides_is_not_trusted() -> None:
    columns = walker()
    slide = 0.5 * np.arange(30) / FPS
    columns["joints_world_m"][30:60, H36M_21.index("l_heel"), 0] += slide
    found = said(columns)["foot_skate"]
    assert (found.level, found.value) == ("bad", pytest.approx(0.5, abs=0.01))
    columns["contacts"][:] = False
    assert said(columns)["foot_skate"].value is None


def test_bones_that_stretch_are_not_trusted() -> None:
    columns = walker()
    columns["joints_camera_m"] *= 1 + 0.15 * np.sin(np.arange(FRAMES) / 5)[:, None, None]
    assert said(columns)["bones"].level == "bad"


def test_distance_is_told_for_three_lenses() -> None:
    """5 m through the walker's lens, which is 77° wide; f = w / (2 tan α/2)."""
    lens = said(walker())["lens"]
    metres = {int(angle): float(m) for angle, m in re.findall(r"(\d+)°: ([\d.]+) m", lens.text)}
    for angle, found in metres.items():
        expected = 5 * 960 / np.tan(np.radians(angle) / 2) / CAMERA.fx
        assert found == pytest.approx(expected, abs=0.051)
    assert metres.keys() == {45, 55, 70}
    assert said(walker(), config={"height_m": 1.8})["lens"].level == "good"
    assumed = replace(CAMERA, source="assumed")
    assert said(walker(), intrinsics=assumed, config={"height_m": 1.8})["lens"].level == "look"
