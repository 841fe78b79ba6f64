"""Tracks of views on the frames of the first one, and the parts that fused people come in."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.skeletons import COCO_21, H36M_21
from core.types import Array, CameraPoses, Intrinsics
from pipeline.lifting.people import LiftedPart, LiftedPeople
from pipeline.multiview import fusion
from pipeline.multiview.fusion import SharedFrames, fuse_people, fused_row
from pipeline.multiview.scene import Calibration, Camera, FusedPerson, MatchedPerson, Sighting
from pipeline.multiview.shared_frames import (
    MAX_CHOSEN,
    SharedTracks,
    chosen_frames,
    share_tracks,
)
from pipeline.multiview.sync.clocks import Clock
from pipeline.results.rows import lifted_row
from pipeline.results.spool import Spool


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close all spools at the end."""
    made: list[Spool] = []
    start = Spool.__init__

    def init(self: Spool, *words: Any) -> None:
        start(self, *words)
        made.append(self)

    monkeypatch.setattr(Spool, "__init__", init)
    yield
    for spool in made:
        spool.close()


def row_type() -> np.dtype[np.void]:
    return lifted_row(COCO_21, H36M_21)


def lifted(ranges: Sequence[tuple[int, int, int]], fps: float) -> LiftedPeople:
    """People whose joints all are at (t, 2 t, 3 t); ranges are track id, first, last + 1 frame."""
    people = LiftedPeople(Spool(row_type()), H36M_21)
    last: dict[int, int] = {}
    for track_id, start, stop in ranges:
        rows = np.zeros(stop - start, row_type())
        rows["frame_index"] = np.arange(start, stop)
        rows["time_s"] = rows["frame_index"] / fps
        rows["joints_camera_m"] = rows["time_s"][:, None, None] * [1.0, 2.0, 3.0]
        rows["root_camera_m"] = [0.0, 0.0, 4.0]
        rows["keypoint_scores"] = 0.8
        begin = len(people.rows)
        people.rows.append(rows)
        shared = max(last.get(track_id, 0) - start, 0)
        people.parts.append(LiftedPart(track_id, begin, len(people.rows), shared))
        last[track_id] = stop
    return people


def test_tracks_are_moved_to_the_shared_times() -> None:
    people = lifted([(1, 0, 100), (2, 30, 60)], fps=50)
    people.rows.write(50, _filled(people.rows.read(50, 51)))
    shared_s = np.arange(60) / 30
    shared = share_tracks(people, Clock(0.31, 0.001), shared_s)
    first = shared.read(1, 0, 60)
    own_s = (shared_s[first["frame_index"]] - 0.31) / 1.001
    np.testing.assert_allclose(
        first["joints_camera_m"][:, 3], own_s[:, None] * [1, 2, 3], atol=1e-9
    )
    assert own_s.min() >= 0
    assert own_s.max() <= 99 / 50
    assert len(first) == 50  # from 0.31 to 2.29 s, as far as there are shared frames
    near_it = np.abs(own_s - 1.0) < 0.02  # between the filled frame and those beside it
    assert (first["keypoint_scores"][near_it, 0] == 0).all()
    np.testing.assert_allclose(first["keypoint_scores"][~near_it, 0], 0.8)
    assert [track_id for track_id, _ in shared.in_frame(30)] == [1, 2]
    assert [track_id for track_id, _ in shared.in_frame(59)] == [1]
    assert not list(shared.in_frame(3))


def _filled(row: Array) -> Array:
    row["keypoint_scores"][:, 0] = 0
    return row


def test_parts_that_overlap_become_one() -> None:
    people = lifted([(1, 0, 60), (1, 50, 120), (1, 200, 230)], fps=30)
    shared = share_tracks(people, Clock(), np.arange(300) / 30)
    frames = [*range(120), *range(200, 230)]
    assert shared.frames[1].tolist() == frames
    np.testing.assert_array_equal(shared.read(1, 0, 300)["frame_index"], frames)


def test_a_track_that_the_first_view_never_shares_is_left_out() -> None:
    shared = share_tracks(lifted([(1, 0, 10)], fps=30), Clock(5.0), np.arange(60) / 30)
    assert shared.frames == {}


def test_of_a_long_video_cameras_are_found_from_a_part_that_has_everyone() -> None:
    views = [tracks({1: np.arange(40_000)}), tracks({1: np.arange(30_000), 2: np.arange(37, 60)})]
    chosen = chosen_frames(views, 40_000, 30.0)
    assert MAX_CHOSEN / 2 < len(chosen) <= MAX_CHOSEN + 200
    assert np.isin(np.arange(48, 60, 2), chosen).all()
    assert len(np.unique(chosen // 5000)) >= 6
    np.testing.assert_array_equal(chosen_frames(views, 800, 30.0), np.arange(800))


def tracks(frames: dict[int, NDArray[np.int64]]) -> SharedTracks:
    return SharedTracks(Spool(row_type()), H36M_21, frames, dict.fromkeys(frames, 0))


@pytest.mark.parametrize("hole", [(1500, 1503), (1790, 1795), (1500, 1600)])
def test_a_person_comes_in_parts_without_holes(
    hole: tuple[int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two minutes and a half at 30 a second, as `lift_people` would cut them."""

    def average(
        calibration: Calibration, person: MatchedPerson, sightings: Sequence[Sequence[Sighting]],
        fps: float, smoothing: str,
    ) -> FusedPerson:  # fmt: skip
        (own,) = (each for view in sightings for each in view)
        poses = CameraPoses(own.poses.joints_m, own.poses.root_m, H36M_21)
        return FusedPerson(own.frames, poses)

    monkeypatch.setattr(fusion, "triangulate", average)
    people = lifted([(4, 0, hole[0]), (4, hole[1], 4500)], fps=30)
    shared_s = np.arange(4500) / 30
    shared = share_tracks(people, Clock(), shared_s, tmp_path)
    lens = Intrinsics(500, 500, 320, 240, "given")
    camera = Camera("a", (640, 480), lens, np.eye(3), np.zeros(3))
    person = MatchedPerson(7, ((4,),), np.zeros(21))
    calibration = Calibration((camera,), (person,), *np.zeros((3, 1)), ())
    frames = SharedFrames(np.arange(4500) + 100, shared_s, 30.0)
    rows = Spool(fused_row(H36M_21), tmp_path)
    fused, seen = fuse_people(calibration, [shared], frames, rows, "none")
    assert seen == {7: [4500 - (hole[1] - hole[0])]}
    found: list[int] = []
    for part in fused.parts:
        own = fused.read(part)["frame_index"] - 100
        np.testing.assert_array_equal(own, np.arange(own[0], own[-1] + 1))
        assert own[: part.shared].tolist() == found[len(found) - part.shared :]
        found += own[part.shared :].tolist()
        assert len(own) <= 66 * 30
        assert part.track_id == 7
    assert found == [*range(hole[0]), *range(hole[1], 4500)]
    assert max(part.shared for part in fused.parts) >= 100
    assert fused.read(fused.parts[0])["feet_seen"].all()
