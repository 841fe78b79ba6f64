"""Who is whom after edits, and what is marked on each person."""

import numpy as np
import pytest

from core.errors import InputError
from core.skeletons import COCO_21
from pipeline.corrections.edits import (
    Contact,
    Corrections,
    Delete,
    Edit,
    Merge,
    Point,
    Split,
    Swap,
)  # fmt: skip
from pipeline.corrections.people import corrected_people
from pipeline.results.detections import TrackRows

FRAMES = np.delete(np.arange(100), [50])  # one could not be decoded
LEFT, RIGHT = COCO_21.indices(("left_wrist", "right_wrist"))


def track(number: int, frames: np.ndarray) -> TrackRows:
    rows = np.stack([frames, np.full(len(frames), number)], 1).astype(np.int32)
    return TrackRows(number, frames, np.tile(frames[:, None], 4), rows, [])


TRACKS = [track(1, FRAMES[:60]), track(2, np.r_[55:70, 90:95])]


def after(*edits: Edit) -> dict[int, TrackRows]:
    people = corrected_people(TRACKS, Corrections(edits), FRAMES, FRAMES / 30)
    return {person.track_id: person for person in people}


def test_people_whom_no_edit_concerns_are_the_same() -> None:
    people = after(Point(1, 3, "nose", (1, 2)))
    assert people[2] is TRACKS[1]
    assert people[2].is_same(TRACKS[1])
    assert not people[1].is_same(TRACKS[0])
    assert people[1].is_same(after(Point(1, 3, "nose", (1, 2)))[1])
    assert not people[1].is_same(after(Point(1, 3, "nose", (1, 3)))[1])


def test_a_split_gives_the_later_part_a_number_that_none_had() -> None:
    people = after(Split(1, 20), Delete(3), Split(1, 10))
    assert people.keys() == {1, 2, 4}
    np.testing.assert_array_equal(people[1].frame_indices, np.arange(10))
    np.testing.assert_array_equal(people[4].frame_indices, np.arange(10, 20))
    np.testing.assert_array_equal(people[4].rows[:, 0], np.arange(10, 20))


def test_merged_people_keep_the_first_ones_rows_where_both_are_seen() -> None:
    people = after(Point(2, 58, "nose", (1, 2)), Point(2, 62, "nose", (3, 4)), Merge(1, 2))
    assert people.keys() == {1}
    both = people[1]
    np.testing.assert_array_equal(both.frame_indices, np.r_[FRAMES[:60], 61:70, 90:95])
    np.testing.assert_array_equal(both.rows[:, 1], [1] * 60 + [2] * 14)
    np.testing.assert_array_equal(both.boxes_xyxy[:, 0], both.frame_indices)
    assert both.marks is not None
    assert both.marks.points == {(62, 0): (3, 4)}


def test_marks_follow_the_frames_of_a_split() -> None:
    people = after(
        Point(1, 5, "left_wrist", (1, 2)), Contact(1, 8, 30, "right_toe", True), Swap(1, 15, 40),
        Split(1, 20),
    )  # fmt: skip
    early, late = people[1].marks, people[3].marks
    assert early is not None
    assert late is not None
    assert (early.points, late.points) == ({(5, LEFT): (1, 2)}, {})
    np.testing.assert_array_equal(np.flatnonzero(early.contacts[:, 3]), np.arange(8, 20))
    np.testing.assert_array_equal(np.flatnonzero(late.contacts[:, 3]), np.arange(20, 31))
    np.testing.assert_array_equal(np.flatnonzero(late.swapped[:, LEFT]), np.arange(20, 41))


def test_swaps_twice_are_none_and_take_points_along() -> None:
    marks = after(Point(1, 5, "left_wrist", (1, 2)), Swap(1, 0, 9, ("wrist",)))[1].marks
    assert marks is not None
    assert marks.points == {(5, RIGHT): (1, 2)}
    assert marks.swapped[:10, [LEFT, RIGHT]].all()
    assert marks.swapped.sum() == 20
    twice = after(Swap(1, 0, 9), Swap(1, 5, 300))[1].marks
    assert twice is not None
    np.testing.assert_array_equal(np.flatnonzero(twice.swapped[:, LEFT]), np.r_[0:5, 10:61])
    assert not twice.swapped[:, COCO_21.index("nose")].any()


def test_a_deleted_range_is_not_bridged() -> None:
    person = after(Delete(1, 20, 22))[1]
    assert not np.isin([20, 21, 22], person.frame_indices).any()
    assert person.stretch_starts(person.frame_indices / 30).tolist() == [20]
    assert after(Delete(1, 0, 70)).keys() == {2}


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ([Delete(3)], r"corrections, edit 1 \(delete\): there is no person 3; there is 1, 2"),
        ([Split(1, 20), Merge(1, 3), Split(3, 30)], r"edit 3 \(split\): there is no person 3"),
        ([Point(1, 61, "nose", (1, 2))], "person 1 is not there in frame 61"),
        ([Point(1, 50, "nose", (1, 2))], "person 1 is not there in frame 50"),
        ([Point(1, 100, "nose", (1, 2))], "person 1 is not there in frame 100"),
        ([Delete(1, 20, 22), Point(1, 21, "nose", (1, 2))], "edit 2 .* not there in frame 21"),
        ([Split(1, 0)], "nothing to split at 0"),
        ([Swap(1, 61, 70)], "person 1 is there in frames 0 to 60, not in 61 to 70"),
    ],
)
def test_who_or_what_is_not_there_is_said(edits: list[Edit], said: str) -> None:
    with pytest.raises(InputError, match=said):
        after(*edits)
