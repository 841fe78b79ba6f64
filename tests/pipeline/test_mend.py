"""A result is corrected: those whom it concerns are lifted again, and nothing else changes."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from core.errors import InputError
from core.skeletons import COCO_21
from core.types import Array
from infer_video import main
from pipeline import run
from pipeline.batch import clip
from pipeline.corrections.edits import (
    CORRECTIONS,
    Contact,
    Corrections,
    Delete,
    Merge,
    Point,
    Split,
    Swap,
    read_corrections,
)  # fmt: skip
from pipeline.mend import main as mend_main
from pipeline.mend import mend
from pipeline.results.archive import COLUMNS, TRACKS
from pipeline.results.report_parts import LiveReport, SeenReport, ViewReport, ViewsReport
from pipeline.results.result import Result, load_result
from pipeline.run import process_video
from pipeline.tracks_file import read_tracks
from testkit.results import FRAMES, config_for, made_clip

T = TypeVar("T")
WRIST = COCO_21.index("left_wrist")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("three")
    return process_video(made_clip(folder), config_for(folder, people=3))


def rows(result: Result, track_id: int) -> dict[str, Array]:
    own = result.table.column("track_id") == track_id
    return {name: result.table.column(name)[own] for name in COLUMNS}


def changed(before: Result, after: Result, track_id: int) -> set[str]:
    one, two = rows(before, track_id), rows(after, track_id)
    return {name for name in COLUMNS if one[name].tobytes() != two[name].tobytes()}


def mended(result: Result, folder: Path, *edits: object) -> Result:
    return mend(result, Corrections(edits), folder)  # type: ignore[arg-type]


def test_a_corrected_point_lifts_that_person_again_and_no_other(
    result: Result, tmp_path: Path
) -> None:
    wanted = result.people[1].keypoints_2d[8, WRIST] + [4, -6]
    after = mended(result, tmp_path, Point(2, 8, "left_wrist", tuple(map(float, wanted))))
    assert changed(result, after, 1) == changed(result, after, 3) == set()
    assert {"keypoints_2d", "joints_world_m", "joints_camera_m"} <= changed(result, after, 2)
    person = after.people[1]
    np.testing.assert_allclose(person.keypoints_2d[8, WRIST], wanted, atol=1e-3)
    assert person.keypoint_scores[8, WRIST] == 1
    wrist = result.joints.index("l_wrist")
    moved = np.linalg.norm(
        person.joints_world_m - result.people[1].joints_world_m, axis=-1
    )  # (T, J)
    assert moved[8].argmax() == wrist
    assert moved[8, wrist] > 0.1


def test_the_original_stays_beside_it_and_comes_back(result: Result, tmp_path: Path) -> None:
    before = {file: path.read_bytes() for file, path in result.files.items()}
    edits = Corrections((Swap(1, 0, 9), Delete(2, 0, 5)))
    after = mend(result, edits)
    assert after.folder == result.folder / "mended"
    assert {file: path.read_bytes() for file, path in result.files.items()} == before
    assert read_corrections(after.folder / CORRECTIONS) == edits
    assert CORRECTIONS in load_result(after.folder).files
    undone = mend(load_result(after.folder), Corrections(), tmp_path / "undone")
    assert CORRECTIONS not in undone.files
    for person in (1, 2, 3):
        assert changed(result, undone, person) == set()
    assert undone.report.config == result.report.config
    assert undone.report.people == result.report.people


def test_people_are_split_merged_and_deleted(result: Result, tmp_path: Path) -> None:
    after = mended(result, tmp_path, Split(1, 10), Merge(2, 3), Delete(2, 4, 9))
    frames = {person.track_id: person.frame_indices.tolist() for person in after.people}
    assert frames == {
        1: list(range(10)), 2: [*range(4), *range(10, FRAMES)], 4: list(range(10, FRAMES)),
    }  # fmt: skip
    table = after.table
    order = np.lexsort((table.column("track_id"), table.column("frame_index")))
    np.testing.assert_array_equal(order, np.arange(len(table)))
    nobody = mended(result, tmp_path, Delete(1), Delete(2), Delete(3))
    assert nobody.people == ()
    assert "nobody was found in this video" in nobody.report.warnings


def test_a_marked_contact_is_one_and_holds_the_foot(result: Result, tmp_path: Path) -> None:
    on = mended(result, tmp_path / "on", Contact(1, 6, 13, "left_heel", True))
    off = mended(result, tmp_path / "off", Contact(1, 0, FRAMES, "left_heel", False))
    heel = result.joints.index("l_heel")

    def travel(of: Result) -> float:
        level = of.people[0].joints_world_m[6:14, heel, :2]
        return float(np.linalg.norm(np.diff(level, axis=0), axis=-1).sum())

    assert on.people[0].contacts[6:14, 0].all()
    assert not off.people[0].contacts[:, 0].any()
    assert travel(on) < 0.02
    assert travel(on) < travel(off) / 2
    assert changed(result, on, 1) <= {"contacts", "joints_world_m"}
    assert changed(result, on, 2) == set()


def test_a_run_with_corrections_gives_the_same_as_a_correction_later(
    result: Result, tmp_path: Path
) -> None:
    edits = Corrections((Point(2, 8, "left_wrist", (30.0, 40.0)), Swap(3, 2, 7)))
    later = mend(result, edits, tmp_path / "later")
    (tmp_path / "fix.json").write_text(json.dumps(edits.as_dict()))
    clip_path, config = result.report.video.path, config_for(tmp_path, people=3)
    keypoints = config.detect.settings["keypoints"]
    words = [str(clip_path), "--keypoints", str(keypoints), "--no-render", "-o", str(tmp_path)]
    assert main([*words, "--corrections", str(tmp_path / "fix.json")]) == 0
    at_once = load_result(tmp_path / clip_path.stem)
    for person in (1, 2, 3):
        assert changed(later, at_once, person) == set()
    assert at_once.report.config["corrections"] == edits.as_dict()


def test_the_command_line_detects_again_only_where_it_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config = config_for(tmp_path, people=2)
    words = [str(made_clip(tmp_path)), "--keypoints", str(config.detect.settings["keypoints"])]
    words += ["--no-render", "-o", str(tmp_path / "out")]
    fix = tmp_path / "fix.json"
    assert main(words) == 0
    first = load_result(tmp_path / "out" / "clip")
    first_poses = (first.folder / "poses.npz").read_bytes()

    def refuse(*_: object) -> None:
        raise AssertionError("nothing is detected again")

    for module in (run, clip):
        monkeypatch.setattr(module, "process_video", refuse)
    fix.write_text(json.dumps(Corrections((Delete(2),)).as_dict()))
    assert main([*words, "--corrections", str(fix)]) == 0
    assert [person.track_id for person in load_result(first.folder).people] == [1]
    fix.write_text(json.dumps(Corrections((Split(2, 7),)).as_dict()))
    assert main([*words, "--corrections", str(fix)]) == 0
    assert [person.track_id for person in load_result(first.folder).people] == [1, 2, 3]
    capfd.readouterr()
    assert main([*words, "--corrections", str(fix)]) == 0
    assert "already done" in capfd.readouterr().out
    fix.write_text(json.dumps(Corrections((Split(5, 7),)).as_dict()))
    assert main([*words, "--corrections", str(fix)]) == 1
    assert "edit 1 (split): there is no person 5; there is 1, 2" in capfd.readouterr().err
    fix.write_text("{}")
    assert main([*words, "--corrections", str(fix)]) == 2
    assert main([*words, str(made_clip(tmp_path / "..")), "--corrections", str(fix)]) == 2
    monkeypatch.undo()
    assert main(words) == 0
    assert (first.folder / "poses.npz").read_bytes() == first_poses
    assert not (first.folder / CORRECTIONS).exists()


def test_a_result_without_tracks_cannot_be_corrected(result: Result, tmp_path: Path) -> None:
    folder = mended(result, tmp_path / "copy", Delete(1)).folder
    (folder / TRACKS).write_bytes((folder / TRACKS).read_bytes()[:-300])
    with pytest.raises(InputError, match=f"{TRACKS}: cannot be read"):
        mend(load_result(folder), Corrections())
    (folder / TRACKS).unlink()
    with pytest.raises(InputError, match=f"no {TRACKS} there"):
        mend(load_result(folder), Corrections())
    assert not (folder / "mended").exists()


def test_what_pass_1_found_comes_back(result: Result, tmp_path: Path) -> None:
    found = read_tracks(result.folder, result.report.video)
    assert [track.track_id for track in found.tracks] == [1, 2, 3]
    for track, person in zip(found.tracks, result.people, strict=True):
        np.testing.assert_array_equal(track.frame_indices, person.frame_indices)
        part = track.part(3, 9)
        assert part.keypoints_xy.shape == (6, 21, 2)
        np.testing.assert_allclose(part.keypoints_xy, person.keypoints_2d[3:9], atol=2)
    np.testing.assert_array_equal(found.first.times_s, result.people[0].times_s)
    found.close()


def test_lifting_says_how_far_it_is(result: Result, tmp_path: Path) -> None:
    """Of those who are lifted, by detections."""
    told: dict[str, tuple[int, int | None]] = {}

    def progress(items: Iterable[T], stage: str, total: int | None) -> Iterator[T]:
        for count, item in enumerate(items, 1):
            told[stage] = count, total
            yield item

    mend(result, Corrections((Swap(1, 0, 9), Swap(2, 0, 9))), tmp_path / "out", progress=progress)
    assert told == {"lift": (2 * FRAMES, 2 * FRAMES)}


def live_one(result: Result, folder: Path) -> Result:
    """The result as a live run would have left it: without `tracks.npz`."""
    live = LiveReport("cam", "cam", "2026-01-01T00:00:00+00:00", "ended", 1.0, FRAMES, 0, {})
    return replace(result, folder=folder, report=replace(result.report, live=live, input=None))


def test_a_live_recording_is_lifted_again_from_its_rows(result: Result, tmp_path: Path) -> None:
    live = live_one(result, tmp_path / "live")
    wanted = result.people[1].keypoints_2d[8, WRIST] + [4, -6]
    edits = Point(2, 8, "left_wrist", tuple(map(float, wanted))), Split(3, 10)
    after = mended(live, tmp_path / "out", *edits)
    assert changed(live, after, 1) == set()
    person = after.people[1]
    np.testing.assert_allclose(person.keypoints_2d[8, WRIST], wanted, atol=1e-3)
    wrist = result.joints.index("l_wrist")
    moved = np.linalg.norm(person.joints_camera_m - result.people[1].joints_camera_m, axis=-1)
    assert moved[8].argmax() == wrist
    apart = person.joints_world_m[:, 0] - result.people[1].joints_world_m[:, 0]
    assert np.abs(apart).max() < 0.05, "the world is the one of before"
    assert [len(one.frame_indices) for one in after.people] == [FRAMES, FRAMES, 10, FRAMES - 10]
    assert after.report.live == live.report.live
    with pytest.raises(InputError, match="was corrected before"):
        mend(load_result(after.folder), Corrections(), tmp_path / "more")


def test_of_several_views_people_and_sides_are_corrected(
    result: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video, lens = result.report.video, result.report.intrinsics
    seen = tuple(SeenReport(person, FRAMES) for person in (1, 2, 3))
    origin = (0.0, 0.0, 0.0)
    view = ViewReport(
        video, 0.0, 0.0, "sound", 2.0, lens, origin, origin, (origin, origin, origin), 1.0, seen
    )
    config = {**result.report.config, "views": True}
    report = replace(result.report, views=ViewsReport("clip", (view,)), config=config)
    both = replace(result, folder=tmp_path / "both", report=report)
    after = mended(both, tmp_path / "out", Swap(1, 2, 5, ("knee",)), Merge(2, 3), Delete(2, 0, 9))
    assert changed(both, after, 1) == {
        "keypoints_2d", "keypoint_scores", "joints_camera_m", "joints_world_m", "joint_sigma_m"
    } & changed(both, after, 1)  # fmt: skip
    left, right = (result.joints.index(f"{side}_knee") for side in "lr")
    before, now = (one.people[0].joints_world_m for one in (both, after))
    np.testing.assert_array_equal(now[2:6, [left, right]], before[2:6, [right, left]])
    np.testing.assert_array_equal(now[6:], before[6:])
    assert after.people[1].frame_indices.tolist() == list(range(10, FRAMES))
    assert after.report.views is not None
    assert after.report.views.views[0].people == seen[:1]
    Corrections((Point(1, 3, "nose", (1.0, 2.0)),)).write(tmp_path)
    with pytest.raises(InputError, match=r"of several views, people .* and sides"):
        mend(both, read_corrections(tmp_path / CORRECTIONS))
    assert main(["--views", "a.mp4", "b.mp4", "--corrections", str(tmp_path / CORRECTIONS)]) == 2
    assert "pipeline.mend" in capsys.readouterr().err


def test_the_command_line_corrects_a_result(
    result: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Corrections((Delete(3),)).write(tmp_path)
    given = [str(result.folder), str(tmp_path / CORRECTIONS), "-o", str(tmp_path / "out")]
    assert mend_main(given) == 0
    assert len(load_result(tmp_path / "out").people) == 2
    Corrections((Delete(9),)).write(tmp_path)
    capsys.readouterr()
    assert mend_main(given) == 1
    assert capsys.readouterr().err.splitlines() == [
        "failed: corrections, edit 1 (delete): there is no person 9; there is 1, 2, 3"
    ]
