"""BlazePose on the sample clip: two people, 300 to 350 px tall, in frames of 1768 x 994."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.skeletons import COCO_17, COCO_21
from core.types import Detections, Frame, VideoInfo
from detectors.blazepose.backend import PERSON_FINDER, BlazePoseBackend, HeavyBlazePoseBackend
from detectors.blazepose.clearness import KEYPOINTS
from detectors.blazepose.detector import BlazePose
from weights.store import default_cache, resolve

Picture = NDArray[np.uint8]
GRAPH = Path(__file__).parents[2] / "data" / "mediapipe_graph.npz"
LEFT, RIGHT = COCO_17.index("left_hip"), COCO_17.index("right_hip")


def read_clip() -> Iterator[Picture]:
    """The clip's frames one by one: together they would take 1.2 GB."""
    capture = cv2.VideoCapture(str(resolve("demo-clip")))
    while (read := capture.read())[0]:
        yield cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)


CLIP = VideoInfo(Path("clip.mp4"), 1768, 994, 30.0, None, 0, None)


def make(weights: tuple[str, ...] = BlazePoseBackend.weights, **options: Any) -> BlazePose:
    """A detector at the beginning of the clip."""
    detector = BlazePose(*map(resolve, (*weights, PERSON_FINDER)), **options)
    detector.begin(CLIP)
    return detector


def run(frames: Iterable[Picture], **options: int) -> list[Detections]:
    detector = make(**options)
    found = [detector.detect(Frame(index, index / 30, rgb)) for index, rgb in enumerate(frames)]
    detector.close()
    return found


@pytest.fixture(scope="module")
def clip() -> dict[int, Picture]:
    """A few frames by index: 0 with the man, the others with both."""
    return {index: rgb for index, rgb in enumerate(read_clip()) if index in (0, 60, 61, 62, 63, 80)}


@pytest.fixture(scope="module")
def found() -> list[Detections]:
    return run(read_clip())


def hips(detections: Detections) -> NDArray[np.float64]:
    """(N, 2) px."""
    return detections.keypoints_xy[:, [LEFT, RIGHT]].mean(1)


# --- the clip as a whole ---


def test_both_people_are_followed_and_no_other(found: list[Detections]) -> None:
    counts = [len(detections) for detections in found]
    assert counts[:30] == [1] * 30, "the man alone"
    assert counts[60:150] == [2] * 90
    assert max(counts) == 2
    low = [detections for detections in found[60:195] if (hips(detections)[:, 1] > 600).any()]
    assert len(low) == 135, "the woman, from the tree to the left edge"
    high = [detections for detections in found[:165] if (hips(detections)[:, 1] < 400).any()]
    assert len(high) == 165, "the man, until his somersault"
    assert all(len(detections) for detections in found[185:225]), "and after it"


def test_a_search_that_is_left_for_later_finds_people_for_the_next_frame(
    clip: dict[int, Picture],
) -> None:
    detector = make()
    counts = []
    for index in (60, 61, 62):
        counts.append(len(detector.detect_known(Frame(index, index / 30, clip[index]))))
        if search := detector.search():
            search()
    at_once = run([clip[60], clip[61]])
    detector.close()
    assert counts == [0, 2, 2]
    assert [len(detections) for detections in at_once] == [2, 2]


def test_a_search_that_ends_some_frames_later_finds_people_for_the_frame_after(
    clip: dict[int, Picture],
) -> None:
    detector = make()
    detector.prepare()
    frames = [Frame(index, index / 30, clip[index]) for index in (60, 61, 62, 63)]
    assert len(detector.detect_known(frames[0])) == 0
    search = detector.search()
    assert search is not None
    assert len(detector.detect_known(frames[1])) == 0
    assert len(detector.detect_known(frames[2])) == 0
    search()
    assert detector.search() is None, "those who were met in another frame would be met again"
    assert len(detector.detect_known(frames[3])) == 2
    assert detector.search() is not None
    detector.close()


def test_keypoints_agree_with_the_packaged_graph(found: list[Detections]) -> None:
    """On 40 frames written by benchmarks/compare_mediapipe.py; over the person's height there."""
    graph = np.load(GRAPH)
    kept = graph["landmarks"][:, KEYPOINTS]
    distances = []
    for index, landmarks in zip(graph["frame_index"], kept, strict=True):
        apart = np.linalg.norm(found[index].keypoints_xy - landmarks, axis=2) / np.ptp(
            landmarks[:, 1]
        )
        distances.append(apart[np.argmin(np.median(apart, axis=1))])
    assert np.median(distances) < 0.02


