"""What several views of the same people say, and what comes of it: the words of this room.

All views lie on one clock: a view's times are those of the shared frames, whatever its own rate.
The shared axes are the camera axes of the first view, so that its people go through grounding,
results and pictures like those of one camera. T frames, K keypoints, J joints, V views.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.skeletons import Skeleton
from core.types import CameraPoses, Floats, Intrinsics, check_shape


@dataclass(frozen=True)
class Sighting:
    """One track of one view, at shared frames.

    frames (T,) strictly rising indices of shared frames; keypoints_xy (T, K, 2) px, NaN where not
    seen; scores (T, K) in 0…1, 0 where a keypoint is filled in or never seen; poses what was lifted
    from this view alone, in its camera axes, T rows.
    """

    track_id: int
    frames: NDArray[np.int64]
    keypoints_xy: Floats
    scores: Floats
    keypoint_skeleton: Skeleton
    poses: CameraPoses

    def __post_init__(self) -> None:
        count, keypoints = len(self.frames), len(self.keypoint_skeleton)
        check_shape("Sighting.frames", self.frames, (count,))
        check_shape("Sighting.keypoints_xy", self.keypoints_xy, (count, keypoints, 2))
        check_shape("Sighting.scores", self.scores, (count, keypoints))
        check_shape("Sighting.poses.joints_m", self.poses.joints_m, (count, None, 3))
        if np.any(np.diff(self.frames) <= 0):
            raise ValueError(f"Sighting {self.track_id}: frames must rise strictly")

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True)
class View:
    """One video: its name for messages, its size in px, its lens as far as known, its tracks."""

    name: str
    width: int
    height: int
    intrinsics: Intrinsics
    sightings: tuple[Sighting, ...]


@dataclass(frozen=True)
class Camera:
    """A calibrated camera: x_camera = rotation x + translation, then lens.

    rotation (3, 3) and translation (3,) metres, from the shared axes to this camera's; distortion
    (4,) k1, k2, p1, p2 of Brown and Conrady's model as OpenCV has it; size (width, height) px.
    """

    name: str
    size: tuple[int, int]
    intrinsics: Intrinsics
    rotation: Floats
    translation: Floats
    distortion: Floats = field(default_factory=lambda: np.zeros(4))

    def __post_init__(self) -> None:
        check_shape("Camera.rotation", self.rotation, (3, 3))
        check_shape("Camera.translation", self.translation, (3,))
        check_shape("Camera.distortion", self.distortion, (4,))

    @property
    def position(self) -> Floats:
        """(3,) metres, the camera's centre in the shared axes."""
        return np.asarray(-self.rotation.T @ self.translation)


@dataclass(frozen=True)
class MatchedPerson:
    """A person and their tracks in each view.

    person_id from 1, in the order of the first view's tracks, then of the second's, …; track_ids V
    tuples of the tracks, which may be several in a view (lost and found again) or none; lengths_m
    (groups,) metres of `adjustment.bodies.body_links`.
    """

    person_id: int
    track_ids: tuple[tuple[int, ...], ...]
    lengths_m: Floats


@dataclass(frozen=True)
class Calibration:
    """Cameras found or given, who is who, and how well it fits.

    residual_px: (V,) the median distance of keypoints from the joints' images in each view;
    focal_sigma (V,), position_sigma_m (V,): one standard deviation of focal lengths, as a share of
    them, and of positions in the axes of the first camera, 0 where they are given; doubts: what
    cannot be relied on, a line each, for the report's warnings.
    """

    cameras: tuple[Camera, ...]
    people: tuple[MatchedPerson, ...]
    residual_px: Floats
    focal_sigma: Floats
    position_sigma_m: Floats
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class FusedPerson:
    """One person from all views, in the first view's camera axes.

    frames (T,) shared frames in which any view has the person; poses T rows.
    """

    frames: NDArray[np.int64]
    poses: CameraPoses
