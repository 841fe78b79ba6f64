"""Draws a clip of a data set: its 2D keypoints, the reconstruction and the ground truth."""

from collections.abc import Iterator
from itertools import islice, repeat
from pathlib import Path

import numpy as np

from core.camera import camera_to_world
from core.errors import InputError, OutputError, UsageError
from core.files import written_whole
from core.skeletons import Skeleton
from core.types import Floats
from lifter.model import TemporalConvNet
from lifter.normalize import pixels_from_screen
from pipeline.media.clip import open_clip
from train.motion_data import Clip
from train.reproduce.evaluate import Mirror, predict
from train.reproduce.output.animation import Picture, write_animation
from train.reproduce.output.figure import PanelFigure
from train.reproduce.session import Session

_FALLBACK_FPS = 25.0
_BLANK = np.full((2, 2, 3), 20, np.uint8)


def render(session: Session, pose: TemporalConvNet, trajectory: TemporalConvNet | None) -> None:
    """Lift the clip that `--viz-subject` and so on name, export its joints and draw it.

    Args:
        session: The run; its options say what to write.
        pose: The pose network.
        trajectory: The trajectory network, if there is one. With it, the joints of clips without
            ground truth are in camera space, else relative to the root.

    Raises:
        UsageError: The data set has no such clip, view or frame.
        InputError: The video cannot be read, or the camera's orientation is unknown.
        OutputError: The system refuses to write.
    """
    o = session.options
    clip = _select_clip(session)
    mirror = session.test_mirror
    joints_m = predict(pose.eval(), clip.keypoints, mirror)
    if clip.joints_m is None and trajectory is not None:
        root_mirror = None if mirror is None else Mirror(mirror.keypoints, [0])
        joints_m = joints_m + predict(trajectory.eval(), clip.keypoints, root_mirror)
    if o.viz_export:
        _export(Path(o.viz_export), joints_m, session.data.skeleton)
    if o.viz_output:
        _draw(session, clip, joints_m)


def _draw(session: Session, clip: Clip, joints_m: Floats) -> None:
    """Write `--viz-output`; `joints_m` (T, J, 3) are the reconstruction in camera axes."""
    o, camera = session.options, clip.camera
    frames = slice(o.viz_skip, None, o.viz_downsample)
    panels = [("Reconstruction", _to_world(session, clip, joints_m)[frames])]
    if clip.joints_m is not None and not o.viz_no_ground_truth:
        panels.append(("Ground truth", _to_world(session, clip, clip.joints_m)[frames]))
    pixels = pixels_from_screen(clip.keypoints[..., :2], camera.width, camera.height)[frames]
    pictures = _pictures(Path(o.viz_video), frames) if o.viz_video else repeat(_BLANK)
    figure = PanelFigure(
        session.data.keypoint_skeleton, session.data.skeleton, camera, panels, o.viz_size
    )
    limit = o.viz_limit if o.viz_limit > 0 else None
    video_fps = _frame_rate(Path(o.viz_video)) if o.viz_video else None
    fps = (camera.fps or session.data.fps or video_fps or _FALLBACK_FPS) / o.viz_downsample
    contents = zip(
        pictures, pixels[:limit], *(joints[:limit] for _, joints in panels), strict=False
    )
    write_animation(
        Path(o.viz_output), (figure.draw(*content) for content in contents), fps, o.viz_bitrate
    )
    print(f"wrote {o.viz_output}")


def _select_clip(session: Session) -> Clip:
    """The clip that the options name."""
    o, data = session.options, session.data
    clips = data.select("--viz-subject", [o.viz_subject])
    takes = [clip for clip in clips if clip.action == o.viz_action]
    if not takes:
        actions = ", ".join(dict.fromkeys(clip.action for clip in clips))
        raise UsageError(
            f"--viz-action: {o.viz_subject} has no action {o.viz_action!r}; it has {actions}"
        )
    if o.viz_camera >= len(takes):
        raise UsageError(
            f"--viz-camera {o.viz_camera}: {o.viz_action} has {len(takes)} views, counted from 0"
        )
    if o.viz_skip >= len(takes[o.viz_camera]):
        raise UsageError(f"--viz-skip {o.viz_skip}: the clip has {len(takes[o.viz_camera])} frames")
    return takes[o.viz_camera]


def _export(path: Path, joints_m: Floats, skeleton: Skeleton) -> None:
    """Write (T, J, 3) camera-space joints: `.npz` with the joints' names, else the array alone.

    As in VideoPose3D, `.npy` is added to a name that does not end in it.
    """
    is_archive = path.suffix.lower() == ".npz"
    if not is_archive and path.suffix.lower() != ".npy":
        path = path.with_name(f"{path.name}.npy")
    try:
        with written_whole(path) as partial, partial.open("wb") as file:
            if is_archive:
                names = np.array(skeleton.joints)
                np.savez_compressed(file, joints_camera_m=joints_m, joints=names)
            else:
                np.save(file, joints_m)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error})") from error
    print(f"wrote {path}")


def _to_world(session: Session, clip: Clip, joints_m: Floats) -> Floats:
    """(T, J, 3) camera axes → world, z up.

    Without a known position of the root, the lowest joint of the clip is put on the floor, z = 0.
    """
    if clip.root_m is not None:
        camera = clip.camera
        return np.asarray(
            camera_to_world(joints_m + clip.root_m[:, None], camera.orientation, camera.translation)
        )
    # Cameras of the same view stand about the same for all subjects.
    same_view = [other.camera for other in session.data.clips if other.view == clip.view]
    orientation = next(
        (
            camera.orientation
            for camera in (clip.camera, *same_view)
            if camera.orientation is not None
        ),
        None,
    )
    if orientation is None:
        raise InputError(
            f"{clip.subject} {clip.action}: it is unknown which way is up for its camera"
        )
    world = camera_to_world(joints_m, orientation, np.zeros(3, np.float32))
    return np.asarray(world - [0, 0, world[..., 2].min()])


def _frame_rate(path: Path) -> float:
    """A video's frames a second."""
    try:
        with open_clip(path) as reader:
            return reader.info.fps
    except InputError as error:
        raise InputError(f"--viz-video {error}") from error


def _pictures(path: Path, frames: slice) -> Iterator[Picture]:
    """Some frames of a video, (H, W, 3) RGB."""
    try:
        with open_clip(path) as reader:
            for frame in islice(reader, frames.start, None, frames.step):
                yield frame.rgb
    except InputError as error:
        raise InputError(f"--viz-video {error}") from error
