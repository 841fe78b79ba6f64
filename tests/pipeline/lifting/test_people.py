"""Between the passes: a person's rows are those of the video's frames, whatever the detector and the decoder missed."""

import tracemalloc
from contextlib import closing
from dataclasses import replace

import numpy as np

from core.skeletons import COCO_17, H36M_17
from core.types import Array, CameraPoses, Detections, Floats, Intrinsics, LifterInput
from pipeline.config import PipelineConfig
from pipeline.lifting.people import lift_people
from pipeline.results.people import People
from pipeline.results.spool import DetectionSpool
from pipeline.tracking.tracker import Followed
from tests.walker import CAMERA, keypoints, walking

FRAMES = np.delete(np.arange(100), [40, 41])  # two frames could not be decoded
TIMES = FRAMES / 30


class TrueLifter:
    """Lifts the walker without error, so that what is left is the pipeline's own."""

    class spec:  # noqa: N801
        fps = 30.0

    def lift(self, sequence: LifterInput, intrinsics: Intrinsics) -> CameraPoses:
        at = np.rint(sequence.times_s * 30).astype(int)
        return CameraPoses(walking(100)[at], path()[at], H36M_17)


def path() -> Floats:
    return np.stack([0.01 * np.arange(100), np.zeros(100), np.full(100, 5.0)], 1)


def detections(frames: Floats, points: Floats) -> list[Detections]:
    boxes = np.concatenate([points.min(1), points.max(1)], 1)
    scores, points_3d = np.full((1, 17), 0.9), np.full((1, 17, 3), np.nan)
    return [
        Detections(
            frame, boxes[i : i + 1], np.ones(1), points[i : i + 1], scores, points_3d, COCO_17
        )
        for i, frame in enumerate(frames.tolist())
    ]


def followed(frames: Floats, points: Floats) -> Followed:
    boxes = np.concatenate([points.min(1), points.max(1)], 1)
    rows = np.stack([np.arange(len(frames)), np.zeros(len(frames))], 1).astype(np.int32)
    return Followed(7, frames, boxes, rows, detections(frames, points))


def seen(frames: Floats) -> Followed:
    return followed(frames, keypoints(walking(100), path())[frames])


def lift(track: Followed, **settings: object) -> People:
    config = PipelineConfig(smooth="none", **{"height_m": 1.6, **settings})
    return lift_people([track], FRAMES, TIMES, 30.0, TrueLifter(), CAMERA, config)


def rows_of(people: People) -> Array:
    with closing(people):
        return people.rows.read(0, len(people.rows))


def test_bridged_frames_have_rows_and_say_that_nobody_saw_them() -> None:
    rows = np.setdiff1d(FRAMES[10:80], np.arange(60, 66))
    person = rows_of(lift(seen(rows)))
    np.testing.assert_array_equal(person["frame_index"], FRAMES[10:80])
    unseen = ~person["observed"].any(1)
    np.testing.assert_array_equal(person["frame_index"][unseen], np.arange(60, 66))
    assert np.isfinite(person["joints_world_m"]).all()
    truth = keypoints(walking(100), path())[FRAMES[10:80]]
    assert np.abs(person["keypoints_2d"] - truth).max() < 40


class LongLifter(TrueLifter):
    """Lifts a walk of any length without error, and remembers how much it was asked for at once."""

    def __init__(self, frames: int) -> None:
        self.walk = walking(frames)
        self.way = np.stack(
            [0.5 * np.sin(0.01 * np.arange(frames)), np.zeros(frames), np.full(frames, 5.0)], 1
        )
        self.asked: list[Floats] = []

    def lift(self, sequence: LifterInput, intrinsics: Intrinsics) -> CameraPoses:
        at = np.rint(sequence.times_s * 30).astype(int)
        self.asked.append(at)
        return CameraPoses(self.walk[at], self.way[at], H36M_17)

    def keypoints(self) -> Floats:
        return keypoints(self.walk, self.way)


def test_who_was_away_for_long_has_no_rows_then_and_one_body_before_and_after() -> None:
    frames = np.arange(150)
    there = np.setdiff1d(frames, np.arange(40, 100))
    lifter = LongLifter(150)
    config = PipelineConfig(smooth="none", rigid_bones=True)
    track = followed(there, lifter.keypoints()[there])
    people = lift_people([track], frames, frames / 30, 30.0, lifter, CAMERA, config)
    assert all(at.max() < 40 or at.min() >= 100 for at in lifter.asked), (
        "nothing of an absence is lifted"
    )
    assert people.in_frame(70) == []
    assert people.bone_spread < 1e-6
    person = rows_of(people)
    np.testing.assert_array_equal(person["frame_index"], there)
    assert person["observed"].all()
    assert np.isfinite(person["joints_world_m"]).all()


