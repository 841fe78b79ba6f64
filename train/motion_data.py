"""The common form of all data sets: clips, each one performance seen by one camera."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from core.camera import world_to_camera
from core.errors import InputError, UsageError
from core.skeletons import Skeleton
from core.types import Array, Floats, check_shape
from lifter.normalize import screen_from_pixels
from train.cameras import Camera

Positions = Mapping[str, Mapping[str, Array]]
"""Subject → action → (T, J, 3) world space, metres."""
Detections = Mapping[str, Mapping[str, Sequence[Array]]]
"""Subject → action → for each camera (T, K, 2) px, or (T, K, 3) with a confidence after x and y."""


@dataclass(frozen=True)
class Clip:
    """One performance seen by one camera. The 3D fields are both None without ground truth."""

    subject: str
    action: str
    view: int
    """The camera's number among those of the performance, from 0."""
    camera: Camera
    keypoints: Floats
    """(T, K, 2) screen coordinates, or (T, K, 3) with a confidence."""
    joints_m: Floats | None = None
    """(T, J, 3) metres, relative to the root joint, camera axes."""
    root_m: Floats | None = None
    """(T, 3) metres, the root joint in camera space."""

    def __post_init__(self) -> None:
        check_shape("Clip.keypoints", self.keypoints, (None, None, None))
        if self.joints_m is not None and self.root_m is not None:
            check_shape("Clip.joints_m", self.joints_m, (len(self.keypoints), None, 3))
            check_shape("Clip.root_m", self.root_m, (len(self.keypoints), 3))

    def __len__(self) -> int:
        return len(self.keypoints)

    def cut(self, frames: slice) -> "Clip":
        """The same clip with only some of its frames."""
        if self.joints_m is None or self.root_m is None:
            return replace(self, keypoints=self.keypoints[frames])
        return replace(
            self,
            keypoints=self.keypoints[frames],
            joints_m=self.joints_m[frames],
            root_m=self.root_m[frames],
        )


@dataclass(frozen=True)
class MotionData:
    """A data set with one kind of 2D keypoints."""

    name: str
    skeleton: Skeleton
    """Of the 3D joints; the first is the root."""
    keypoint_skeleton: Skeleton
    keypoint_flip: list[int]
    """`mirrored[k] = original[keypoint_flip[k]]`, as the archive has it."""
    clips: tuple[Clip, ...]
    fps: float | None
    """Frames per second; None where each video has its own rate."""

    def select(self, flag: str, subjects: Sequence[str], actions: Sequence[str] = ()) -> list[Clip]:
        """The clips of some subjects.

        Args:
            flag: The command line's flag that names the subjects, for error messages.
            subjects: Their names; clips come in this order.
            actions: The beginnings of the actions to take; none of them means all actions.

        Raises:
            UsageError: A subject isn't in the data set, or no action starts so.
        """
        known = {clip.subject for clip in self.clips}
        for subject in subjects:
            if subject not in known:
                raise UsageError(
                    f"{flag}: {self.name} has no subject {subject!r}; "
                    f"it has {', '.join(sorted(known))}"
                )
        clips = [clip for subject in subjects for clip in self.clips if clip.subject == subject]
        if actions:
            clips = [clip for clip in clips if clip.action.startswith(tuple(actions))]
        if not clips:
            raise UsageError(
                f"-a: {', '.join(subjects)} have no action that starts with {', '.join(actions)}"
            )
        return clips


