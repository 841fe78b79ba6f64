"""How far each view's keypoints of a person can be believed, from how they jump.

All views see the same motion, so what jumps far more in one of them than in another is error. With
a_v the root mean square of u(t - h) - 2 u(t) + u(t + h) over keypoints u of view v in metres at the
person, the variance of its keypoints is σ_k² + max(0, a_v² - 3 min a²): more of a motion may be
across one line of sight than across another.
"""

from collections.abc import Sequence

import numpy as np

from core.types import Floats
from lifter.reprojection import LIMBS_IN
from pipeline.multiview.adjustment.terms import KEYPOINT_M
from pipeline.multiview.scene import Camera, Sighting
from pipeline.multiview.shared_frames import CHOSEN_HZ

_MOTION = 3.0  # as a multiple of the least mean square: what may be motion


def steadiness(
    sightings: Sequence[Sequence[Sighting]], cameras: Sequence[Camera], fps: float
) -> Floats:
    """How sure keypoints of one person are in each view.

    Args:
        sightings: Of each view, the person's tracks.
        cameras: (V,) as far as known; only focal lengths are used.
        fps: Of the shared frames.

    Returns:
        (V,) σ_k over the standard deviation of the view's keypoints, 1 for the steadiest.
    """
    lag = max(1, int(fps / CHOSEN_HZ))
    squared = np.array([
        _mean([_squared_jumps(track, camera, lag) for track in tracks])
        for tracks, camera in zip(sightings, cameras, strict=True)
    ])  # fmt: skip
    excess = np.nan_to_num(squared - _MOTION * np.fmin.reduce(squared)).clip(0)
    return np.asarray(KEYPOINT_M / np.sqrt(KEYPOINT_M**2 + excess))


def _mean(values: Sequence[Floats]) -> float:
    every = np.concatenate([np.zeros(0), *values])
    return float(every.mean()) if len(every) else np.nan


def _squared_jumps(track: Sighting, camera: Camera, lag: int) -> Floats:
    """|u(t - h) - 2 u(t) + u(t + h)|² of the limbs' keypoints, seen in the three frames, m²."""
    wanted = track.frames[:, None] + [-lag, 0, lag]
    rows = np.searchsorted(track.frames, wanted).clip(max=len(track) - 1)
    rows = rows[(track.frames[rows] == wanted).all(1)]
    points = track.keypoints_xy[:, LIMBS_IN][rows] / camera.intrinsics.fx
    points = points * track.poses.root_m[rows[:, 1], 2][:, None, None, None]
    jumps = points[:, 0] - 2 * points[:, 1] + points[:, 2]
    is_seen = (track.scores[:, LIMBS_IN][rows] > 0).all(1) & np.isfinite(jumps).all(-1)
    return np.asarray((jumps[is_seen] ** 2).sum(-1))