def test_who_is_there_for_long_is_lifted_in_parts_that_nobody_sees() -> None:
    frames = np.arange(6000)
    lifter = LongLifter(6000)
    config = PipelineConfig(smooth="none", height_m=1.6)
    people = lift_people(
        [followed(frames, lifter.keypoints())], frames, frames / 30, 30.0, lifter, CAMERA, config
    )
    assert max(map(len, lifter.asked)) < 2100
    assert (
        people.persons[7].first_frame,
        people.persons[7].last_frame,
        people.persons[7].frames_seen,
    ) == (
        0,
        5999,
        6000,
    )
    person = rows_of(people)
    np.testing.assert_array_equal(person["frame_index"], frames)
    scale = person["root_camera_m"][:, 2] / lifter.way[:, 2]
    assert np.ptp(scale) < 1e-4, "one body"
    jerks = np.linalg.norm(np.diff(person["joints_world_m"], 2, axis=0), axis=-1).max(1)
    cuts = np.concatenate([np.arange(i * 1800 - 20, i * 1800 + 190) for i in (1, 2)])
    assert jerks[cuts].max() < 1.2 * np.delete(jerks, cuts).max()


def test_each_frame_shows_its_own_people_although_frames_are_missing() -> None:
    with closing(lift(seen(FRAMES[10:80]))) as people:
        assert people.in_frame(5) == people.in_frame(40) == people.in_frame(99) == []
        for frame in (10, 39, 42, 81):
            (present,) = people.in_frame(frame)
            assert present.track_id == 7
            np.testing.assert_allclose(
                present.box_xyxy, seen(np.array([frame])).boxes_xyxy[0], rtol=1e-6
            )


def test_rows_come_by_frame_then_person() -> None:
    early, late = replace(seen(FRAMES[:60]), track_id=2), replace(seen(FRAMES[30:]), track_id=1)
    config = PipelineConfig(smooth="none")
    rows = rows_of(lift_people([early, late], FRAMES, TIMES, 30.0, TrueLifter(), CAMERA, config))
    pairs = list(zip(rows["frame_index"].tolist(), rows["track_id"].tolist(), strict=True))
    assert pairs == sorted([(int(i), 2) for i in FRAMES[:60]] + [(int(i), 1) for i in FRAMES[30:]])


def test_a_true_lift_reprojects_onto_its_keypoints_whatever_height_is_asked_for() -> None:
    for height in (1.2, 1.9):
        people = lift(seen(FRAMES), height_m=height)
        assert people.reprojection_error_px < 1.0
        joints = rows_of(people)["joints_camera_m"]
        tall = (
            joints[:, H36M_17.index("l_ankle"), 1].max()
            - joints[:, H36M_17.index("head_top"), 1].min()
        )
        assert abs(tall / height - 1) < 0.12


def test_rigid_bones_keep_their_length() -> None:
    with closing(lift(seen(FRAMES), rigid_bones=True)) as people:
        assert people.bone_spread < 1e-6


def test_nobody_has_no_errors_to_report() -> None:
    with closing(
        lift_people([], FRAMES, TIMES, 30.0, TrueLifter(), CAMERA, PipelineConfig())
    ) as people:
        assert len(people) == 0
        assert people.reprojection_error_px is people.bone_spread is people.foot_skate_m_s is None
        assert list(people.worlds()) == people.in_frame(0) == []


def peak_bytes(frames: int) -> int:
    """What it takes at most to keep, lift and ground somebody."""
    lifter = LongLifter(frames)
    points, indices = lifter.keypoints(), np.arange(frames)
    boxes, rows = np.zeros((frames, 4)), np.stack([indices, np.zeros(frames, int)], 1)
    tracemalloc.start()
    with closing(DetectionSpool()) as found:
        for i in range(frames):
            found.append(*detections(indices[i : i + 1], points[i : i + 1]))
        track = Followed(1, indices, boxes, rows, found)
        lift_people([track], indices, indices / 30, 30.0, lifter, CAMERA, PipelineConfig()).close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_hardly_grows_with_the_length_of_a_video() -> None:
    short, long = 4000, 8000
    peak_bytes(100)  # what is imported when it is first needed counts for neither
    assert (peak_bytes(long) - peak_bytes(short)) / (long - short) < 200, (
        "bytes a frame; what is found takes 428"
    )
