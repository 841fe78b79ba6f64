import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from core.skeletons import COCO_17, COCO_21
from core.types import Floats
from lifter.side_swaps import OnlineSides, correct_side_swaps
from testkit.walker import keypoints, walking, with_feet

FRAMES, FPS = 120, 30.0
UPPER = slice(1, 11)  # eyes, ears, shoulders, elbows, wrists
LOWER = slice(11, 17)


def walker() -> Floats:
    """(T, 17, 2) px of a person who walks across the picture."""
    root = np.stack([np.linspace(-1, 1, FRAMES), np.zeros(FRAMES), np.full(FRAMES, 4.0)], 1)
    return keypoints(walking(FRAMES), root)


def swapped(points: Floats, frames: NDArray[np.int64], part: slice) -> Floats:
    wrong = points.copy()
    wrong[frames, part] = points[frames][:, COCO_17.flip_order][:, part]
    return wrong


def correct(points: Floats, fps: float = FPS) -> tuple[Floats, Floats, Floats]:
    own_3d = np.ones((*points.shape[:2], 3))
    scores = np.where(np.isnan(points[..., 0]), 0.0, np.linspace(0.5, 0.9, 17))
    return correct_side_swaps(points, scores, own_3d, np.arange(len(points)) / fps)


@pytest.mark.parametrize("part", [slice(0, 17), UPPER, LOWER])
def test_swapped_sides_are_corrected_and_the_detectors_3d_is_dropped(
    part: slice,
) -> None:
    points, frames = walker(), np.array([0, 1, 30, 60, 61, 62, 63, 64, 119])
    corrected, scores, own_3d = correct(swapped(points, frames, part))
    np.testing.assert_array_equal(corrected, points)
    assert np.isnan(own_3d[frames]).all()
    assert not np.isnan(np.delete(own_3d, frames, 0)).any()
    order = np.arange(17)
    order[part] = np.array(COCO_17.flip_order)[part]
    np.testing.assert_array_equal(
        scores[frames], np.tile(np.linspace(0.5, 0.9, 17)[order], (len(frames), 1))
    )


def test_missing_keypoints_do_not_hinder() -> None:
    points = walker()
    points[:, 9] = np.nan  # a wrist that is never seen
    points[40:43] = np.nan
    wrong = swapped(points, np.arange(70, 75), slice(0, 17))
    np.testing.assert_array_equal(correct(wrong)[0], points)
    nothing = np.full_like(points, np.nan)
    np.testing.assert_array_equal(correct(nothing)[0], nothing)


@pytest.mark.parametrize("seconds", [0.4, 1.0])
def test_a_person_who_turns_around_keeps_their_sides(seconds: float) -> None:
    angle = np.interp(np.arange(FRAMES) / FPS, [2, 2 + seconds], [0, np.pi])
    turn = Rotation.from_euler("y", angle[:, None]).as_matrix()
    root = np.tile([0.0, 0.0, 4.0], (FRAMES, 1))
    points = keypoints(np.einsum("tij,tkj->tki", turn, walking(FRAMES)), root)
    np.testing.assert_array_equal(correct(points)[0], points)


def test_frames_far_apart_are_not_compared() -> None:
    points = swapped(walker(), np.array([60]), slice(0, 17))
    np.testing.assert_array_equal(correct(points, fps=5.0)[0], points)


def test_frames_with_both_legs_on_one_do_not_hide_a_swap() -> None:
    points, one_leg = walker(), np.array([60, 61, 68, 69])
    points[one_leg[:, None], [11, 13, 15]] = points[one_leg[:, None], [12, 14, 16]]
    wrong = swapped(points, np.arange(62, 68), LOWER)
    np.testing.assert_array_equal(correct(wrong)[0], points)


def test_feet_go_along_with_their_legs() -> None:
    root = np.stack([np.linspace(-1, 1, FRAMES), np.zeros(FRAMES), np.full(FRAMES, 4.0)], 1)
    points = keypoints(with_feet(walking(FRAMES)), root)
    frames, wrong = np.array([30, 31, 60]), points.copy()
    legs = np.array([11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
    wrong[np.ix_(frames, legs)] = points[np.ix_(frames, np.array(COCO_21.flip_order)[legs])]
    no_3d, scores = np.full((FRAMES, 21, 3), np.nan), np.full((FRAMES, 21), 0.9)
    times = np.arange(FRAMES) / FPS
    np.testing.assert_array_equal(correct_side_swaps(wrong, scores, no_3d, times)[0], points)
    wild = wrong.copy()
    wild[:, 17:] = np.random.default_rng(0).uniform(0, 1000, (FRAMES, 4, 2))
    corrected = correct_side_swaps(wild, scores, no_3d, times)[0]
    np.testing.assert_array_equal(corrected[:, :17], points[:, :17], "feet decide nothing")


@pytest.mark.parametrize("part", [slice(0, 17), UPPER, LOWER])
def test_frame_by_frame_sides_are_those_of_all_frames_so_far(part: slice) -> None:
    wrong = swapped(walker(), np.array([20, 21, 30, 60, 61, 62, 63, 64, 118]), part)
    scores, own_3d = np.tile(np.linspace(0.5, 0.9, 17), (FRAMES, 1)), np.ones((FRAMES, 17, 3))
    times, online = np.arange(FRAMES) / FPS, OnlineSides()
    for frame in range(FRAMES):
        so_far = slice(0, frame + 1)
        is_swapped = online.add(times[frame], wrong[frame], scores[frame])
        _, keypoints, online_scores = online.arrays()
        expected, expected_scores, expected_3d = correct_side_swaps(
            wrong[so_far], scores[so_far], own_3d[so_far], times[so_far]
        )
        np.testing.assert_array_equal(keypoints, expected[-len(keypoints) :])
        np.testing.assert_array_equal(online_scores, expected_scores[-len(keypoints) :])
        assert is_swapped == np.isnan(expected_3d[-1]).any()
        online.drop_before(times[frame] - 1.5, spare=1)
    assert len(online) == 47