def pair_clips(
    path: str, cameras: Mapping[str, Sequence[Camera]], detections: Detections, positions: Positions
) -> tuple[Clip, ...]:
    """Pair the 2D keypoints of each view with its performance's 3D joints.

    Args:
        path: The 2D archive, for error messages.
        cameras: Subject → the cameras of its views.
        detections: The 2D keypoints. Videos that are longer than the motion capture are cut to its
            length.
        positions: The 3D joints; performances that are missing here have no ground truth.

    Returns:
        A clip for each view, in the order of `detections`.

    Raises:
        InputError: A performance or some of its frames have 3D joints but no 2D keypoints, there
            are more views than cameras, or a camera's orientation is needed and unknown.
    """
    for subject, actions in positions.items():
        for action in actions:
            if action not in detections.get(subject, {}):
                raise InputError(
                    f"{path}: {subject} {action!r} is missing, and its 3D poses are there"
                )
    clips = []
    for subject, takes in detections.items():
        for action, views in takes.items():
            if len(views) > len(cameras[subject]):
                raise InputError(
                    f"{path}: {subject} {action!r} has {len(views)} views "
                    f"of {len(cameras[subject])} cameras"
                )
            world = positions.get(subject, {}).get(action)
            for view, (pixels, camera) in enumerate(zip(views, cameras[subject], strict=False)):
                if world is not None and len(pixels) < len(world):
                    raise InputError(
                        f"{path}: {subject} {action!r} has {len(pixels)} frames 2D "
                        f"but {len(world)} 3D"
                    )
                clips.append(_clip(subject, action, view, camera, pixels, world))
    return tuple(clips)


def _clip(
    subject: str, action: str, view: int, camera: Camera, pixels: Array, world: Array | None
) -> Clip:
    """A clip from (T', K, 2 or 3) px and, with ground truth, (T, J, 3) metres in the world."""
    keypoints = np.array(pixels, dtype=np.float32)
    keypoints[..., :2] = screen_from_pixels(keypoints[..., :2], camera.width, camera.height)
    if world is None:
        return Clip(subject, action, view, camera, keypoints)
    if camera.orientation is None:
        raise InputError(
            f"{subject} {action!r} has 3D poses, "
            f"but where its camera {camera.name} stood is unknown"
        )
    # The pose network learns joints relative to the root, the trajectory network the root.
    joints = world_to_camera(world, camera.orientation, camera.translation)
    return Clip(
        subject, action, view, camera, keypoints[: len(world)], joints - joints[:, :1], joints[:, 0]
    )


def subsample(clips: Sequence[Clip], subset: float, step: int) -> list[Clip]:
    """Reduce clips to fewer frames (VideoPose3D's `--subset` and `--downsample`).

    Args:
        clips: The clips to take frames from.
        subset: The share of each clip to keep, a contiguous part of it. Where it starts is drawn
            from the clip's length alone: all views of a performance keep the same frames, in every
            run.
        step: Every `step`-th frame of that part is kept.
    """
    return [clip.cut(_kept_frames(len(clip), subset, step)) for clip in clips]


def _kept_frames(frames: int, subset: float, step: int) -> slice:
    """The frames that `subsample` keeps, drawn as by VideoPose3D's `deterministic_random`."""
    if subset >= 1:
        return slice(None, None, step)
    # A multiple of `step`, as the length of the downsampled part must be whole.
    kept = round(frames // step * subset) * step
    # Uniform in 0…1 by a hash of the length, so that runs and machines agree.
    draw = int.from_bytes(sha256(str(frames).encode()).digest()[:4], "little") / (2**32 - 1)
    start = int(draw * (frames - kept + 1))
    return slice(start, start + kept, step)


def bridge_gaps(keypoints: Floats) -> Floats:
    """Interpolate missing keypoints linearly over time.

    Args:
        keypoints: (T, K, 2), NaN where missing. It isn't changed.

    Returns:
        (T, K, 2). Before the first and after the last known value of a coordinate, that value is
        repeated. A coordinate without any known value stays NaN.
    """
    bridged = keypoints.copy()
    times = np.arange(len(bridged))
    # The columns are views, one for each coordinate of each keypoint.
    for column in bridged.reshape(len(bridged), -1).T:
        known = np.isfinite(column)
        if known.any():
            column[~known] = np.interp(times[~known], times[known], column[known])
    return bridged
