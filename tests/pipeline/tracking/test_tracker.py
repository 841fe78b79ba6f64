from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.tracking import ours, score
from core.skeletons import COCO_17
from core.types import Detections, Floats
from detectors.blazepose import BlazePose
from pipeline.media.video_reader import VideoReader
from pipeline.tracking.tracker import track_people
from tests.scenes import STAGES, made
from weights.store import resolve

PERSON = np.random.default_rng(0).uniform([-40, -150], [40, 150], (17, 2))


def frame(index: int, people: list[Floats], scores: list[float] | None = None) -> Detections:
    points = np.array([PERSON + place for place in people]).reshape(-1, 17, 2)
    boxes = np.concatenate([points.min(1), points.max(1)], 1) if len(people) else np.zeros((0, 4))
    sure = np.array(scores if scores is not None else [0.9] * len(people))
    return Detections(
        index,
        boxes,
        sure,
        points,
        np.full(points.shape[:2], 0.9),
        np.full((len(people), 17, 3), np.nan),
        COCO_17,
    )


def test_two_people_keep_their_ids_although_the_detector_shuffles_them() -> None:
    rng = np.random.default_rng(1)
    frames = []
    for t in range(60):
        people = [np.array([300.0 + 4 * t, 400]), np.array([1200.0 - 3 * t, 420])]
        order = rng.permutation(2)
        frames.append(frame(t, [people[i] for i in order]))
    tracks = track_people(frames, 30.0)
    assert [len(track) for track in tracks] == [60, 60]
    for track in tracks:
        steps = np.diff(track.boxes_xyxy[:, 0])
        assert np.ptp(steps) < 1e-3, "a swapped identity would jump"


def test_who_was_away_for_a_while_is_the_same_and_who_comes_much_later_is_not() -> None:
    def seen(t: int) -> bool:
        return not (20 <= t < 80 or 110 <= t < 230)

    frames = [frame(t, [np.array([300.0 + t, 400])] if seen(t) else []) for t in range(260)]
    tracks = track_people(frames, 30.0)
    assert [(track.frame_indices[0], track.frame_indices[-1]) for track in tracks] == [
        (0, 109),
        (230, 259),
    ]
    assert len(tracks[0]) == 50, "frames in which they were away stay without them"


def test_a_flicker_is_no_person() -> None:
    lasting, brief = np.array([300.0, 400]), np.array([900.0, 300])
    frames = [frame(t, [lasting, brief] if 20 <= t < 25 else [lasting]) for t in range(60)]
    tracks = track_people(frames, 30.0)
    assert [len(track) for track in tracks] == [60]


def test_a_one_frame_clip_has_its_person() -> None:
    assert [len(track) for track in track_people([frame(0, [np.array([300.0, 400])])], 30.0)] == [1]


def test_a_weak_detection_starts_nothing() -> None:
    assert track_people([frame(t, [np.array([300.0, 400])], [0.2]) for t in range(30)], 30.0) == []


def test_a_weak_detection_continues_somebody() -> None:
    """Half hidden for two thirds of a second, which a track that takes sure detections only would miss."""
    frames = [
        frame(t, [np.array([300.0 + 2 * t, 400])], [0.2 if 20 <= t < 40 else 0.9])
        for t in range(60)
    ]
    (track,) = track_people(frames, 30.0)
    np.testing.assert_array_equal(track.frame_indices, np.arange(60))


def test_somebody_seen_twice_is_one() -> None:
    place = np.array([300.0, 400])
    (track,) = track_people([frame(t, [place, place + 2], [0.9, 0.6]) for t in range(60)], 30.0)
    assert len(track) == 60


@pytest.mark.parametrize("name", [name for name in STAGES if name != "crowd of six"])
def test_in_made_scenes_everybody_keeps_their_number_and_nobody_else_has_one(name: str) -> None:
    for seed in range(2):
        scene = made(name, seed)
        result = score(scene, ours(scene.detections))
        assert result.idf1 > 0.98
        assert (result.tracks, result.switches) == (result.people, 0)


def test_a_few_frames_a_second_are_enough() -> None:
    """Two who do not cross, at 5 frames a second, with a frame missed now and then."""
    scene = made("leave and return", 0)
    few = [replace(found, frame_index=t) for t, found in enumerate(scene.detections[::6])]
    tracks = track_people(few, 5.0)
    assert len(tracks) == 2
    for track in tracks:
        actor = np.argmin(np.abs(scene.boxes[:, 0] - track.boxes_xyxy[0]).sum(1))
        off = np.abs(scene.boxes[actor, 6 * track.frame_indices] - track.boxes_xyxy)
        assert np.median(off) < 20
        assert off.max() < 150, "nobody is somebody else for a moment"


def test_somebody_who_keeps_still_is_kept_where_there_is_nobody_else() -> None:
    still = [frame(t, [np.array([300.0, 400])]) for t in range(150)]
    assert [len(track) for track in track_people(still, 30.0)] == [150]


def test_the_two_people_of_the_sample_keep_their_numbers() -> None:
    """The man leaps, head over heels, and is missed for moments; the woman comes from behind a tree and leaves."""
    detections = []
    with VideoReader(resolve("demo-clip"), None, None) as reader, closing(BlazePose()) as detector:
        detections = [detector.detect(frame) for frame in reader]
    man, woman = track_people(detections, 30.0)
    assert (man.frame_indices[0], woman.frame_indices[0] < 60) == (0, True)
    assert man.frame_indices[-1] > 215, "he runs out of the picture"
    assert woman.frame_indices[-1] > 190, "she walks out of the picture"
    assert len(man) > 200
    assert len(woman) > 145
    assert man.boxes_xyxy[man.frame_indices < 150][:, 3].max() < 560, "he is on the roof"
    assert woman.boxes_xyxy[:, 3].min() > 700, "she is on the lawn"


def test_nobody_gives_no_tracks() -> None:
    assert track_people([frame(t, []) for t in range(10)], 30.0) == []
    assert track_people([], 30.0) == []


def test_somebody_lost_in_a_leap_is_found_again_where_they_land() -> None:
    """Not seen for half a second, and a body's height further down and aside when seen again."""
    frames = [frame(t, [np.array([300.0, 400])] if t < 30 else []) for t in range(45)]
    frames += [frame(t, [np.array([400.0, 700])]) for t in range(45, 90)]
    tracks = track_people(frames, 30.0)
    assert [len(track) for track in tracks] == [75]


def test_somebody_else_far_away_is_not_the_one_who_left() -> None:
    frames = [frame(t, [np.array([300.0, 400])]) for t in range(40)]
    frames += [frame(t, [np.array([1700.0, 400])]) for t in range(45, 90)]
    assert sorted(len(track) for track in track_people(frames, 30.0)) == [40, 45]
