"""Draw a clip of a data set: its 2D keypoints, what the network makes of them, and the ground truth beside it."""

from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from core.camera import camera_to_world
from core.errors import InputError, OutputError, UsageError
from core.skeletons import Skeleton
from core.types import Floats
from lifter.model import TemporalConvNet
from lifter.normalize import pixels_from_screen
from train.cameras import Camera
from train.motion_data import Clip
from train.reproduce.evaluate import Mirror, predict
from train.reproduce.session import Session

Picture = NDArray[np.uint8]

_RIGHT, _LEFT, _MIDDLE = (209, 73, 91), (46, 111, 167), (128, 128, 128)
_SUBPIXEL_BITS = 4
_DPI = 100
_FALLBACK_FPS = 25.0
_BLANK = np.full((2, 2, 3), 20, np.uint8)


def render(session: Session, pose: TemporalConvNet, trajectory: TemporalConvNet | None) -> None:
    """Do what `--render` and the `--viz-…` flags say."""
    o = session.options
    clip = _find(session)
    joints_m = predict(pose.eval(), clip.keypoints, session.mirror_if_wanted)
    if clip.joints_m is None and trajectory is not None:
        mirror = session.mirror_if_wanted
        root_mirror = None if mirror is None else Mirror(mirror.keypoints, [0])
        joints_m = joints_m + predict(trajectory.eval(), clip.keypoints, root_mirror)
    if o.viz_export:
        _export(Path(o.viz_export), joints_m, session.data.skeleton)
    if o.viz_output:
        frames = slice(o.viz_skip, None, o.viz_downsample)
        panels = [("Reconstruction", _in_world(session, clip, joints_m)[frames])]
        if clip.joints_m is not None and not o.viz_no_ground_truth:
            panels.append(("Ground truth", _in_world(session, clip, clip.joints_m)[frames]))
        pixels = pixels_from_screen(clip.keypoints[..., :2], clip.camera.width, clip.camera.height)[
            frames
        ]
        pictures = _pictures(Path(o.viz_video), frames) if o.viz_video else repeat(_BLANK)
        figure = _Figure(
            session.data.keypoint_skeleton, session.data.skeleton, clip.camera, panels, o.viz_size
        )
        limit = o.viz_limit if o.viz_limit > 0 else None
        fps = (clip.camera.fps or session.data.fps or _FALLBACK_FPS) / o.viz_downsample
        moments = zip(
            pictures, pixels[:limit], *(joints[:limit] for _, joints in panels), strict=False
        )
        write_animation(
            Path(o.viz_output), (figure.draw(*moment) for moment in moments), fps, o.viz_bitrate
        )
        print(f"wrote {o.viz_output}")


def _find(session: Session) -> Clip:
    o, data = session.options, session.data
    clips = data.select("--viz-subject", [o.viz_subject])
    takes = [clip for clip in clips if clip.action == o.viz_action]
    if not takes:
        there = ", ".join(dict.fromkeys(clip.action for clip in clips))
        raise UsageError(
            f"--viz-action: {o.viz_subject} has no action {o.viz_action!r}; it has {there}"
        )
    if o.viz_camera >= len(takes):
        raise UsageError(
            f"--viz-camera {o.viz_camera}: {o.viz_action} has {len(takes)} views, counted from 0"
        )
    if o.viz_skip >= len(takes[o.viz_camera]):
        raise UsageError(f"--viz-skip {o.viz_skip}: the clip has {len(takes[o.viz_camera])} frames")
    return takes[o.viz_camera]


def _export(path: Path, joints_m: Floats, skeleton: Skeleton) -> None:
    """Camera space: a plain array, or with the joints' names beside it."""
    try:
        if path.suffix.lower() == ".npy":
            np.save(path, joints_m)
        else:
            np.savez_compressed(path, joints_camera_m=joints_m, joints=np.array(skeleton.joints))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error})") from error
    print(f"wrote {path}")


def _in_world(session: Session, clip: Clip, joints_m: Floats) -> Floats:
    """Camera space → world, z up. Where the camera stood is unknown, the lowest joint touches the floor."""
    if clip.root_m is not None:
        camera = clip.camera
        return np.asarray(
            camera_to_world(joints_m + clip.root_m[:, None], camera.orientation, camera.translation)
        )
    placed = [other.camera for other in session.data.clips if other.view == clip.view]
    orientation = next(
        (camera.orientation for camera in (clip.camera, *placed) if camera.orientation is not None),
        None,
    )
    if orientation is None:
        raise InputError(
            f"{clip.subject} {clip.action}: it is unknown which way is up for its camera"
        )
    world = camera_to_world(joints_m, orientation, np.zeros(3, np.float32))
    return np.asarray(world - [0, 0, world[..., 2].min()])


def _pictures(path: Path, frames: slice) -> Iterator[Picture]:
    """Those frames of a video, RGB."""
    video = cv2.VideoCapture(str(path))
    try:
        if not video.isOpened():
            raise InputError(f"--viz-video {path}: cannot be read as a video")
        index = 0
        while video.grab():
            if index >= frames.start and (index - frames.start) % frames.step == 0:
                yield np.asarray(cv2.cvtColor(video.retrieve()[1], cv2.COLOR_BGR2RGB), np.uint8)
            index += 1
    finally:
        video.release()


