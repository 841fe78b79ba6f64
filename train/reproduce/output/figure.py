"""Draws 2D keypoints over the input and poses in 3D views, side by side."""

from typing import Any

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from core.skeletons import Skeleton
from core.types import Floats
from train.cameras import Camera
from train.reproduce.output.animation import Picture

_RIGHT, _LEFT, _MIDDLE = (209, 73, 91), (46, 111, 167), (128, 128, 128)
_SUBPIXEL_BITS = 4
_DPI = 100


class PanelFigure:
    """A row of panels: the input, and a 3D view for each list of poses.

    matplotlib draws the background once; the limbs of each frame are drawn into a copy of it.
    """

    def __init__(
        self,
        keypoints: Skeleton,
        joints: Skeleton,
        camera: Camera,
        panels: list[tuple[str, Floats]],
        size: int,
    ) -> None:
        """Draw the background.

        Args:
            keypoints: The skeleton of the 2D keypoints.
            joints: The skeleton of the poses.
            camera: The camera of the input; the 3D views look from its side.
            panels: For each 3D view its title and poses (T, J, 3), metres in the world.
            size: Height and width of a panel, in units of 100 px.
        """
        figure = Figure(figsize=(size * (1 + len(panels)), size), dpi=_DPI, layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)
        self._keypoints, self._joints = keypoints, joints
        screen = figure.add_subplot(1, 1 + len(panels), 1, title="Input")
        screen.set(xlim=(0, camera.width), ylim=(camera.height, 0), aspect="equal")
        screen.set_axis_off()
        views: list[Any] = []
        all_poses = np.concatenate([world for _, world in panels])
        for number, (title, _) in enumerate(panels):
            views.append(
                figure.add_subplot(1, 1 + len(panels), number + 2, projection="3d", title=title)
            )
            _set_limits(views[-1], all_poses, camera.azimuth_deg)
        canvas.draw()  # also settles the layout, on which the projections depend
        self._background = np.asarray(canvas.buffer_rgba())[..., :3].copy()
        height = len(self._background)
        self._screen = _flat_projection(screen, height)
        self._views = [_perspective(axes, height) for axes in views]
        # The rectangle of the input, px of the figure.
        corners = _apply(self._screen, np.array([[0.0, 0.0], [camera.width, camera.height]]))
        (self._left, self._top), (self._right, self._bottom) = corners.round().astype(int).tolist()

    def draw(self, picture: Picture, pixels: Floats, *poses: Floats) -> Picture:
        """Draw one frame.

        Args:
            picture: (H, W, 3) RGB, of any size.
            pixels: (K, 2) keypoints, px of the camera's picture.
            poses: For each 3D view (J, 3) metres in the world.

        Returns:
            (height, width, 3) RGB.
        """
        drawn = self._background.copy()
        size = self._right - self._left, self._bottom - self._top
        drawn[self._top : self._bottom, self._left : self._right] = cv2.resize(picture, size)
        _draw_limbs(drawn, self._keypoints, _apply(self._screen, pixels))
        for view, pose in zip(self._views, poses, strict=True):
            _draw_limbs(drawn, self._joints, _apply(view, pose))
        return drawn


def _set_limits(axes: Any, world: Floats, azimuth_deg: float) -> None:
    """Fit a 3D view to all poses (…, 3), with equal scales, seen from the camera's side."""
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
    # y → height − y: matplotlib's y points up, a picture's down.
    upside_down = np.array([[1, 0, 0], [0, -1, height], [0, 0, 1]])
    return np.asarray(upside_down @ axes.transData.get_affine().get_matrix())


def _perspective(axes: Any, height: int) -> Floats:
    """(3, 4) homogeneous, from world metres to pixels, as matplotlib projects a 3D view."""
    # Rows x, y and w of matplotlib's projection; its z is only for the order of drawing.
    return np.asarray(_flat_projection(axes, height) @ axes.get_proj()[[0, 1, 3]])


def _apply(projection: Floats, points: Floats) -> Floats:
    """(…, D) → (…, 2) px by a homogeneous (3, D + 1)."""
    flat = points @ projection[:, :-1].T + projection[:, -1]
    return np.asarray(flat[..., :2] / flat[..., 2:])


def _draw_limbs(picture: Picture, skeleton: Skeleton, points: Floats) -> None:
    """Draw lines between joints (K, 2) px into a picture, the right side in a warm colour."""
    sides = dict.fromkeys(skeleton.left, _LEFT) | dict.fromkeys(skeleton.right, _RIGHT)
    # Fixed-point coordinates, so that OpenCV draws between pixels.
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
