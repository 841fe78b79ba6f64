from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from core.skeletons import COCO_21
from detectors.choice import create
from pipeline.media.video_reader import VideoReader
from pipeline.tracking.tracker import track_people
from testkit.identity_scores import boxes_by_track, scene_truth, score
from testkit.scenes import STAGES, made
from tests.pipeline.tracking.made_frames import made_frame
from weights.store import resolve


def test_two_people_keep_their_ids_although_the_detector_shuffles_them() -> None:
    rng = np.random.default_rng(1)
    frames = []
    for t in range(60):
        positions = [np.array([300.0 + 4 * t, 400]), np.array([1200.0 - 3 * t, 420])]
        order = rng.permutation(2)
        frames.append(made_frame(t, [positions[i] for i in order]))
    tracks = track_people(frames, 30.0)
    assert [len(track) for track in tracks] == [60, 60]
    for track in tracks:
        steps = np.diff(track.boxes_xyxy[:, 0])
        assert np.ptp(steps) < 1e-3, "a swapped identity would jump"


def test_feet_change_no_track() -> None:
    """Not every detector sees them, and those who do see them leap."""
    rng = np.random.default_rng(0)
    bodies = [
        made_frame(t, [np.array([300.0 + 8 * t, 400]), np.array([780.0 - 8 * t, 420])])
        for t in range(60)
    ]
    with_feet = []
    for body in bodies:
        whole = body.to_skeleton(COCO_21)
        whole.keypoints_xy[:, 17:] = rng.uniform(0, 1000, (2, 4, 2))
        whole.keypoint_scores[:, 17:] = 0.9
        with_feet.append(whole)
    tracks = track_people(bodies, 30.0), track_people(with_feet, 30.0)
    for one, other in zip(*tracks, strict=True):
        np.testing.assert_array_equal(one.rows, other.rows)


def test_a_cut_ends_all_tracks() -> None:
    """The same places in two shots, and somebody at another one: nobody goes on."""
    places = [np.array([300.0, 400]), np.array([1200.0, 420])]
    frames = [made_frame(t, places if t < 30 else places[:1]) for t in range(60)]
    tracks = track_people(frames, 30.0, shot_starts=(30,))
    spans = sorted((track.frame_indices[0], track.frame_indices[-1]) for track in tracks)
    assert spans == [(0, 29), (0, 29), (30, 59)]
    assert len(track_people(frames, 30.0)) == 2, "without the cut the first one goes on"


def test_a_one_frame_clip_has_its_person() -> None:
    frames = [made_frame(0, [np.array([300.0, 400])])]
    assert [len(track) for track in track_people(frames, 30.0)] == [1]


def test_a_weak_detection_begins_no_track() -> None:
    frames = [made_frame(t, [np.array([300.0, 400])], [0.2]) for t in range(30)]
    assert track_people(frames, 30.0) == []


def test_a_weak_detection_continues_a_track() -> None:
    """Half hidden for two thirds of a second, which strong detections alone would miss."""
    frames = [
        made_frame(t, [np.array([300.0 + 2 * t, 400])], [0.2 if 20 <= t < 40 else 0.9])
        for t in range(60)
    ]
    (track,) = track_people(frames, 30.0)
    np.testing.assert_array_equal(track.frame_indices, np.arange(60))


def test_a_person_detected_twice_is_one() -> None:
    position = np.array([300.0, 400])
    frames = [made_frame(t, [position, position + 2], [0.9, 0.6]) for t in range(60)]
    (track,) = track_people(frames, 30.0)
    assert len(track) == 60


@pytest.mark.parametrize("name", [name for name in STAGES if name != "crowd of six"])
def test_in_made_scenes_people_keep_their_numbers_and_nothing_else_has_one(name: str) -> None:
    for seed in range(2):
        scene = made(name, seed)
        result = score(scene_truth(scene), boxes_by_track(scene.detections))
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
        assert off.max() < 150, "no track takes the other person for a moment"


def test_the_two_people_of_the_sample_keep_their_numbers() -> None:
    """The man leaps, head over heels, and is missed for moments; the woman comes from behind a tree
    and leaves."""
    detections = []
    with (
        VideoReader(resolve("demo-clip"), None, None) as reader,
        closing(create("blazepose")) as detector,
    ):
        detector.begin(reader.info)
        detections = [detector.detect(frame) for frame in reader]
    man, woman = track_people(detections, 30.0)
    assert (man.frame_indices[0], woman.frame_indices[0] < 65) == (0, True)
    assert man.frame_indices[-1] > 215, "he runs out of the picture"
    assert woman.frame_indices[-1] > 190, "she walks out of the picture"
    assert len(man) > 200
    assert len(woman) > 130
    assert man.boxes_xyxy[man.frame_indices < 150][:, 3].max() < 560, "he is on the roof"
    assert woman.boxes_xyxy[:, 3].min() > 700, "she is on the lawn"


def test_frames_without_people_give_no_tracks() -> None:
    assert track_people([made_frame(t, []) for t in range(10)], 30.0) == []
    assert track_people([], 30.0) == []
