"""The words the rooms speak: frozen dataclasses whose shapes are checked when they are made.

T frames, N people, K keypoints, J joints. Pixels have x right, y down and (0, 0) at the top left
corner of the top left pixel. Camera axes are x right, y down, z forward; world axes have z up with
the floor at 0; both in metres. Left and right are the person's. Missing is NaN, never 0.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.skeletons import Skeleton

Array = NDArray[Any]
"""Of any type."""
Floats = NDArray[np.floating[Any]]
"""Of any precision."""
Picture = NDArray[np.uint8]
"""(H, W, 3) RGB."""

MAX_PX = 1e6
"""Coordinates beyond are missing: some programs write such numbers for what they did not find."""


def check_shape(name: str, array: Array, expected: tuple[int | None, ...]) -> None:
    """Check an array's shape.

    Args:
        name: What the message calls the array.
        array: The array.
        expected: The length of each axis, None for any.

    Raises:
        ValueError: The shape is another; the message has both.
    """
    matches = len(array.shape) == len(expected) and all(
        want is None or got == want for got, want in zip(array.shape, expected, strict=True)
    )
    if not matches:
        wanted = ", ".join("any" if want is None else str(want) for want in expected)
        raise ValueError(f"{name}: expected shape ({wanted}), got {array.shape}")


def is_missing(points_px: Floats) -> NDArray[np.bool_]:
    """Which positions stand for "not found", whatever their score.

    No picture has a position where both coordinates are one number of 0 or less: it is (0, 0) in
    VideoPose3D's archives and OpenPose's relatives, (-1, -1) or (-100, -100) in others, and stays
    so where keypoints are scaled.

    Args:
        points_px: (…, 2) x, y px.

    Returns:
        (…) also True for NaN, infinity and numbers beyond a million.
    """
    x, y = points_px[..., 0], points_px[..., 1]
    with np.errstate(invalid="ignore"):
        is_position = (np.abs(x) < MAX_PX) & (np.abs(y) < MAX_PX)
    return np.asarray(~is_position | ((x == y) & (x <= 0)))


def joints_of(skeleton: Skeleton, values: Floats, own: Skeleton, missing: float) -> Floats:
    """Select the joints of a skeleton by name.

    Args:
        skeleton: Whose joints are wanted, K' of them.
        values: (N, K, …) of the joints of `own`.
        own: Theirs.
        missing: What stands for joints that `own` lacks.

    Returns:
        (N, K', …) of the type of `values`.
    """
    shared = tuple(joint for joint in skeleton.joints if joint in own.joints)
    selected = np.full((len(values), len(skeleton), *values.shape[2:]), missing, values.dtype)
    selected[:, skeleton.indices(shared)] = values[:, own.indices(shared)]
    return selected


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself.

    path; width, height of upright frames, after `rotation`, px; fps the average frame rate, Hz;
    frame_count, None where the container does not say; rotation 0, 90, 180 or 270, the clockwise
    degrees by which stored frames are turned; duration_s, None where unknown; decoder, what decodes
    it, and why where that is not OpenCV; focal_px the focal length, px, where the camera wrote it
    into the file.
    """

    path: Path
    width: int
    height: int
    fps: float
    frame_count: int | None
    rotation: int
    duration_s: float | None
    decoder: str = "OpenCV"
    focal_px: float | None = None


@dataclass(frozen=True)
class Frame:
    """One upright picture of a video.

    index from 0; time_s its presentation time, variable frame rates kept; rgb (H, W, 3) uint8;
    starts_shot, whether the picture cuts to another view here.
    """

    index: int
    time_s: float
    rgb: Picture
    starts_shot: bool = False

    def __post_init__(self) -> None:
        check_shape("Frame.rgb", self.rgb, (None, None, 3))


@dataclass(frozen=True)
class Detections:
    """The N people that a detector sees in one frame.

    boxes_xyxy (N, 4) left, top, right, bottom px; box_scores (N,) in 0…1; keypoints_xy (N, K, 2)
    px; keypoint_scores (N, K) in 0…1; keypoints_3d (N, K, 3) the detector's own 3D in metres,
    camera axes, relative to the mid-hip, NaN where it has none.
    """

    frame_index: int
    boxes_xyxy: Floats
    box_scores: Floats
    keypoints_xy: Floats
    keypoint_scores: Floats
    keypoints_3d: Floats
    skeleton: Skeleton

    def __post_init__(self) -> None:
        people, keypoints = len(self.boxes_xyxy), len(self.skeleton)
        check_shape("Detections.boxes_xyxy", self.boxes_xyxy, (people, 4))
        check_shape("Detections.box_scores", self.box_scores, (people,))
        check_shape("Detections.keypoints_xy", self.keypoints_xy, (people, keypoints, 2))
        check_shape("Detections.keypoint_scores", self.keypoint_scores, (people, keypoints))
        check_shape("Detections.keypoints_3d", self.keypoints_3d, (people, keypoints, 3))

    def __len__(self) -> int:
        return len(self.boxes_xyxy)

    def to_skeleton(self, skeleton: Skeleton) -> "Detections":
        """The same people with the joints of another skeleton, which are selected by name.

        Those that this skeleton lacks are unseen: NaN, with a score of 0.
        """
        if skeleton == self.skeleton:
            return self
        own = self.skeleton
        return replace(
            self,
            keypoints_xy=joints_of(skeleton, self.keypoints_xy, own, np.nan),
            keypoint_scores=joints_of(skeleton, self.keypoint_scores, own, 0.0),
            keypoints_3d=joints_of(skeleton, self.keypoints_3d, own, np.nan),
            skeleton=skeleton,
        )


@dataclass(frozen=True)
class Track:
    """One person through time: a row for each frame in which they are detected or bridged.

    frame_indices (T,) strictly rising; boxes_xyxy (T, 4) px; keypoints_xy (T, K, 2) px, NaN where
    not seen; keypoint_scores (T, K) in 0…1; keypoints_3d (T, K, 3) as in `Detections`.
    """

    track_id: int
    frame_indices: NDArray[np.int64]
    boxes_xyxy: Floats
    keypoints_xy: Floats
    keypoint_scores: Floats
    keypoints_3d: Floats
    skeleton: Skeleton

    def __post_init__(self) -> None:
        frames, keypoints = len(self.frame_indices), len(self.skeleton)
        check_shape("Track.frame_indices", self.frame_indices, (frames,))
        check_shape("Track.boxes_xyxy", self.boxes_xyxy, (frames, 4))
        check_shape("Track.keypoints_xy", self.keypoints_xy, (frames, keypoints, 2))
        check_shape("Track.keypoint_scores", self.keypoint_scores, (frames, keypoints))
        check_shape("Track.keypoints_3d", self.keypoints_3d, (frames, keypoints, 3))
        if np.any(np.diff(self.frame_indices) <= 0):
            raise ValueError(f"Track {self.track_id}: frame_indices must rise strictly")

    def __len__(self) -> int:
        return len(self.frame_indices)


@dataclass(frozen=True)
class LifterInput:
    """One person's 2D at the lifter's frame rate.

    times_s (T,) evenly spaced; keypoints (T, K, 2) px, NaN where a keypoint is never seen; scores
    (T, K) in 0…1, 0 where a keypoint is filled in or never seen; keypoints_3d (T, K, 3) as in
    `Detections`; fps the frame rate, Hz.
    """

    times_s: Floats
    keypoints: Floats
    scores: Floats
    keypoints_3d: Floats
    fps: float
    skeleton: Skeleton

    def __post_init__(self) -> None:
        frames, keypoints = len(self.times_s), len(self.skeleton)
        check_shape("LifterInput.times_s", self.times_s, (frames,))
        check_shape("LifterInput.keypoints", self.keypoints, (frames, keypoints, 2))
        check_shape("LifterInput.scores", self.scores, (frames, keypoints))
        check_shape("LifterInput.keypoints_3d", self.keypoints_3d, (frames, keypoints, 3))

    @property
    def observed(self) -> NDArray[np.bool_]:
        """(T, K) whether a detector saw the keypoint."""
        return np.asarray(self.scores > 0)


@dataclass(frozen=True)
class CameraPoses:
    """One person's joints as a camera sees them.

    joints_m (T, J, 3) metres relative to the pelvis, camera axes; root_m (T, 3) metres, the pelvis
    in camera space; sigma_m (T, J) metres, one standard deviation of a joint's position relative to
    the pelvis, NaN where it is not known (the default: nowhere).
    """

    joints_m: Floats
    root_m: Floats
    skeleton: Skeleton
    sigma_m: Floats = None  # type: ignore[assignment]  # never None once made

    def __post_init__(self) -> None:
        check_shape("CameraPoses.joints_m", self.joints_m, (None, len(self.skeleton), 3))
        check_shape("CameraPoses.root_m", self.root_m, (len(self.joints_m), 3))
        if self.sigma_m is None:
            object.__setattr__(self, "sigma_m", np.full(self.joints_m.shape[:2], np.nan))
        check_shape("CameraPoses.sigma_m", self.sigma_m, self.joints_m.shape[:2])


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera: focal lengths fx, fy and principal point cx, cy, px.

    source says where the numbers come from; "recorded" is what the camera wrote into the file.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    source: Literal["given", "recorded", "estimated", "assumed"]
