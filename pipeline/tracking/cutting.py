"""Cutting of tracklets where they may have passed from one person to another.

Where people meet, the detector's region of one may stay on the other: the tracklet goes on, its
person does not. Motion tells: it goes on otherwise than before. What goes before and after such a
moment are pieces, and linking decides which pieces are one person's, all of them together. A piece
is linked to the next of its own tracklet unless others fit better, so that someone alone who turns
or leaps stays whole.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.lazy_scipy import ndimage
from core.types import Floats
from pipeline.results.detections import DetectionSequence
from pipeline.tracking.motion import KalmanState, motion_cost
from pipeline.tracking.tracklet import Observation, Tracklet

_BLEND_S = 0.13
"""On both sides of a cut, frames in which the keypoints may be of both people."""
_MIN_PIECE_S = 0.5
_MIN_COST = -4.5
"""The cost of the motion across a moment from which a tracklet is cut there; where it goes on as it
was, it costs -5. Chosen on filmed crowds."""
_STATURE_S = 0.5  # window of the median filter of statures


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a tracklet.

    tracklet: The part; begins, ends: what tells most of how it does, the whole tracklet where that
    begins or ends with it; goes_on: the next part of the same tracklet, None for its last; between:
    (M, 2) the rows between both, as `Tracklet.rows`.
    """

    tracklet: Tracklet
    begins: Tracklet
    ends: Tracklet
    goes_on: Tracklet | None
    between: NDArray[np.int32]


def cut_tracklets(tracklets: list[Tracklet], detections: DetectionSequence) -> list[Piece]:
    """Cut tracklets where their motion does not go on as before.

    Args:
        tracklets: All tracklets of a shot.
        detections: Those to which `Tracklet.rows` refers.

    Returns:
        Their pieces, by first frame; a tracklet without others is one piece.
    """
    pieces = []
    for tracklet in tracklets:
        cuts = _cuts(tracklet, detections) if len(tracklets) > 1 else []
        pieces += _pieces(tracklet, cuts, detections)
    return sorted(pieces, key=lambda piece: piece.tracklet.first.frame)


def _pieces(tracklet: Tracklet, cuts: list[int], detections: DetectionSequence) -> list[Piece]:
    """The pieces of a tracklet that is cut before the rows with these indices."""
    if not cuts:
        return [Piece(tracklet, tracklet, tracklet, None, tracklet.rows[:0])]
    rows, blend = tracklet.rows, _frames(_BLEND_S, tracklet.fps)
    starts = [0, *(cut + blend - 1 for cut in cuts)]
    stops = [*(cut - blend + 1 for cut in cuts), len(rows)]
    parts = [
        _part(rows[start:stop], detections, tracklet)
        for start, stop in zip(starts, stops, strict=True)
    ]
    return [
        Piece(
            part,
            tracklet if part is parts[0] else part,
            tracklet if part is parts[-1] else part,
            after,
            rows[stop:start],
        )
        for part, after, stop, start in zip(
            parts, [*parts[1:], None], stops, [*starts[1:], len(rows)], strict=True
        )
    ]


def _part(rows: NDArray[np.int32], detections: DetectionSequence, of: Tracklet) -> Tracklet:
    """A tracklet with some of the rows of another."""
    observations = (Observation.of(detections[index], row) for index, row in rows)
    part = Tracklet(of.number, next(observations), of.fps)
    for observation in observations:
        part.update(observation)
    for index, row in rows.tolist():
        part.append_row(index, row)
    return part


def _cuts(tracklet: Tracklet, detections: DetectionSequence) -> list[int]:
    """Where a tracklet is cut, as indices of its rows: where the motion's cost has its peaks."""
    apart = _frames(_MIN_PIECE_S, tracklet.fps)
    costs = _motion_costs(tracklet, detections)
    cuts: list[int] = []
    for index in np.argsort(-costs, kind="stable").tolist():
        if costs[index] < _MIN_COST:
            break
        if all(abs(index - cut) >= apart for cut in cuts):
            cuts.append(index)
    return sorted(cuts)


def _motion_costs(tracklet: Tracklet, detections: DetectionSequence) -> Floats:
    """What it costs that the motion before a row of a tracklet goes on as that after it.

    The motion on both sides is estimated by the Kalman filter, forwards and backwards in time, up
    to `_BLEND_S` from the row; see `motion_cost`.

    Returns:
        (T,), -∞ near both ends.
    """
    rows, fps, blend = tracklet.rows, tracklet.fps, _frames(_BLEND_S, tracklet.fps)
    costs = np.full(len(rows), -np.inf)
    margin = _frames(_MIN_PIECE_S, fps)
    if len(rows) < 2 * margin:
        return costs
    position, stature, frame = np.zeros((len(rows), 2)), np.zeros(len(rows)), np.zeros(len(rows))
    for i, (index, row) in enumerate(rows):
        seen = Observation.of(detections[index], row)
        position[i], stature[i], frame[i] = seen.position, seen.stature, seen.frame
    stature = ndimage.median_filter(stature, _frames(_STATURE_S, fps))
    seconds = np.diff(frame, prepend=frame[0]) / fps
    # Forwards: x, v (T, 2) and P (T, 2, 2) of each row.
    velocity, covariance, mean = np.zeros_like(position), np.zeros((len(rows), 2, 2)), position * 0
    state = KalmanState.initial(position[0], stature[0])
    for i in range(len(rows)):
        if i:
            state = state.predict(seconds[i], stature[i]).update(position[i], stature[i])
        mean[i], velocity[i], covariance[i] = state.position, state.velocity, state.covariance
    # Backwards, and both compared.
    state = KalmanState.initial(position[-1], stature[-1])
    for after in range(len(rows) - 1, 0, -1):
        if after < len(rows) - 1:
            state = state.predict(seconds[after + 1], stature[after])
            state = state.update(position[after], stature[after])
        cut, before = after - blend + 1, after - 2 * blend + 1
        if margin <= cut < len(rows) - margin:
            forward = KalmanState(mean[before], velocity[before], covariance[before])
            gap = (frame[after] - frame[before]) / fps
            costs[cut] = motion_cost(forward, state.time_reversed(), gap, stature[cut])
    return costs


def _frames(seconds: float, fps: float) -> int:
    return max(round(seconds * fps), 1)
