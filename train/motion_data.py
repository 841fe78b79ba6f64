"""What every data set becomes: clips, each one performance seen by one camera."""

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
"""Subject → action → for each camera (T, K, 2) px, with a confidence as third number if (T, K, 3)."""


@dataclass(frozen=True)
class Clip:
    """One performance seen by one camera.

    keypoints (T, K, 2 or 3) screen coordinates and confidence; joints_m (T, J, 3) metres relative to the root joint,
    camera axes, and root_m (T, 3) the root in camera space, both None without ground truth.
    """

    subject: str
    action: str
    view: int
    camera: Camera
    keypoints: Floats
    joints_m: Floats | None = None
    root_m: Floats | None = None

    def __post_init__(self) -> None:
        check_shape("Clip.keypoints", self.keypoints, (None, None, None))
        if self.joints_m is not None and self.root_m is not None:
            check_shape("Clip.joints_m", self.joints_m, (len(self.keypoints), None, 3))
            check_shape("Clip.root_m", self.root_m, (len(self.keypoints), 3))

    def __len__(self) -> int:
        return len(self.keypoints)

    def cut(self, frames: slice) -> "Clip":
        """The same clip with fewer frames."""
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
    """None where each video has its own."""

    def select(self, flag: str, subjects: Sequence[str], actions: Sequence[str] = ()) -> list[Clip]:
        """The clips of some subjects, in their order, whose action starts with one of `actions` if there are any.

        `flag` is what to blame in the `UsageError` for a subject that isn't there.
        """
        known = {clip.subject for clip in self.clips}
        for subject in subjects:
            if subject not in known:
                raise UsageError(
                    f"{flag}: {self.name} has no subject {subject!r}; it has {', '.join(sorted(known))}"
                )
        clips = [clip for subject in subjects for clip in self.clips if clip.subject == subject]
        if actions:
            clips = [clip for clip in clips if clip.action.startswith(tuple(actions))]
        if not clips:
            raise UsageError(
                f"-a: {', '.join(subjects)} have no action that starts with {', '.join(actions)}"
            )
        return clips


def pair(
    path: str, cameras: Mapping[str, Sequence[Camera]], detections: Detections, positions: Positions
) -> tuple[Clip, ...]:
    """Bring 2D and 3D together, clip by clip, in the order of the 2D archive `path`.

    Videos that run longer than the motion capture are cut to its length.
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
                    f"{path}: {subject} {action!r} has {len(views)} views of {len(cameras[subject])} cameras"
                )
            world = positions.get(subject, {}).get(action)
            for view, (pixels, camera) in enumerate(zip(views, cameras[subject], strict=False)):
                if world is not None and len(pixels) < len(world):
                    raise InputError(
                        f"{path}: {subject} {action!r} has {len(pixels)} frames 2D but {len(world)} 3D"
                    )
                clips.append(_clip(subject, action, view, camera, pixels, world))
    return tuple(clips)


def _clip(
    subject: str, action: str, view: int, camera: Camera, pixels: Array, world: Array | None
) -> Clip:
    keypoints = np.array(pixels, dtype=np.float32)
    keypoints[..., :2] = screen_from_pixels(keypoints[..., :2], camera.width, camera.height)
    if world is None:
        return Clip(subject, action, view, camera, keypoints)
    if camera.orientation is None:
        raise InputError(
            f"{subject} {action!r} has 3D poses, but where its camera {camera.name} stood is unknown"
        )
    joints = world_to_camera(world, camera.orientation, camera.translation)
    return Clip(
        subject, action, view, camera, keypoints[: len(world)], joints - joints[:, :1], joints[:, 0]
    )


def thin(clips: Sequence[Clip], subset: float, step: int) -> list[Clip]:
    """Every `step`-th frame of a contiguous share `subset` of each clip.

    Where that share starts depends on the clip's length only, so the views of a performance stay together and every
    run sees the same frames (VideoPose3D's `--subset` and `--downsample`).
    """
    return [clip.cut(_share(len(clip), subset, step)) for clip in clips]


def _share(frames: int, subset: float, step: int) -> slice:
    if subset >= 1:
        return slice(None, None, step)
    kept = round(frames // step * subset) * step
    draw = int.from_bytes(sha256(str(frames).encode()).digest()[:4], "little") / (2**32 - 1)
    start = int(draw * (frames - kept + 1))
    return slice(start, start + kept, step)


def bridge_gaps(keypoints: Floats) -> Floats:
    """(T, K, 2) with NaN → straight lines between what is known, still at the ends; what is never known stays NaN."""
    bridged = keypoints.copy()
    times = np.arange(len(bridged))
    for column in bridged.reshape(len(bridged), -1).T:
        known = np.isfinite(column)
        if known.any():
            column[~known] = np.interp(times[~known], times[known], column[known])
    return bridged