def test_scores_are_probabilities_and_points_outside_the_picture_have_none(
    found: list[Detections],
) -> None:
    leaving = found[198]
    scores = np.concatenate([detections.keypoint_scores for detections in found])
    assert scores.min() >= 0
    assert scores.max() <= 1
    outside = leaving.keypoints_xy[..., 0] < 0
    assert outside.any()
    assert (leaving.keypoint_scores[outside] == 0).all()


def test_boxes_hold_the_keypoints_and_stay_in_the_picture(found: list[Detections]) -> None:
    for detections in found:
        points, boxes = detections.keypoints_xy.clip(0, [1768, 994]), detections.boxes_xyxy
        assert (points >= boxes[:, None, :2]).all()
        assert (points <= boxes[:, None, 2:]).all()
        assert (boxes >= 0).all()
        assert (boxes <= [1768, 994, 1768, 994]).all()


def test_metres_stand_in_camera_axes_from_the_middle_of_the_hips(found: list[Detections]) -> None:
    man = found[80].keypoints_3d[np.argmin(hips(found[80])[:, 1])]
    joint = {name: man[COCO_17.index(name)] for name in COCO_17.joints}
    assert np.allclose(man[[LEFT, RIGHT]].mean(0), 0, atol=1e-6)
    assert joint["nose"][1] < -0.4, "y points down"
    assert joint["left_ankle"][1] > 0.5
    assert joint["left_hip"][0] > joint["right_hip"][0], "he faces the camera"
    assert joint["nose"][2] < joint["left_ear"][2], "z points away from the camera"
    assert 1.2 < joint["left_ankle"][1] - joint["nose"][1] < 1.9


def test_toes_lie_before_heels_where_somebody_walks_and_feet_below_ankles(
    found: list[Detections],
) -> None:
    for detections in found[70:140:10]:
        woman = detections.keypoints_xy[np.argmax(hips(detections)[:, 1])]
        for side in ("left", "right"):
            toe, heel, ankle = woman[
                COCO_21.indices((f"{side}_big_toe", f"{side}_heel", f"{side}_ankle"))
            ]
            assert toe[0] < heel[0] - 15, "she walks to the left"
            assert np.linalg.norm(heel - ankle) < np.linalg.norm(toe - ankle)


# --- coming, going, several ---


def test_a_picture_without_people_gives_empty_detections_of_the_right_shapes(
    clip: dict[int, Picture],
) -> None:
    empty = clip[0][:580, 1000:].copy()  # trees and houses
    for detections in run([empty, np.zeros_like(empty), empty]):
        assert len(detections) == 0
        assert detections.keypoints_xy.shape == (0, 21, 2)
        assert detections.keypoints_3d.shape == (0, 21, 3)


def test_a_passer_by_far_away_is_found_where_nobody_else_is(clip: dict[int, Picture]) -> None:
    """At a door behind the trees, 41 px high: a twenty-fourth of the picture."""
    (found,) = run([clip[0][:, 1000:].copy()])
    assert len(found) == 1
    left, top, right, bottom = found.boxes_xyxy[0]
    assert (450 < left < right < 510, 590 < top < bottom < 655) == (True, True)


def test_people_who_go_are_dropped_and_who_come_are_found(clip: dict[int, Picture]) -> None:
    empty = np.zeros_like(clip[80])
    found = run([clip[80], empty, empty, *[clip[80]] * 6])
    assert [len(detections) for detections in found[:3]] == [2, 0, 0]
    assert len(found[-1]) == 2


def test_two_regions_that_converge_become_one_person(clip: dict[int, Picture]) -> None:
    apart = np.hstack([clip[80], clip[80][:, ::-1]])
    together = np.hstack([clip[80], np.zeros_like(clip[80])])
    detector = make()
    assert len(detector.detect(Frame(0, 0, apart))) == 4
    detector._known = [detector._known[0]] * 4
    assert len(detector.detect(Frame(1, 0, together))) <= 2


def test_max_people_bounds_how_many_are_reported(clip: dict[int, Picture]) -> None:
    crowd = np.hstack([clip[80], clip[80][:, ::-1]])
    assert [len(detections) for detections in run([crowd] * 3, max_people=3)] == [3, 3, 3]


def test_upright_videos_are_searched_too(clip: dict[int, Picture]) -> None:
    portrait = np.vstack([np.zeros((600, 560, 3), np.uint8), clip[80][:, 380:940]])
    assert len(run([portrait])[0]) == 1


