"""What was corrected by hand, in a track's keypoints: sides and points.

A detector that puts a wrist on a table does so for a while, and a filter in time would smooth a
single corrected frame away. So a corrected point moves its neighbours along: with d_i how far the
keypoint is moved in the corrected frame t_i, all others move by the piecewise linear function that
is d_i at t_i, and 0 where no corrected frame of that keypoint is nearer than `FADE_S`.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_21
from core.types import Floats, LifterInput, Track
from lifter.side_swaps import MIN_SCORE
from pipeline.results.detections import Marks

FADE_S = 0.2
"""How far in time a corrected point moves its neighbours."""


def with_marks(track: Track, marks: Marks) -> Track:
    """Exchange sides; put points where the detector saw none, that the gap is filled from them.

    Args:
        track: One person, T rows, of COCO-21.
        marks: What was corrected of them.

    Returns:
        The track; the detector's 3D, which is of another pose, is NaN in frames that are corrected.
    """
    keypoints, scores = track.keypoints_xy.copy(), track.keypoint_scores.copy()
    swapped = marks.swapped[track.frame_indices]
    keypoints = np.where(swapped[..., None], keypoints[:, COCO_21.flip_order], keypoints)
    scores = np.where(swapped, scores[:, COCO_21.flip_order], scores)
    is_corrected = np.asarray(swapped.any(1))
    rows = {frame: row for row, frame in enumerate(track.frame_indices.tolist())}
    for (frame, keypoint), position in marks.points.items():
        row = rows.get(frame)
        if row is None:
            continue
        is_corrected[row] = True
        if not scores[row, keypoint] >= MIN_SCORE or np.isnan(keypoints[row, keypoint]).any():
            keypoints[row, keypoint], scores[row, keypoint] = position, 1.0
    points_3d = np.where(is_corrected[:, None, None], np.nan, track.keypoints_3d)
    return replace(track, keypoints_xy=keypoints, keypoint_scores=scores, keypoints_3d=points_3d)


def with_points(
    sequence: LifterInput, marks: Marks, frame_indices: NDArray[np.int64], frame_times: Floats
) -> LifterInput:
    """Move keypoints, after all filters, to where they were corrected to; these count as sure.

    Args:
        sequence: One person at the lifter's frame rate, as from `with_marks`.
        marks: What was corrected of them.
        frame_indices: (T,) frames of the video in which they have a row.
        frame_times: (T,) seconds of these.
    """
    seconds = dict(zip(frame_indices.tolist(), frame_times.tolist(), strict=True))
    keypoints, scores = sequence.keypoints.copy(), sequence.scores.copy()
    by_keypoint: dict[int, dict[float, tuple[float, float]]] = {}
    for (frame, keypoint), position in marks.points.items():
        if frame in seconds:
            by_keypoint.setdefault(keypoint, {})[seconds[frame]] = position
    for keypoint, points in by_keypoint.items():
        times, wanted = np.array(sorted(points)), np.array([points[t] for t in sorted(points)])
        own = keypoints[:, keypoint]
        moved = wanted - _at(times, sequence.times_s, own)
        keypoints[:, keypoint] = own + _at(
            sequence.times_s, *_faded(times, moved, 1 / sequence.fps)
        )
        near = np.abs(sequence.times_s[:, None] - times).min(1) < 1 / sequence.fps
        scores[near, keypoint] = 1.0
    return replace(sequence, keypoints=keypoints, scores=scores)


def _faded(times: Floats, moved: Floats, held_s: float) -> tuple[Floats, Floats]:
    """The nodes (N,), (N, 2) of the piecewise linear function of the module's docstring.

    It begins to fall `held_s` from a corrected frame, so that samples on either side have all of
    it where the video's times are not the lifter's.
    """
    is_alone = np.diff(times) > 2 * FADE_S
    before, after = np.r_[True, is_alone], np.r_[is_alone, True]
    ends = np.concatenate([times[before] - FADE_S, times[after] + FADE_S])
    held = np.concatenate([times[before] - held_s, times[after] + held_s])
    nodes = np.concatenate([times, held, ends])
    values = np.concatenate([moved, moved[before], moved[after], np.zeros((len(ends), 2))])
    order = np.argsort(nodes, kind="stable")
    return nodes[order], values[order]


def _at(times: Floats, nodes: Floats, values: Floats) -> Floats:
    """(N, 2) values (M, 2) at nodes (M,), interpolated to times (N,)."""
    return np.stack([np.interp(times, nodes, column) for column in values.T], 1)
