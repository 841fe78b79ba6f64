"""Between the passes: a person's rows are those of the video's frames, whichever were missed."""

import tracemalloc
from contextlib import closing
from dataclasses import replace

import numpy as np

from core.skeletons import COCO_21, H36M_21
from core.types import Array, CameraPoses, Detections, Floats, Intrinsics, LifterInput
from pipeline.grounding.options import GroundOptions
from pipeline.lifting.options import LiftOptions
from pipeline.lifting.people import Lifting
from pipeline.people import People, find_people
from pipeline.results.detections import DetectionSpool, TrackRows
from pipeline.results.person_table import PersonSummary
from testkit.walker import CAMERA, keypoints, walking, with_feet

FRAMES = np.delete(np.arange(100), [40, 41])  # two frames could not be decoded


class TrueLifter:
    """Lifts the walker without error, so that what is left is the pipeline's own."""

    class spec:  # noqa: N801
        fps = 30.0
        skeleton_out = H36M_21

    def lift(self, sequence: LifterInput, intrinsics: Intrinsics) -> CameraPoses:
        at = np.rint(sequence.times_s * 30).astype(int)
        return CameraPoses(with_feet(walking(100))[at], path()[at], H36M_21)


def path() -> Floats:
    return np.stack([0.01 * np.arange(100), np.zeros(100), np.full(100, 5.0)], 1)


def detections(frames: Floats, points: Floats) -> list[Detections]:
    boxes = np.concatenate([points.min(1), points.max(1)], 1)
    scores, points_3d = np.full((1, 21), 0.9), np.full((1, 21, 3), np.nan)
    return [
        Detections(
            frame, boxes[i : i + 1], np.ones(1), points[i : i + 1], scores, points_3d, COCO_21
        )
        for i, frame in enumerate(frames.tolist())
    ]


def track_of(frames: Floats, points: Floats) -> TrackRows:
    boxes = np.concatenate([points.min(1), points.max(1)], 1)
    rows = np.stack([np.arange(len(frames)), np.zeros(len(frames))], 1).astype(np.int32)
    return TrackRows(7, frames, boxes, rows, detections(frames, points))


def detected_in(frames: Floats) -> TrackRows:
    return track_of(frames, keypoints(with_feet(walking(100)), path())[frames])


def lift(
    tracks: list[TrackRows],
    lifter: TrueLifter | None = None,
    frames: Floats = FRAMES,
    **options: object,
) -> People:
    lift_options = LiftOptions(**{"smooth": "none", **options})
    lifting = Lifting(frames, frames / 30, lifter or TrueLifter(), CAMERA, lift_options)
    return find_people(tracks, lifting, 30.0, GroundOptions())


def rows_of(people: People) -> Array:
    with closing(people.table) as table:
        return table.rows.read(0, len(table.rows))


def test_frames_between_detections_have_rows_that_are_not_observed() -> None:
    rows = np.setdiff1d(FRAMES[10:80], np.arange(60, 66))
    person = rows_of(lift([detected_in(rows)], height_m=1.6))
    np.testing.assert_array_equal(person["frame_index"], FRAMES[10:80])
    unseen = ~person["observed"].any(1)
    np.testing.assert_array_equal(person["frame_index"][unseen], np.arange(60, 66))
    assert np.isfinite(person["joints_world_m"]).all()
    truth = keypoints(with_feet(walking(100)), path())[FRAMES[10:80]]
    assert np.abs(person["keypoints_2d"] - truth).max() < 40


def test_when_sides_were_exchanged_back_is_kept() -> None:
    """A detector takes left for right in frames 60 to 62, as sure as of all others."""
    points = keypoints(with_feet(walking(100)), path())
    points[60:63] = points[60:63][:, COCO_21.flip_order]
    people = lift([track_of(FRAMES, points[FRAMES])])
    with closing(people.table):
        assert people.table.persons[7].side_swaps == [(2.0, 2.067)]


class LongLifter(TrueLifter):
    """Lifts a walk of any length without error, and remembers how much it was asked for at once."""

    def __init__(self, frames: int) -> None:
        self.walk = with_feet(walking(frames))
        self.way = np.stack(
            [0.5 * np.sin(0.01 * np.arange(frames)), np.zeros(frames), np.full(frames, 5.0)], 1
        )
        self.asked: list[Floats] = []

    def lift(self, sequence: LifterInput, intrinsics: Intrinsics) -> CameraPoses:
        at = np.rint(sequence.times_s * 30).astype(int)
        self.asked.append(at)
        return CameraPoses(self.walk[at], self.way[at], H36M_21)

    def keypoints(self) -> Floats:
        return keypoints(self.walk, self.way)


