import numpy as np
import pytest
from scipy.signal import savgol_filter

from core.skeletons import COCO_17
from core.types import Floats, Track
from pipeline.lifting.resampling import resample_to_fps, smooth, to_frame_times
from testkit.walker import keypoints, moving_root, walking, with_feet


def track(points: Floats, scores: Floats | None = None) -> Track:
    frames = len(points)
    scores = np.full((frames, 17), 0.9) if scores is None else scores
    missing = np.full((frames, 17, 3), np.nan)
    return Track(1, np.arange(frames), np.zeros((frames, 4)), points, scores, missing, COCO_17)


def sliding(times: Floats) -> Floats:
    """Keypoints (T, 17, 2) that move evenly, so that every in-between is known."""
    return np.stack([100 + 50 * times, 200 - 30 * times], -1)[:, None].repeat(17, 1)


def test_filled_gaps_are_not_observed() -> None:
    times = np.arange(30) / 30
    points, scores = sliding(times), np.full((30, 17), 0.9)
    points[10:15, 9], scores[20:22, 9] = np.nan, 0.02
    sequence = resample_to_fps(track(points, scores), times, 30.0, "none")
    np.testing.assert_allclose(sequence.keypoints, sliding(times))
    expected = np.ones(30, bool)
    expected[10:15] = expected[20:22] = False
    np.testing.assert_array_equal(sequence.observed[:, 9], expected)
    assert sequence.observed[:, 8].all()


def test_a_keypoint_never_seen_stays_missing() -> None:
    times = np.arange(10) / 30
    points = sliding(times)
    points[:, 3] = np.nan
    sequence = resample_to_fps(track(points), times, 30.0, "savgol")
    assert np.isnan(sequence.keypoints[:, 3]).all()
    assert not sequence.observed[:, 3].any()
    assert np.isfinite(sequence.keypoints[:, 4]).all()


@pytest.mark.parametrize("rate", [12.0, 24.0, 50.0, 60.0, 240.0])
def test_any_frame_rate_becomes_the_lifters_and_comes_back(rate: float) -> None:
    times = 3.0 + np.arange(int(2 * rate)) / rate
    sequence = resample_to_fps(track(sliding(times)), times, 30.0, "none")
    np.testing.assert_allclose(np.diff(sequence.times_s), 1 / 30)
    inside = sequence.times_s <= times[-1]
    np.testing.assert_allclose(sequence.keypoints[inside], sliding(sequence.times_s[inside]))
    back = to_frame_times(sequence.keypoints, sequence.times_s, times)
    np.testing.assert_allclose(back, sliding(times), atol=1.0)
    assert back.shape == (len(times), 17, 2)


def test_variable_frame_times_are_respected() -> None:
    times = np.cumsum(np.where(np.arange(40) % 3, 0.02, 0.09))
    sequence = resample_to_fps(track(sliding(times)), times, 30.0, "none")
    inside = sequence.times_s <= times[-1]
    np.testing.assert_allclose(sequence.keypoints[inside], sliding(sequence.times_s[inside]))


def test_ntsc_is_not_resampled() -> None:
    times = np.arange(60) * 1001 / 30000
    sequence = resample_to_fps(track(sliding(times)), times, 30.0, "none")
    np.testing.assert_array_equal(sequence.times_s, times)


def test_one_frame_is_enough() -> None:
    times = np.array([0.5])
    sequence = resample_to_fps(track(sliding(times)), times, 30.0, "savgol")
    np.testing.assert_allclose(sequence.keypoints, sliding(times))


@pytest.mark.parametrize("method", ["savgol", "one-euro"])
def test_smoothing_reduces_jitter_and_keeps_movement(method: str) -> None:
    rng = np.random.default_rng(0)
    times = np.arange(120) / 30
    truth = (
        300
        + 80 * np.sin(2 * np.pi * 0.7 * times)[:, None, None]
        + np.linspace(0, 200, 17)[None, :, None]
    )
    truth = truth.repeat(2, 2)
    noisy = truth + rng.normal(0, 4, truth.shape)
    smoothed = smooth(noisy, 30.0, method)
    jitter = [np.abs(np.diff(values, 2, axis=0)).mean() for values in (noisy, smoothed)]
    assert jitter[1] < 0.5 * jitter[0]
    # one-euro is causal and lags by half a frame
    closeness = {"savgol": 0.7, "one-euro": 2.2}[method]
    assert np.abs(smoothed - truth).mean() < closeness * np.abs(noisy - truth).mean()
    assert np.ptp(smoothed[:, 0, 0]) > 0.85 * np.ptp(truth[:, 0, 0])


def test_no_smoothing_means_none() -> None:
    values = np.random.default_rng(0).normal(size=(20, 17, 2))
    np.testing.assert_array_equal(smooth(values, 30.0, "none"), values)


def test_times_may_be_given_and_end_at_the_last_frame() -> None:
    times = np.cumsum(np.where(np.arange(40) % 3, 0.02, 0.09))
    even = times[-1] - np.arange(20)[::-1] / 30
    sequence = resample_to_fps(track(sliding(times)), times, 30.0, "none", even)
    np.testing.assert_allclose(sequence.keypoints, sliding(even))


def test_equal_times_return_the_values_whichever_arrays_hold_them() -> None:
    times = np.arange(5) / 30
    values = np.arange(5.0)
    values[2] = np.nan
    np.testing.assert_array_equal(to_frame_times(values, times, times.copy()), values)


def test_one_euro_smooths_a_body_alike_whether_its_feet_are_seen() -> None:
    points = keypoints(with_feet(walking(60)), moving_root(60))
    points += np.random.default_rng(0).normal(0, 2, points.shape)
    unseen = points.copy()
    unseen[:, 17:] = np.nan
    both, body = (smooth(values, 30.0, "one-euro") for values in (points, unseen))
    np.testing.assert_array_equal(both[:, :17], body[:, :17])
    assert np.abs(body[:, :17] - points[:, :17]).max() > 1


@pytest.mark.parametrize("samples", [3, 4, 9, 40])
def test_savgol_is_scipys_filter_up_to_both_ends(samples: int) -> None:
    values = np.random.default_rng(0).normal(size=(samples, 2, 3))
    window = min(9, samples - 1 + samples % 2)
    expected = savgol_filter(values, window, 2, axis=0)
    assert np.allclose(smooth(values, 30.0, "savgol"), expected, atol=1e-12)
