"""People who come back, told by what they wear: painted figures that walk."""

import cv2
import numpy as np
import pytest

from core.skeletons import COCO_17
from core.types import Detections, Floats, Picture
from pipeline.tracking.clothes import Clothes, colours
from pipeline.tracking.tracker import track_people

FPS = 30.0
RED, BLUE, GREEN, GREY = (170, 40, 40), (40, 60, 160), (40, 130, 60), (120, 120, 120)
TROUSERS = (60, 60, 60)
_ACROSS = {"shoulder": 16, "elbow": 22, "wrist": 24, "hip": 11, "knee": 11, "ankle": 11}
_DOWN = {"shoulder": -50, "elbow": -22, "wrist": 2, "hip": 0, "knee": 45, "ankle": 88}
Person = tuple[float, tuple[int, int, int]]
"""Where someone stands, px, and the colour of their top."""


def figure(x: float, t: int) -> Floats:
    """The keypoints (17, 2) px of someone who stands at x, facing the camera, and waves."""
    points = []
    for joint in COCO_17.joints:
        side, _, name = joint.partition("_")
        sign = {"left": 1, "right": -1}.get(side, 0)
        wave = 12 * np.sin(t / 3) if name == "wrist" else 0
        points.append((sign * _ACROSS.get(name, 4), _DOWN.get(name, -75) + wave))
    return np.array(points, np.float64) + np.array([x, 240.0])


def seen(t: int, people: list[Person], light: float = 1.0) -> tuple[Picture, Detections]:
    """A frame and the people in it."""
    picture = np.full((480, 640, 3), 200, np.uint8)
    points = np.array([figure(x, t) for x, _ in people]).reshape(-1, 17, 2)
    for x, top in ((round(x), top) for x, top in people):
        y = 240
        cv2.rectangle(picture, (x - 30, y - 52), (x + 30, y + 4), top, -1)
        cv2.rectangle(picture, (x - 20, y + 5), (x + 20, y + 95), TROUSERS, -1)
    count = len(people)
    boxes = np.concatenate([points.min(1) - 8, points.max(1) + 8], 1)
    no_3d = np.full((count, 17, 3), np.nan)
    scores = np.full((count, 17), 0.9)
    found = Detections(t, boxes, np.full(count, 0.9), points, scores, no_3d, COCO_17)
    return (picture * light).astype(np.uint8), found


def tracks(frames: list[list[Person]], light: Floats | None = None) -> list[list[int]]:
    """The frames of each track."""
    clothes, detections = Clothes(), []
    for t, people in enumerate(frames):
        picture, found = seen(t, people, 1.0 if light is None else float(light[t]))
        clothes.look(t, picture, found)
        detections.append(found)
    found_tracks = track_people(detections, FPS, clothes=clothes)
    return [track.frame_indices.tolist() for track in found_tracks]


def away(first: tuple[int, int, int], second: tuple[int, int, int]) -> list[list[Person]]:
    """Someone walks out, and 6 s later someone comes back there."""
    out: list[list[Person]] = [[(300.0 + 4 * t, first)] for t in range(60)]
    back: list[list[Person]] = [[(540.0 - 4 * t, second)] for t in range(60)]
    return out + [[]] * 180 + back


def test_who_comes_back_in_the_same_colours_keeps_their_number_though_the_light_changed() -> None:
    light = np.r_[np.full(240, 1.0), np.full(60, 0.95)]
    assert [len(one) for one in tracks(away(RED, RED), light)] == [120]


@pytest.mark.parametrize(("first", "second"), [(RED, BLUE), (RED, GREEN), (GREY, GREY)])
def test_other_colours_are_someone_else_and_grey_tells_no_one(
    first: tuple[int, int, int], second: tuple[int, int, int]
) -> None:
    assert [len(one) for one in tracks(away(first, second))] == [60, 60]


def test_of_two_who_wear_the_same_none_is_known_by_it() -> None:
    both: list[list[Person]] = [[*people, (100.0, RED)] for people in away(RED, RED)]
    assert sorted(len(one) for one in tracks(both)) == [60, 60, 300]


def test_two_who_change_places_behind_something_are_told_by_their_colours() -> None:
    before: list[list[Person]] = [[(280.0, RED), (350.0, BLUE)]] * 60
    after: list[list[Person]] = [[(280.0, BLUE), (350.0, RED)]] * 60
    clothes, detections = Clothes(), []
    for t, people in enumerate(before + [[]] * 40 + after):
        picture, found = seen(t, people)
        clothes.look(t, picture, found)
        detections.append(found)
    ends = [
        (track.boxes_xyxy[0, 0] < 300, track.boxes_xyxy[-1, 0] < 300)
        for track in track_people(detections, FPS, clothes=clothes)
    ]
    assert sorted(ends) == [(False, True), (True, False)]


def test_colours_are_not_read_where_another_stands_or_nothing_is_known() -> None:
    picture, found = seen(0, [(200.0, RED), (215.0, BLUE), (500.0, GREEN)])
    found.keypoints_xy[2, COCO_17.index("left_hip")] = np.nan
    read = colours(picture, found)
    assert np.isnan(read[:2, 0]).all(), "two who overlap"
    assert np.isfinite(read[2, 3]).all(), "upper arms need no hip"
