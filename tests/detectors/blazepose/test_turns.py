"""Second looks by turns: who is looked at when, and what becomes of what was seen."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.skeletons import COCO_17, COCO_21
from core.types import Detections, Floats, Frame, Picture, VideoInfo
from detectors.blazepose.backend import BlazePoseBackend
from detectors.blazepose.clearness import COCO
from detectors.blazepose.detector import BlazePose
from detectors.blazepose.networks.calls import Calls
from detectors.blazepose.networks.models import LANDMARKS, Landmarks
from detectors.blazepose.networks.region import Region
from detectors.blazepose.turns import UNSEEN, Turns, body_size
from weights.store import resolve

BLACK = np.zeros((8, 8, 3), np.uint8)
FILE = VideoInfo(Path("clip.mp4"), 1768, 994, 30.0, 231, 0, 7.7)
TO_THE_RIGHT = np.full((len(COCO), 2), (0.1, 0.0))


def person(x: float) -> Landmarks:
    xy = np.random.default_rng(1).uniform((x, 0), (x + 100, 100), (LANDMARKS, 2))
    seen, metres = np.ones(LANDMARKS), np.zeros((LANDMARKS, 3))
    return Landmarks(1.0, xy, seen, metres, Region(x, 50.0, 120.0, 0.0))


@pytest.fixture
def calls() -> Iterator[Calls]:
    made = Calls(2)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("count", "every", "looks"), [(3, 24, 1), (3, 1, 3), (3, 2, 2)], ids=["seldom", "always", "2"]
)
def test_everyone_has_their_turn_and_no_frame_has_more_than_its_share(
    calls: Calls, count: int, every: int, looks: int
) -> None:
    people = [person(200.0 * number) for number in range(count)]
    seen: list[tuple[int, float]] = []
    frame = 0

    def look(_: Picture, one: Landmarks) -> Floats:
        seen.append((frame, one.region.x))
        return TO_THE_RIGHT

    shifts = [UNSEEN] * count
    for frame in range(2 * every + count):  # noqa: B007 (`look` reads it)
        shifts = Turns(look, every, calls)(BLACK, people, shifts)
    frames = np.array([number for number, _ in seen])
    assert np.bincount(frames).max() == looks
    for one in people:
        assert np.diff([number for number, x in seen if x == one.region.x]).min() >= every
    assert len({x for _, x in seen[:count]}) == count, "who waits longest comes first"


def test_a_shift_grows_with_the_person_and_leaves_points_that_coco_lacks(calls: Calls) -> None:
    (shift,) = Turns(lambda *_: TO_THE_RIGHT, 24, calls)(BLACK, [person(0.0)], [UNSEEN])
    near, far = person(0.0), replace(person(0.0), xy=person(0.0).xy / 4)
    for one in (near, far):
        moved = shift.of(one).xy - one.xy
        assert moved[COCO] == pytest.approx(np.full((17, 2), (0.1 * body_size(one), 0.0)))
        assert not np.delete(moved, COCO, axis=0).any()


@pytest.fixture(scope="module")
def clip() -> list[Frame]:
    capture = cv2.VideoCapture(str(resolve("demo-clip")))
    read = [capture.read()[1] for _ in range(4)]
    return [Frame(i, i / 30, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)) for i, bgr in enumerate(read)]


@pytest.mark.parametrize(
    ("is_live", "every", "looked_at"),
    [(False, 3, [0, 3]), (False, 1, [0, 1, 2, 3]), (True, 3, []), (True, 1, [1, 2, 3])],
    ids=["file", "file, each frame", "camera", "camera, each frame"],
)
def test_what_a_look_gives_moves_the_keypoints_until_the_next(
    clip: list[Frame], is_live: bool, every: int, looked_at: list[int]
) -> None:
    """A camera has no time for a look now and then, but for those that were asked for."""
    seen: list[int] = []

    def look(rgb: Picture, _: Landmarks) -> Floats:
        seen.append(next(frame.index for frame in clip if frame.rgb is rgb))
        return TO_THE_RIGHT

    weights = [resolve(name) for name in BlazePoseBackend.weights]
    alone, looking = BlazePose(*weights), BlazePose(*weights, look=look, look_every=every)
    found: list[Detections] = []
    for detector in (alone, looking):
        detector.begin(FILE)
        for frame in clip:
            found.append((detector.detect_known if is_live else detector.detect)(frame))
            if is_live and (search := detector.search()):
                search()
    feet = COCO_21.indices(("left_heel", "right_big_toe"))
    for before, after in zip(found[:4], found[4:], strict=True):
        moved = after.keypoints_xy - before.keypoints_xy
        assert len(moved) == 1 or (is_live and after.frame_index == 0), "met after the first frame"
        assert not moved[:, feet].any()
        for one in moved[:, : len(COCO_17)]:
            assert np.ptp(one, axis=0) == pytest.approx(0, abs=1e-3)
            assert (one[0, 0] > 20) == bool(looked_at), "a tenth of a man 350 px tall"
    assert seen == looked_at


def test_a_cut_ends_what_was_seen_before_it(clip: list[Frame]) -> None:
    count = 0

    def look(*_: object) -> Floats:
        nonlocal count
        count += 1
        return TO_THE_RIGHT

    weights = [resolve(name) for name in BlazePoseBackend.weights]
    detector = BlazePose(*weights, look=look, look_every=24)
    detector.begin(FILE)
    for frame in (*clip[:3], replace(clip[3], starts_shot=True)):
        detector.detect(frame)
    assert count == 2


def test_someone_followed_back_is_looked_at_after_a_while(clip: list[Frame]) -> None:
    """Most are lost after a few frames, for which a look would take too long."""
    looked_at: list[int] = []

    def look(rgb: Picture, _: Landmarks) -> Floats:
        looked_at.append(next(frame.index for frame in clip if frame.rgb is rgb))
        return TO_THE_RIGHT

    weights = [resolve(name) for name in BlazePoseBackend.weights]
    detector = BlazePose(*weights, look=look, look_every=2)
    detector.begin(FILE)
    step = detector.follow(detector.detect(clip[3]), 0)
    for frame in clip[2::-1]:
        step(frame)
    assert looked_at == [3, 1]
