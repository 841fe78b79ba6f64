"""What was corrected by hand in a person's keypoints holds, after all filters."""

import numpy as np

from core.skeletons import COCO_21
from core.types import LifterInput, Track
from pipeline.lifting.marks import FADE_S, with_marks, with_points
from pipeline.lifting.resampling import resample_to_fps
from pipeline.results.detections import Marks

FRAMES, RATE = 60, 30.0
WRIST, OTHER = COCO_21.indices(("left_wrist", "right_wrist"))


def track(seen: np.ndarray | None = None) -> Track:
    """A person at rest with the left wrist at (100, 50), noise of 2 px and the right at (0, 0)."""
    rng = np.random.default_rng(1)
    points = np.zeros((FRAMES, 21, 2))
    points[:, WRIST] = np.array([100, 50]) + rng.normal(0, 2, (FRAMES, 2))
    scores = np.full((FRAMES, 21), 0.8)
    if seen is not None:
        points[~seen, WRIST], scores[~seen, WRIST] = np.nan, 0
    points_3d = np.zeros((FRAMES, 21, 3))
    frames = np.arange(FRAMES)
    return Track(1, frames, np.zeros((FRAMES, 4)), points, scores, points_3d, COCO_21)


def marks(*points: tuple[int, int, tuple[float, float]], swapped: slice | None = None) -> Marks:
    mask = np.zeros((FRAMES, 21), bool)
    if swapped is not None:
        mask[swapped, [[WRIST], [OTHER]]] = True
    contacts = np.zeros((FRAMES, 4), np.int8)
    return Marks(mask, contacts, {(frame, k): xy for frame, k, xy in points})


def lifter_input(own: Track, of: Marks, fps: float = RATE) -> LifterInput:
    times = own.frame_indices / RATE
    sequence = resample_to_fps(with_marks(own, of), times, fps, "savgol")
    return with_points(sequence, of, own.frame_indices, times)


def test_a_corrected_point_holds_and_moves_its_neighbours_along() -> None:
    corrected = lifter_input(track(), marks((30, WRIST, (140.0, 80.0))))
    before = lifter_input(track(), marks())
    np.testing.assert_allclose(corrected.keypoints[30, WRIST], [140, 80])
    moved = np.linalg.norm(corrected.keypoints - before.keypoints, axis=-1)
    reach = round(FADE_S * RATE)
    assert (np.diff(moved[30 - reach : 30, WRIST]) > 0).all()
    assert (moved[: 31 - reach] == 0).all()
    assert (moved[30 + reach :] == 0).all()
    assert (np.delete(moved, WRIST, 1) == 0).all()
    assert corrected.scores[30, WRIST] == 1
    assert corrected.scores[20, WRIST] == 0.8
    assert np.isnan(corrected.keypoints_3d[30]).all()


def test_between_two_near_corrected_points_the_correction_is_held() -> None:
    own = marks((30, WRIST, (140.0, 80.0)), (38, WRIST, (140.0, 80.0)))
    between = lifter_input(track(), own).keypoints[30:39, WRIST]
    assert np.abs(between - [140, 80]).max() < 4, "the detector's noise is left, its error is not"


def test_a_point_in_a_gap_is_passed_through_on_the_way() -> None:
    seen = ~np.isin(np.arange(FRAMES), np.arange(15, 45))
    corrected = lifter_input(track(seen), marks((30, WRIST, (160.0, 50.0))))
    np.testing.assert_allclose(corrected.keypoints[30, WRIST], [160, 50])
    way = corrected.keypoints[15:45, WRIST, 0]
    assert (np.diff(way[:15]) > 0).all()
    assert (np.diff(way[16:]) < 0).all()
    assert corrected.scores[20, WRIST] == 0, "what is filled in is not seen"


def test_a_point_that_was_never_seen_is_known_then() -> None:
    corrected = lifter_input(track(np.zeros(FRAMES, bool)), marks((30, WRIST, (160.0, 50.0))))
    np.testing.assert_allclose(corrected.keypoints[:, WRIST], np.tile([160.0, 50.0], (FRAMES, 1)))


def test_at_another_rate_the_point_is_where_it_was_put() -> None:
    fps = 25.0
    corrected = lifter_input(track(), marks((30, WRIST, (140.0, 80.0))), fps)
    at = [np.interp(1.0, corrected.times_s, column) for column in corrected.keypoints[:, WRIST].T]
    np.testing.assert_allclose(at, [140, 80])
    assert np.interp(1.0, corrected.times_s, corrected.scores[:, WRIST]) == 1


def test_swapped_sides_change_places_with_their_scores() -> None:
    own = track()
    own.keypoint_scores[:, OTHER] = 0.3
    swapped = with_marks(own, marks(swapped=slice(10, 20)))
    np.testing.assert_array_equal(
        swapped.keypoints_xy[10:20, OTHER], own.keypoints_xy[10:20, WRIST]
    )
    np.testing.assert_array_equal(swapped.keypoints_xy[20:], own.keypoints_xy[20:])
    assert (swapped.keypoint_scores[10:20, WRIST] == 0.3).all()
    assert np.isnan(swapped.keypoints_3d[10:20]).all()
    assert not np.isnan(swapped.keypoints_3d[20:]).any()