def test_a_long_absence_has_no_rows_and_one_body_before_and_after() -> None:
    frames = np.arange(150)
    there = np.setdiff1d(frames, np.arange(40, 100))
    lifter = LongLifter(150)
    track = track_of(there, lifter.keypoints()[there])
    people = lift([track], lifter, frames, rigid_bones=True)
    assert all(at.max() < 40 or at.min() >= 100 for at in lifter.asked), (
        "nothing of an absence is lifted"
    )
    assert len(people.table.in_frame(70)) == 0
    assert people.measures["bone_length_spread"] < 1e-6
    person = rows_of(people)
    np.testing.assert_array_equal(person["frame_index"], there)
    assert person["observed"].all()
    assert np.isfinite(person["joints_world_m"]).all()


def test_a_long_stretch_is_lifted_in_parts_without_seams() -> None:
    frames = np.arange(6000)
    lifter = LongLifter(6000)
    people = lift([track_of(frames, lifter.keypoints())], lifter, frames, height_m=1.6)
    assert max(map(len, lifter.asked)) < 2100
    assert people.table.persons[7] == PersonSummary(7, 0, 5999, frames_seen=6000, side_swaps=[])
    person = rows_of(people)
    np.testing.assert_array_equal(person["frame_index"], frames)
    scale = person["root_camera_m"][:, 2] / lifter.way[:, 2]
    assert np.ptp(scale) < 1e-4, "one body"
    jerks = np.linalg.norm(np.diff(person["joints_world_m"], 2, axis=0), axis=-1).max(1)
    cuts = np.concatenate([np.arange(i * 1800 - 20, i * 1800 + 190) for i in (1, 2)])
    assert jerks[cuts].max() < 1.2 * np.delete(jerks, cuts).max()


def test_each_frame_shows_its_own_people_although_frames_are_missing() -> None:
    with closing(lift([detected_in(FRAMES[10:80])]).table) as table:
        assert [len(table.in_frame(frame)) for frame in (5, 40, 99)] == [0, 0, 0]
        for frame in (10, 39, 42, 81):
            (row,) = table.in_frame(frame)
            assert row["track_id"] == 7
            box = detected_in(np.array([frame])).boxes_xyxy[0]
            np.testing.assert_allclose(row["box_xyxy"], box, rtol=1e-6)


def test_rows_come_by_frame_then_person() -> None:
    early = replace(detected_in(FRAMES[:60]), track_id=2)
    late = replace(detected_in(FRAMES[30:]), track_id=1)
    rows = rows_of(lift([early, late]))
    pairs = list(zip(rows["frame_index"].tolist(), rows["track_id"].tolist(), strict=True))
    assert pairs == sorted([(int(i), 2) for i in FRAMES[:60]] + [(int(i), 1) for i in FRAMES[30:]])


def test_a_true_lift_reprojects_onto_its_keypoints_whatever_height_is_asked_for() -> None:
    for height in (1.2, 1.9):
        people = lift([detected_in(FRAMES)], height_m=height)
        assert people.measures["reprojection_error_px"] < 1.0
        joints = rows_of(people)["joints_camera_m"]
        tall = (
            joints[:, H36M_21.index("l_ankle"), 1].max()
            - joints[:, H36M_21.index("head_top"), 1].min()
        )
        assert abs(tall / height - 1) < 0.12


def test_rigid_bones_keep_their_length() -> None:
    people = lift([detected_in(FRAMES)], rigid_bones=True)
    with closing(people.table):
        assert people.measures["bone_length_spread"] < 1e-6


def test_without_people_there_is_nothing_to_measure() -> None:
    people = lift([])
    with closing(people.table) as table:
        assert not table.persons
        assert set(people.measures.values()) == {None}
        assert len(table.in_frame(0)) == 0


def peak_bytes(frames: int) -> int:
    """The memory that keeping, lifting and grounding one person takes at most."""
    lifter = LongLifter(frames)
    points, indices = lifter.keypoints(), np.arange(frames)
    boxes, rows = np.zeros((frames, 4)), np.stack([indices, np.zeros(frames, int)], 1)
    tracemalloc.start()
    with closing(DetectionSpool(COCO_21)) as found:
        for i in range(frames):
            found.append(*detections(indices[i : i + 1], points[i : i + 1]))
        track = TrackRows(1, indices, boxes, rows, found)
        lift([track], lifter, indices, smooth="savgol").table.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_hardly_grows_with_the_length_of_a_video() -> None:
    short, long = 4000, 8000
    peak_bytes(100)  # what is imported when it is first needed counts for neither
    assert (peak_bytes(long) - peak_bytes(short)) / (long - short) < 200, (
        "bytes a frame; what is found takes 428"
    )