def test_the_same_frames_give_the_same_people_in_the_next_video_and_on_any_number_of_threads(
    clip: dict[int, Picture],
) -> None:
    detector = make(num_threads=1)
    first = [detector.detect(Frame(index, 0, clip[index])).keypoints_xy for index in range(60, 64)]
    detector.begin(CLIP)
    again = [detector.detect(Frame(index, 0, clip[index])).keypoints_xy for index in range(60, 64)]
    threads = [
        detections.keypoints_xy
        for detections in run((clip[index] for index in range(60, 64)), num_threads=2)
    ]
    alone = [
        detections.keypoints_xy
        for detections in run((clip[index] for index in range(60, 64)), at_once=1)
    ]
    for a, b, c, d in zip(first, again, threads, alone, strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(a, d)
        assert np.allclose(a, c, atol=0.1)


def test_the_size_of_the_frames_may_change(clip: dict[int, Picture]) -> None:
    half = cv2.resize(clip[80], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    full, small = run([clip[80], half])
    assert len(full) == len(small) == 2
    order = [np.argsort(hips(detections)[:, 1]) for detections in (full, small)]
    apart = full.keypoints_xy[order[0]] / 2 - small.keypoints_xy[order[1]]
    assert np.median(np.linalg.norm(apart, axis=2)) < 3


@pytest.mark.skipif(
    not (default_cache() / "blazepose_landmark_heavy.tflite").exists(),
    reason="not here: python -m weights fetch blazepose-landmark-heavy",
)
def test_the_heavy_model_serves_for_whoever_is_cut_by_the_picture(
    clip: dict[int, Picture],
) -> None:
    whole = clip[80][430:994, 850:1500].copy()
    cut = whole[:300].copy()
    heavy = resolve("blazepose-landmark-heavy")
    kinds = {"full": {}, "both": {"heavy": heavy}, "heavy": {}}
    points = {}
    for kind, options in kinds.items():
        weights = HeavyBlazePoseBackend.weights if kind == "heavy" else BlazePoseBackend.weights
        for name, picture in (("whole", whole), ("cut", cut)):
            detector = BlazePose(*map(resolve, (*weights, PERSON_FINDER)), **options)
            detector.begin(CLIP)
            for index in range(8):
                found = detector.detect(Frame(index, index / 30, picture))
            points[kind, name] = found.keypoints_xy[0]
    assert np.array_equal(points["both", "whole"], points["full", "whole"])
    assert not np.allclose(points["both", "cut"], points["full", "cut"], atol=1)
    assert np.median(np.abs(points["both", "cut"] - points["heavy", "cut"])) < 2


@pytest.mark.skipif(
    not (default_cache() / "blazepose_landmark_heavy.tflite").exists(),
    reason="not here: python -m weights fetch blazepose-landmark-heavy",
)
def test_live_the_heavy_model_looks_in_some_frames_at_those_whom_the_picture_cuts(
    clip: dict[int, Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = clip[80][430:730, 850:1500].copy()
    detector = make(heavy=resolve("blazepose-landmark-heavy"))
    for index in range(16):
        file = detector.detect(Frame(index, index / 30, cut))
    detector.begin(CLIP)
    detector.prepare()
    heavy, looks = detector._networks.heavy, 0

    def counted(*words: Any) -> Any:
        nonlocal looks
        looks += 1
        return heavy(*words)

    monkeypatch.setattr(detector._networks, "heavy", counted)
    for index in range(32):
        live = detector.detect_known(Frame(index, index / 30, cut))
        if index == 0 and (search := detector.search()):
            search()
        if index == 15:
            looks = 0
    detector.close()
    assert looks == 4, "in 16 frames"
    is_seen = file.keypoint_scores[0] > 0.5
    apart = np.linalg.norm(live.keypoints_xy[0] - file.keypoints_xy[0], axis=1)[is_seen]
    assert np.median(apart) < 2.5, "px of a woman of 300"


@pytest.mark.skipif(
    not (default_cache() / "blazepose_landmark_heavy.tflite").exists(),
    reason="not here: python -m weights fetch blazepose-landmark-heavy",
)
def test_the_heavy_model_serves_for_a_picture_alone(clip: dict[int, Picture]) -> None:
    both = make(heavy=resolve("blazepose-landmark-heavy"))
    seen = {}
    for frame_count in (1, None):
        both.begin(replace(CLIP, frame_count=frame_count))
        seen[frame_count] = both.detect(Frame(0, 0.0, clip[80])).keypoints_xy
    heavy = make(HeavyBlazePoseBackend.weights).detect(Frame(0, 0.0, clip[80])).keypoints_xy
    apart = {count: np.median(np.abs(points - heavy)) for count, points in seen.items()}
    assert apart[1] < 0.5 * apart[None]


@pytest.mark.skipif(
    not (default_cache() / "blazepose_landmark_heavy.tflite").exists(),
    reason="not here: python -m weights fetch blazepose-landmark-heavy",
)
def test_the_heavy_model_looks_again_for_a_small_man_who_is_lost() -> None:
    """55 px tall, in side view before a tree; the other model alone sees him in 5 of 24 frames."""
    rest = islice(read_clip(), 120, 159)
    frames = [cv2.resize(rgb, (248, 139), interpolation=cv2.INTER_AREA) for rgb in rest]
    weights = (*BlazePoseBackend.weights, PERSON_FINDER, "blazepose-landmark-heavy")
    detector = BlazePose(*map(resolve, weights))
    detector.begin(CLIP)
    found = [detector.detect(Frame(index, index / 30, rgb)) for index, rgb in enumerate(frames)]
    detector.close()
    assert sum((hips(detections)[:, 1] < 60).any() for detections in found[15:]) >= 17


def test_a_crowd_is_found_in_its_first_frame(clip: dict[int, Picture]) -> None:
    """Twelve people, each of a fifth of the picture's height, all at once and in a cut's frame."""
    woman = cv2.resize(clip[80][430:994, 850:1414], (300, 300), interpolation=cv2.INTER_AREA)
    crowd = np.vstack([np.hstack([woman] * 4)] * 3)
    detector = make()
    assert len(detector.detect(Frame(0, 0, np.zeros_like(crowd)))) == 0
    seen = detector.detect(Frame(1, 0, crowd, starts_shot=True))
    assert len(seen) == 12
    rows, columns = np.unique(hips(seen) // 300, axis=0).T
    assert len(rows) == 12, "one in each part"
    assert {*rows} == {0, 1, 2, 3}
    assert {*columns} == {0, 1, 2}


def test_people_of_a_twenty_fifth_of_the_height_are_found_where_they_can_be_made_out(
    clip: dict[int, Picture],
) -> None:
    """Twelve in a frame of 1080 lines, of 45 px each."""
    scale = 45 / 390  # the woman's height in the clip
    part = cv2.resize(clip[80], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((1080, 1920, 3), 128, np.uint8)
    corners = [np.array([x, y]) for x in (200, 700, 1200, 1600) for y in (100, 500, 800)]
    height, width = part.shape[:2]
    for x, y in corners:
        frame[y : y + height, x : x + width] = part
    seen = hips(make().detect(Frame(0, 0, frame)))
    size = np.array([width, height])
    inside = [((seen > xy) & (seen < xy + size)).all(1).any() for xy in corners]
    assert inside == [True] * len(corners)


def test_who_walks_in_far_away_is_found_soon(clip: dict[int, Picture]) -> None:
    """Of 54 px in a frame of 1080 lines, which has hundreds of windows for people of that size."""
    woman = cv2.resize(clip[80][430:994, 850:1414], (78, 78), interpolation=cv2.INTER_AREA)
    scene = np.full((1080, 1920, 3), 128, np.uint8)
    detector = make()
    counts = []
    for index in range(20):
        frame = scene.copy()
        if index >= 3:
            frame[500:578, 700 + 2 * index : 778 + 2 * index] = woman
        counts.append(len(detector.detect(Frame(index, index / 30, frame))))
    assert counts[:3] == [0, 0, 0]
    assert max(counts) == 1
    assert counts[-1] == 1


def test_more_people_than_are_followed_are_said(clip: dict[int, Picture]) -> None:
    crowd = np.hstack([clip[80], clip[80][:, ::-1]])
    detector = make(max_people=3)
    detector.detect(Frame(0, 0, crowd))
    assert "--max-people" in detector.warnings(CLIP)[0]
    detector.begin(CLIP)
    detector.detect(Frame(0, 0, clip[80]))
    assert detector.warnings(CLIP) == ()


def test_a_person_is_followed_backwards_until_they_are_gone(clip: dict[int, Picture]) -> None:
    detector = make()
    seen = detector.detect(Frame(63, 0, clip[63]))
    man, woman = np.argsort(hips(seen)[:, 1])
    for row in (man, woman):
        follower = detector.follow(seen, int(row))
        for index in (62, 61, 60):
            there = follower(Frame(index, 0, clip[index]))
            assert there is not None
            assert len(there) == 1
            assert np.linalg.norm(hips(there)[0] - hips(seen)[row]) < 60
        assert follower(Frame(59, 0, np.zeros_like(clip[60]))) is None


@pytest.mark.skipif(
    not (default_cache() / "blazepose_landmark_heavy.tflite").exists(),
    reason="not here: python -m weights fetch blazepose-landmark-heavy",
)
def test_the_heavy_model_sees_the_same_people(clip: dict[int, Picture]) -> None:
    heavy = make(HeavyBlazePoseBackend.weights).detect(Frame(0, 0, clip[80]))
    full = run([clip[80]])[0]
    assert len(heavy) == len(full) == 2
    apart = np.linalg.norm(heavy.keypoints_xy - full.keypoints_xy, axis=2)
    assert 0 < np.median(apart) < 10
