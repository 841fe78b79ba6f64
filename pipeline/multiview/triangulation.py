"""Joints of all views: the objective of `bundle` with cameras and lengths that are known."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.runs import consecutive_runs
from core.types import CameraPoses, Floats
from pipeline.lifting.options import Smoothing
from pipeline.lifting.resampling import smooth
from pipeline.multiview.adjustment.bodies import body_links, body_of
from pipeline.multiview.adjustment.bundle import adjust, covariances
from pipeline.multiview.adjustment.problem import Problem, free_unknowns
from pipeline.multiview.adjustment.sides import with_sides_corrected
from pipeline.multiview.adjustment.start import start_from
from pipeline.multiview.adjustment.steadiness import steadiness
from pipeline.multiview.scene import Calibration, Camera, FusedPerson, MatchedPerson, Sighting

_WIDTHS = (8.0, 4.0, 3.0)
_CHUNK = 200  # frames that are solved at once
_RADIUS = 1.4  # 68 % radius of a joint's error over the root of its covariance's trace
_SHARED_M = 0.05  # of errors that all views have alike: where one detector and lifter put a joint


def triangulate(
    calibration: Calibration,
    person: MatchedPerson,
    sightings: Sequence[Sequence[Sighting]],
    fps: float,
    smoothing: Smoothing = "savgol",
) -> FusedPerson:
    """Joints of one person from all views that have them.

    Args:
        calibration: The cameras.
        person: Who, with the lengths of their bones.
        sightings: Of each view, the person's tracks; memory grows with their length.
        fps: Of the shared frames.
        smoothing: Of joints over time.

    Returns:
        A row for every shared frame in which any view has the person.
    """
    frames = np.unique(np.concatenate([track.frames for tracks in sightings for track in tracks]))
    skeleton = next(track for tracks in sightings for track in tracks).poses.skeleton
    steady = steadiness(sightings, calibration.cameras, fps)
    parts = [
        _solved(frames[start : start + _CHUNK], sightings, calibration.cameras, person, steady)
        for start in range(0, len(frames), _CHUNK)
    ]
    joints, sigma = (np.concatenate(values) for values in zip(*parts, strict=True))
    for start, stop in consecutive_runs(frames):
        joints[start:stop] = smooth(joints[start:stop], fps, smoothing)
    root = joints[:, 0]
    poses = CameraPoses(joints - root[:, None], root, skeleton, sigma)
    return FusedPerson(frames, poses)


def _solved(
    frames: NDArray[np.int64],
    sightings: Sequence[Sequence[Sighting]],
    cameras: Sequence[Camera],
    person: MatchedPerson,
    steady: Floats,
) -> tuple[Floats, Floats]:
    """Joints (T, J, 3) and their σ (T, J) of some frames."""
    skeleton = next(track for tracks in sightings for track in tracks).poses.skeleton
    links = body_links(skeleton)
    body, lifted = body_of(sightings, frames, cameras, skeleton)
    body = replace(
        body,
        point_weights=steady[:, None, None] ** 2 * body.point_weights,
        log_lengths=np.log(person.lengths_m),
    )
    state = start_from(cameras, [body], [lifted])
    free = free_unknowns(len(cameras), links.lengths, False, [False] * len(cameras), bones=False)
    problem = Problem([body], links, state.log_focals, free)
    for width in _WIDTHS:
        body = with_sides_corrected(body, state, 0, skeleton, width)
        problem = replace(problem, bodies=[body])
        state = adjust(problem, state, (width,))
    joints = state.joints[0]
    covariance = covariances(problem, state, _WIDTHS[-1])[0]
    own = np.einsum("tjjii->tj", covariance)
    cross = np.einsum("tjii->tj", covariance[:, :, 0])
    trace = own + own[:, :1] - 2 * cross
    sigma = np.hypot(_RADIUS * np.sqrt(trace.clip(0)), _SHARED_M)
    sigma[:, 0] = 0.0
    return joints, sigma
