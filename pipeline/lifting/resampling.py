"""A track's keypoints → the lifter's even clock and back: sides, gaps, frame rate, smoothing."""

from dataclasses import replace
from typing import Literal

import numpy as np

from core.types import Floats, LifterInput, Track
from lifter.side_swaps import settle_sides
from pipeline.lifting.one_euro import OneEuro

Smoothing = Literal["none", "savgol", "one-euro"]
SMOOTHINGS: tuple[Smoothing, ...] = ("none", "savgol", "one-euro")

MIN_SCORE = 0.1
"""Below it a keypoint counts as not seen: BlazePose places points that are out of the picture, at scores near 0."""

_SAME_RATE = (
    0.02  # rates this close, 29.97 and 30 say, are taken as equal rather than blurred by resampling
)
_SAVGOL_S = 0.25


def to_lifter_clock(
    track: Track, frame_times: Floats, fps: float, smoothing: Smoothing, times: Floats | None = None
) -> LifterInput:
    """Fill gaps, smooth, and resample a track to `fps`, or to `times`, which tick at it.

    `frame_times` (T,) seconds are those of the track's rows. Keypoints between two sightings are interpolated, before
    the first and after the last held; their score is 0. A keypoint that is never seen stays NaN.
    """
    seen = (track.keypoint_scores >= MIN_SCORE) & ~np.isnan(track.keypoints_xy[..., 0])
    times = even_times(frame_times, fps) if times is None else times
    keypoints = np.full((len(times), *track.keypoints_xy.shape[1:]), np.nan)
    scores = np.zeros(keypoints.shape[:2])
    for k in range(keypoints.shape[1]):
        rows = seen[:, k]
        if not rows.any():
            continue
        own_times, own_xy = frame_times[rows], track.keypoints_xy[rows, k]
        for axis in range(2):
            keypoints[:, k, axis] = np.interp(times, own_times, own_xy[:, axis])
        filled = (
            np.interp(times, frame_times, rows.astype(float)) < 0.99
        )  # beside a missing frame means missing
        scores[:, k] = np.where(
            filled, 0.0, np.interp(times, own_times, track.keypoint_scores[rows, k])
        )
    points_3d = to_frame_times(track.keypoints_3d, frame_times, times)
    return LifterInput(
        times, smooth(keypoints, fps, smoothing), scores, points_3d, fps, track.skeleton
    )


def settled(track: Track, frame_times: Floats) -> Track:
    """The track with its left and right as they are (`lifter.side_swaps`); `frame_times` (T,) seconds are of its rows."""
    keypoints, scores, points_3d = settle_sides(
        track.keypoints_xy, track.keypoint_scores, track.keypoints_3d, frame_times, MIN_SCORE
    )
    return replace(track, keypoints_xy=keypoints, keypoint_scores=scores, keypoints_3d=points_3d)


def even_times(frame_times: Floats, fps: float) -> Floats:
    """The lifter's clock over a track: `frame_times` themselves where they tick at `fps`, else even steps."""
    steps = np.diff(frame_times)
    if not len(steps) or np.all(np.abs(steps * fps - 1) < _SAME_RATE):
        return frame_times
    return np.arange(frame_times[0], frame_times[-1] + 1 / fps, 1 / fps)


def to_frame_times(values: Floats, times: Floats, frame_times: Floats) -> Floats:
    """(T, …) on the lifter's clock → (T', …) at the frames' own times, linear in between."""
    if times is frame_times:
        return values
    flat = values.reshape(len(values), -1)
    columns = [np.interp(frame_times, times, column) for column in flat.T]
    return np.stack(columns, 1).reshape(len(frame_times), *values.shape[1:])


def smooth(values: Floats, fps: float, smoothing: Smoothing) -> Floats:
    """(T, …) evenly sampled positions, with less tremble; NaN stays NaN.

    `savgol` fits a parabola to a quarter of a second around each frame and does not lag; `one-euro` (Casiez et al.,
    CHI 2012) looks only back, as a live camera must.
    """
    if smoothing == "savgol":
        from scipy.signal import (
            savgol_filter,
        )  # here, because it takes longer to load than the whole command line

        window = min(2 * round(_SAVGOL_S * fps / 2) + 1, len(values) - 1 + len(values) % 2)
        if window < 3:
            return values
        missing = np.isnan(values)  # whole columns: gaps are filled before
        return np.where(
            missing, np.nan, savgol_filter(np.where(missing, 0.0, values), window, 2, axis=0)
        )
    return _one_euro(values, fps) if smoothing == "one-euro" else values


def _one_euro(values: Floats, fps: float) -> Floats:
    height = np.nanmax(
        np.ptp(values.reshape(len(values), -1, values.shape[-1]), axis=1), initial=1e-9
    )
    filtered = OneEuro()
    return np.stack([filtered(sample, 1 / fps, height) for sample in values])
