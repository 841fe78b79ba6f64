"""A track's keypoints on the lifter's even times and back: sides, gaps, frame rate, smoothing."""

from dataclasses import replace

import numpy as np

from core.lazy_scipy import ndimage
from core.skeletons import COCO_17
from core.types import Floats, LifterInput, Track
from lifter.side_swaps import MIN_SCORE, correct_side_swaps
from pipeline.lifting.one_euro import OneEuro
from pipeline.lifting.options import Smoothing

_SAME_RATE = 0.02  # rates this close, 29.97 and 30 say, are equal: resampling would only blur
_SAVGOL_S = 0.25  # window of the Savitzky-Golay filter
_SAVGOL_ORDER = 2


def resample_to_fps(
    track: Track, frame_times: Floats, fps: float, smoothing: Smoothing, times: Floats | None = None
) -> LifterInput:
    """Fill gaps, smooth, and resample a track's keypoints.

    Keypoints between two observations are interpolated, before the first and after the last they
    are held; their score is 0. A keypoint that is never observed stays NaN.

    Args:
        track: One person, T rows.
        frame_times: (T,) seconds of the track's rows.
        fps: The lifter's frame rate.
        smoothing: How the resampled keypoints are smoothed.
        times: (T',) seconds to resample to, evenly spaced at `fps`; by default `even_times`.

    Returns:
        The lifter's input at T' times.
    """
    observed = (track.keypoint_scores >= MIN_SCORE) & ~np.isnan(track.keypoints_xy[..., 0])
    times = even_times(frame_times, fps) if times is None else times
    keypoints = np.full((len(times), *track.keypoints_xy.shape[1:]), np.nan)
    scores = np.zeros(keypoints.shape[:2])
    whole = observed.all(0)
    keypoints[:, whole] = _interpolated(track.keypoints_xy[:, whole], frame_times, times)
    scores[:, whole] = _interpolated(track.keypoint_scores[:, whole], frame_times, times)
    for k in np.flatnonzero(observed.any(0) & ~whole):
        rows = observed[:, k]
        own_times, own_xy = frame_times[rows], track.keypoints_xy[rows, k]
        for axis in range(2):
            keypoints[:, k, axis] = np.interp(times, own_times, own_xy[:, axis])
        # Observed only where both neighbouring frames are
        filled = np.interp(times, frame_times, rows.astype(float)) < 0.99
        own_scores = np.interp(times, own_times, track.keypoint_scores[rows, k])
        scores[:, k] = np.where(filled, 0.0, own_scores)
    points_3d = to_frame_times(track.keypoints_3d, frame_times, times)
    smoothed = smooth(keypoints, fps, smoothing)
    return LifterInput(times, smoothed, scores, points_3d, fps, track.skeleton)


def _interpolated(values: Floats, times: Floats, new_times: Floats) -> Floats:
    """`np.interp` of values (T, …) at once, to the bit."""
    if times is new_times or len(times) == 1:
        return np.broadcast_to(values, (len(new_times), *values.shape[1:]))
    before = np.searchsorted(times[1:-1], new_times, side="right")
    values = values.astype(np.float64)
    at = (slice(None), *[None] * (values.ndim - 1))
    slopes = np.diff(values, axis=0) / np.diff(times)[at]
    since = np.maximum(new_times - times[before], 0.0)
    interpolated = slopes[before] * since[at] + values[before]
    interpolated[new_times >= times[-1]] = values[-1]
    return np.asarray(interpolated)


def with_side_swaps_corrected(track: Track, frame_times: Floats) -> Track:
    """Correct a track's left and right (`lifter.side_swaps`); `frame_times` (T,) are its rows'."""
    keypoints, scores, points_3d = correct_side_swaps(
        track.keypoints_xy, track.keypoint_scores, track.keypoints_3d, frame_times
    )
    return replace(track, keypoints_xy=keypoints, keypoint_scores=scores, keypoints_3d=points_3d)


def even_times(frame_times: Floats, fps: float) -> Floats:
    """The lifter's times over a track.

    Args:
        frame_times: (T,) seconds, rising.
        fps: The lifter's frame rate.

    Returns:
        `frame_times` where they are spaced at `fps`, else even times from the first to the last.
    """
    intervals = np.diff(frame_times)
    if not len(intervals) or np.all(np.abs(intervals * fps - 1) < _SAME_RATE):
        return frame_times
    return np.arange(frame_times[0], frame_times[-1] + 1 / fps, 1 / fps)


def to_frame_times(values: Floats, times: Floats, frame_times: Floats) -> Floats:
    """Interpolate linearly from one set of times to another.

    Args:
        values: (T, …) values at `times`; NaN spreads to the times between.
        times: (T,) seconds, rising.
        frame_times: (T',) seconds.

    Returns:
        (T', …) values at `frame_times`; `values` themselves where the times are equal.
    """
    if np.array_equal(times, frame_times):
        return values
    flat = values.reshape(len(values), -1)
    columns = [np.interp(frame_times, times, column) for column in flat.T]
    return np.stack(columns, 1).reshape(len(frame_times), *values.shape[1:])


def smooth(values: Floats, fps: float, smoothing: Smoothing) -> Floats:
    """Reduce jitter of evenly sampled positions.

    `savgol` fits a parabola by least squares to a quarter of a second around each sample (Savitzky
    and Golay, Analytical Chemistry, 1964) and does not lag. `one-euro` is causal, as a live source
    needs it (`pipeline.lifting.one_euro`).

    Args:
        values: (T, …, 2 or 3) positions of one person; NaN throughout a column = missing.
        fps: Samples per second.
        smoothing: The filter, or `none`.

    Returns:
        Smoothed positions of the same shape; NaN stays NaN.
    """
    if smoothing == "savgol":
        return _savgol(values, fps)
    return _one_euro(values, fps) if smoothing == "one-euro" else values


def _savgol(values: Floats, fps: float) -> Floats:
    """Savitzky-Golay over axis 0; sequences too short for it stay as they are."""
    # Odd, and no longer than the sequence
    window = min(2 * round(_SAVGOL_S * fps / 2) + 1, len(values) - 1 + len(values) % 2)
    if window <= _SAVGOL_ORDER:
        return values
    missing = np.isnan(values)
    filled = np.where(missing, 0.0, values)  # columns are independent
    # H = A A⁺, A the powers of time: H y is the parabola of least squares through a window y.
    half = window // 2
    powers = np.vander(np.arange(-half, half + 1.0), _SAVGOL_ORDER + 1)
    fitted = powers @ np.linalg.pinv(powers)
    smoothed = ndimage.correlate1d(filled, fitted[half], axis=0)
    smoothed[:half] = np.tensordot(fitted[:half], filled[:window], 1)
    smoothed[-half:] = np.tensordot(fitted[half + 1 :], filled[-window:], 1)
    return np.where(missing, np.nan, smoothed)


def _one_euro(values: Floats, fps: float) -> Floats:
    """One-Euro over axis 0; the largest extent of the body, but its feet, is the height."""
    points = values.reshape(len(values), -1, values.shape[-1])[:, : len(COCO_17)]
    height = np.nanmax(np.ptp(points, axis=1), initial=1e-9)
    filtered = OneEuro()
    return np.stack([filtered(sample, 1 / fps, height) for sample in values])
