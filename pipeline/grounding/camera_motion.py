"""How a moving camera travels, from feet: what resting feet seem to do, the camera does.

Only level travel is estimated, and as if the camera did not turn: a camera that pans with a walker
and one that travels beside them see nearly the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.lazy_scipy import ndimage
from core.types import Floats
from pipeline.grounding.person_motion import PersonMotion

_KERNEL_S = 0.15  # hands and gimbals do not change a camera's velocity faster
_LOWER_FOOT_M = 0.04  # a foot this much above the other one weighs 1 / e of it
_UNSEEN_WEIGHT = 1e-6  # of a foot that is not seen: counts only where there is no other
_OUTLIER_M_S = 0.5  # width of the robust weight: feet that move otherwise do not rest
_ITERATIONS = 4


@dataclass(frozen=True)
class CameraPath:
    """Where a camera is: offset_m (L, 3) in its axes, one row a frame of the video from `first` on.

    Offsets are relative to the camera's position in frame `first`.
    """

    first: int
    offset_m: Floats

    def as_static(self, motion: PersonMotion) -> PersonMotion:
        """The motion as a camera would see it that stays where it is in frame `first`."""
        poses = motion.poses
        rows = np.clip(motion.frames - self.first, 0, len(self.offset_m) - 1)
        return replace(motion, poses=replace(poses, root_m=poses.root_m + self.offset_m[rows]))


def estimate_camera_path(motions: Iterable[PersonMotion], up: Floats, fps: float) -> CameraPath:
    """Estimate the level travel of a camera.

    Args:
        motions: All people, without unknown rows.
        up: (3,) unit vector in camera axes.
        fps: Frames a second.

    Returns:
        The path; of one frame, at rest, if no person has two rows.
    """
    level = np.eye(3) - np.outer(up, up)  # projects onto the plane across up
    frames, velocities, weights = [], [], []
    for motion in motions:
        if len(motion.frames) < 2:
            continue
        points = motion.soles_m
        velocity = np.gradient(points, motion.frames / fps, axis=0) @ level
        heights = points @ up
        # The lower foot is the likelier one to rest.
        lower = np.exp(-(heights - heights.min(1, keepdims=True)) / _LOWER_FOOT_M)
        frames.append(np.repeat(motion.frames, points.shape[1]))
        velocities.append(velocity.reshape(-1, 3))
        weights.append(np.where(motion.soles_seen, lower, _UNSEEN_WEIGHT).ravel())
    if not frames:
        return CameraPath(0, np.zeros((1, 3)))
    every = np.concatenate(frames)
    first = int(every.min())
    length = int(np.ptp(every)) + 1
    velocity = _consensus_velocity(
        every - first, np.concatenate(velocities), np.concatenate(weights), length, fps
    )
    offset = np.cumsum(velocity, axis=0) / fps
    return CameraPath(first, offset - offset[0])


def _consensus_velocity(
    frames: NDArray[np.int64], velocities: Floats, weights: Floats, length: int, fps: float
) -> Floats:
    """Estimate the camera's velocity (length, 3) m/s as the one that leaves most feet at rest.

    Robust local regression by iteratively reweighted least squares. A foot that rests has the
    apparent velocity v_i = -c, where c is the camera's. With prior weights p_i, a Gaussian kernel g
    and the loss ρ of Geman and McClure (1987), for each frame t

        c(t) = argmin_c Σ_i p_i g(t - t_i) ρ(|v_i + c| / s)

    solved by repeating c(t) = -Σ_i g(t - t_i) w_i v_i / Σ_i g(t - t_i) w_i with
    w_i = p_i / (1 + (|v_i + c(t_i)| / s)²)², from w_i = p_i.

    Args:
        frames: (M,) t_i, rows of the result.
        velocities: (M, 3) v_i, m/s in camera axes.
        weights: (M,) p_i.
        length: Frames of the result.
        fps: Frames a second.
    """
    robust = weights  # w
    velocity = np.zeros((length, 3))  # c
    for _ in range(_ITERATIONS):
        # Σ w v and Σ w of each frame, in one array, then both smoothed by g.
        sums = np.zeros((length, 4))
        terms = robust[:, None] * np.column_stack([velocities, np.ones(len(frames))])
        np.add.at(sums, frames, terms)
        sums = ndimage.gaussian_filter1d(
            sums, _KERNEL_S * fps, axis=0, mode="constant", truncate=20.0
        )
        velocity = -sums[:, :3] / np.maximum(sums[:, 3:], 1e-12)
        residual = np.linalg.norm(velocities + velocity[frames], axis=-1) / _OUTLIER_M_S
        robust = weights / (1 + residual**2) ** 2
    return velocity