class _Figure:
    """A row of panels: matplotlib draws what stands still once, each moment's limbs go into a copy of that."""

    def __init__(
        self,
        keypoints: Skeleton,
        joints: Skeleton,
        camera: Camera,
        panels: list[tuple[str, Floats]],
        size: int,
    ) -> None:
        figure = Figure(figsize=(size * (1 + len(panels)), size), dpi=_DPI, layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)
        self._keypoints, self._joints = keypoints, joints
        screen = figure.add_subplot(1, 1 + len(panels), 1, title="Input")
        screen.set(xlim=(0, camera.width), ylim=(camera.height, 0), aspect="equal")
        screen.set_axis_off()
        stages: list[Any] = []
        everywhere = np.concatenate([world for _, world in panels])
        for number, (title, _) in enumerate(panels):
            stages.append(
                figure.add_subplot(1, 1 + len(panels), number + 2, projection="3d", title=title)
            )
            _set_stage(stages[-1], everywhere, camera.azimuth_deg)
        canvas.draw()
        self._still = np.asarray(canvas.buffer_rgba())[..., :3].copy()
        height = len(self._still)
        self._screen = _flat_projection(screen, height)
        self._views = [_perspective(axes, height) for axes in stages]
        corners = _apply(self._screen, np.array([[0.0, 0.0], [camera.width, camera.height]]))
        (self._left, self._top), (self._right, self._bottom) = corners.round().astype(int).tolist()

    def draw(self, picture: Picture, pixels: Floats, *poses: Floats) -> Picture:
        """One moment: keypoints (K, 2) px over the picture, and a pose (J, 3) a panel → (height, width, 3) RGB."""
        drawn = self._still.copy()
        size = self._right - self._left, self._bottom - self._top
        drawn[self._top : self._bottom, self._left : self._right] = cv2.resize(picture, size)
        _draw_limbs(drawn, self._keypoints, _apply(self._screen, pixels))
        for view, pose in zip(self._views, poses, strict=True):
            _draw_limbs(drawn, self._joints, _apply(view, pose))
        return drawn


def _set_stage(axes: Any, world: Floats, azimuth_deg: float) -> None:
    """Room for all poses, equal scales, seen from the camera's side."""
    low, high = world.reshape(-1, 3).min(0), world.reshape(-1, 3).max(0)
    middle, half = (low + high) / 2, max(0.85, float((high - low)[:2].max()) / 2 + 0.1)
    axes.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half))
    axes.set_zlim(min(0.0, float(low[2])), max(1.7, float(high[2])))
    axes.set_aspect("equal")
    axes.view_init(elev=15, azim=azimuth_deg)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_ticklabels([])


def _flat_projection(axes: Any, height: int) -> Floats:
    """(3, 3) homogeneous, from an axes' data to pixels with y down."""
    upside_down = np.array([[1, 0, 0], [0, -1, height], [0, 0, 1]])
    return np.asarray(upside_down @ axes.transData.get_affine().get_matrix())


def _perspective(axes: Any, height: int) -> Floats:
    """(3, 4) homogeneous, from world metres to pixels, as matplotlib sees the stage."""
    return np.asarray(_flat_projection(axes, height) @ axes.get_proj()[[0, 1, 3]])


def _apply(projection: Floats, points: Floats) -> Floats:
    """(…, D) → (…, 2) px by a homogeneous (3, D + 1)."""
    flat = points @ projection[:, :-1].T + projection[:, -1]
    return np.asarray(flat[..., :2] / flat[..., 2:])


def _draw_limbs(picture: Picture, skeleton: Skeleton, points: Floats) -> None:
    """Lines between the joints (K, 2) px, the right side in warm colour."""
    sides = dict.fromkeys(skeleton.left, _LEFT) | dict.fromkeys(skeleton.right, _RIGHT)
    fixed = np.round(points * 2**_SUBPIXEL_BITS).astype(int)
    width = max(2, len(picture) // 150)
    for parent, child in skeleton.bones:
        colour = sides.get(child, _MIDDLE)
        cv2.line(
            picture,
            fixed[parent].tolist(),
            fixed[child].tolist(),
            colour,
            width,
            cv2.LINE_AA,
            _SUBPIXEL_BITS,
        )


def write_animation(path: Path, pictures: Iterator[Picture], fps: float, bitrate_kbit: int) -> None:
    """Write an .mp4 or a .gif, whole or not at all."""
    partial = path.with_name(f"{path.stem}.partial{path.suffix}")
    first = next(pictures, None)
    if first is None:
        raise InputError(f"{path}: there is no frame to draw")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write = _write_gif if path.suffix.lower() == ".gif" else _write_mp4
        write(partial, first, pictures, fps, bitrate_kbit)
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error})") from error
    finally:
        partial.unlink(missing_ok=True)


def _write_gif(path: Path, first: Picture, rest: Iterator[Picture], fps: float, _: int) -> None:
    images = (Image.fromarray(picture) for picture in rest)
    # Browsers take durations below 20 ms for 100 ms.
    duration_ms = max(20, round(1000 / fps))
    Image.fromarray(first).save(
        path, save_all=True, append_images=images, duration=duration_ms, loop=0
    )


def _write_mp4(
    path: Path, first: Picture, rest: Iterator[Picture], fps: float, bitrate_kbit: int
) -> None:
    height, width = (
        side // 2 * 2 for side in first.shape[:2]
    )  # yuv420p has colour for pairs of pixels
    writer = imageio_ffmpeg.write_frames(
        str(path),
        (width, height),
        fps=fps,
        codec="libx264",
        bitrate=f"{bitrate_kbit}k",
        macro_block_size=1,
    )
    writer.send(None)
    try:
        for picture in chain([first], rest):
            writer.send(np.ascontiguousarray(picture[:height, :width]))
    finally:
        writer.close()
