"""The 3D view's stage: floor, grid and axes, drawn once by matplotlib, and the camera it was drawn with.

World axes: x to the right as the video's camera sees it, y away from it, z up, metres, floor at z = 0. The view is from
behind the video's camera, raised and turned a little, so that left and right agree with the video beside it.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d import Axes3D  # type: ignore[import-untyped]
from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection  # type: ignore[import-untyped]

from core.types import Floats, WorldPoses
from pipeline.render.draw import Picture
from pipeline.render.palette import BACKGROUND, FLOOR, GRID, GRID_STRONG, TEXT_QUIET, WALL, Colour

ELEVATION_DEG, AZIMUTH_DEG = 20.0, -76.0
"""Azimuth -90 would look straight along y, as the video's camera does."""

FOCAL_LENGTH = 0.8
"""matplotlib's measure of perspective; at its default of 1 it is hard to see who is nearer."""

LEAST_SPAN_M, LEAST_HEIGHT_M, MARGIN_M = 2.4, 2.0, 0.15
STRAY_PERCENT = 2.0
"""So many of a person's joints may lie outside on each side: a root lost for a moment must not shrink everybody."""


@dataclass(frozen=True)
class Bounds:
    """The box the stage shows: low (3,) and high (3,) in metres; `step` between strong grid lines."""

    low: Floats
    high: Floats
    step: float

    @property
    def corners(self) -> Floats:
        """(8, 3) metres."""
        return np.array(list(product(*zip(self.low, self.high, strict=True))))


def find_bounds(worlds: Iterable[WorldPoses]) -> Bounds:
    """A box that holds everyone in all frames, but for a person's few strayed ones."""
    joints = (world.joints_m.reshape(-1, 3) for world in worlds)
    finite = (points[np.isfinite(points).all(1)] for points in joints)
    strays = [STRAY_PERCENT, 100 - STRAY_PERCENT]
    reach = np.array(
        [np.percentile(points, strays, axis=0) for points in finite if len(points)]
        or np.zeros((1, 2, 3))
    )
    low, high = reach[:, 0].min(0), reach[:, 1].max(0)
    middle, half = (low + high) / 2, np.maximum((high - low) / 2 + MARGIN_M, LEAST_SPAN_M / 2)
    step = next((step for step in (1.0, 2.0, 5.0, 10.0) if half[:2].max() * 2 <= 12 * step), 20.0)
    floor_low = np.floor((middle - half)[:2] / step * 2) * step / 2  # on weak grid lines
    floor_high = np.ceil((middle + half)[:2] / step * 2) * step / 2
    top = max(LEAST_HEIGHT_M, high[2] + 0.2)
    return Bounds(np.array([*floor_low, 0.0]), np.array([*floor_high, top]), step)


@dataclass(frozen=True)
class Projection:
    """World metres → pixels of the panel, matplotlib's perspective included: `matrix` (3, 4), homogeneous."""

    matrix: Floats

    def pixels(self, points: Floats) -> Floats:
        """(…, 3) m → (…, 2) px."""
        flat = points @ self.matrix[:, :3].T + self.matrix[:, 3]
        return np.asarray(flat[..., :2] / flat[..., 2:])

    def depth(self, points: Floats) -> Floats:
        """(…, 3) m → (…,) distance along the view, in matplotlib's units; larger is further."""
        return np.asarray(points @ self.matrix[2, :3] + self.matrix[2, 3])

    def scale(self, points: Floats) -> Floats:
        """(…, 3) m → (…,) how many pixels a metre across the view measures there."""
        across = self.matrix[0, :3] - self.pixels(points)[..., :1] * self.matrix[2, :3]
        return np.asarray(np.linalg.norm(across, axis=-1) / self.depth(points))


@dataclass(frozen=True)
class Stage:
    """The empty scene: `picture` (height, width, 3) RGB and the `projection` to draw figures into it with."""

    picture: Picture
    projection: Projection
    bounds: Bounds


def build_stage(worlds: Iterable[WorldPoses], width: int, height: int) -> Stage:
    """Draw the stage for all people of a video, `width` × `height` px."""
    with style.context("default"):  # a user's matplotlib settings are for their plots
        return _build_stage(find_bounds(worlds), width, height)


def _build_stage(bounds: Bounds, width: int, height: int) -> Stage:
    figure = Figure(
        figsize=(width / 72, height / 72), dpi=72, facecolor=_unit(BACKGROUND)
    )  # a point is a pixel
    axes = _axes(figure, bounds)
    labels = _labels(bounds)
    letter = max(10.0, height / 50)
    _fit(
        axes,
        np.array([*bounds.corners, *(place for place, _ in labels)]),
        width,
        height,
        padding=1.5 * letter,
    )
    _draw_floor(axes, bounds)
    _draw_walls(axes, bounds)
    for place, words in labels:
        axes.text(
            *place,
            words,
            color=_unit(TEXT_QUIET),
            fontsize=letter,
            ha="center",
            va="center",
            zorder=3,
        )
    pixels = io.BytesIO()
    figure.savefig(pixels, format="rgba", dpi=72)
    picture = np.frombuffer(pixels.getvalue(), np.uint8).reshape(height, width, 4)[..., :3].copy()
    return Stage(picture, _projection(axes, height), bounds)


def _axes(figure: Figure, bounds: Bounds) -> Axes3D:
    axes = figure.add_axes((0, 0, 1, 1), projection="3d", computed_zorder=False)
    assert isinstance(axes, Axes3D)
    axes.set_axis_off()
    axes.patch.set_visible(False)
    axes.set_proj_type("persp", focal_length=FOCAL_LENGTH)
    axes.view_init(elev=ELEVATION_DEG, azim=AZIMUTH_DEG)
    for limit, low, high in zip(
        (axes.set_xlim, axes.set_ylim, axes.set_zlim), bounds.low, bounds.high, strict=True
    ):
        limit(low, high, auto=False)
    axes.set_box_aspect(tuple(bounds.high - bounds.low))
    return axes


def _fit(axes: Axes3D, points: Floats, width: int, height: int, padding: float) -> None:
    """Move and size the axes so that points (N, 3) m fill the panel; matplotlib leaves a third of it empty."""
    pixels = _projection(axes, height).pixels(points)
    low, high = pixels.min(0), pixels.max(0)
    free_low, free_high = (
        np.array([padding, 3 * padding]),
        np.array([width, height]) - padding,
    )  # the legend is on top
    zoom = float(np.min((free_high - free_low) / (high - low)))
    shift = (free_low + free_high) / 2 - zoom * (low + high) / 2  # px, y down
    axes.set_position((shift[0] / width, 1 - shift[1] / height - zoom, zoom, zoom))


def _projection(axes: Axes3D, height: int) -> Projection:
    """The camera matplotlib draws with: its 3D projection, then data to display pixels, then y down."""
    axes.apply_aspect()
    world_to_plane, plane_to_display = axes.get_proj(), axes.transData.get_affine().get_matrix()
    across = plane_to_display @ world_to_plane[[0, 1, 3]]
    return Projection(np.stack([across[0], height * across[2] - across[1], across[2]]))


def _draw_floor(axes: Axes3D, bounds: Bounds) -> None:
    (x0, y0, _), (x1, y1, _) = bounds.low, bounds.high
    floor = [(x0, y0, 0), (x1, y0, 0), (x1, y1, 0), (x0, y1, 0)]
    axes.add_collection3d(
        Poly3DCollection([floor], facecolors=[_unit(FLOOR)], zorder=0, clip_on=False)
    )
    for step, colour, thickness in ((bounds.step / 2, GRID, 0.8), (bounds.step, GRID_STRONG, 1.2)):
        lines = [[(x, y0, 0), (x, y1, 0)] for x in _marks(x0, x1, step)]
        lines += [[(x0, y, 0), (x1, y, 0)] for y in _marks(y0, y1, step)]
        axes.add_collection3d(
            Line3DCollection(
                lines, colors=[_unit(colour)], linewidths=thickness, zorder=1, clip_on=False
            )
        )


def _draw_walls(axes: Axes3D, bounds: Bounds) -> None:
    """Lines on the two far sides."""
    (x0, y0, _), (x1, y1, top) = bounds.low, bounds.high
    lines = [[(x0, y0, z), (x0, y1, z), (x1, y1, z)] for z in _marks(0.0, top, bounds.step)]
    lines += [[(x, y1, 0), (x, y1, top)] for x in _marks(x0, x1, bounds.step)]
    lines += [[(x0, y, 0), (x0, y, top)] for y in _marks(y0, y1, bounds.step)]
    lines += [[(x, y, 0), (x, y, top)] for x, y in ((x0, y0), (x0, y1), (x1, y1))]
    axes.add_collection3d(
        Line3DCollection(lines, colors=[_unit(WALL)], linewidths=1.0, zorder=1, clip_on=False)
    )


def _labels(bounds: Bounds) -> list[tuple[Floats, str]]:
    """Places (3,) m and words: metres along the near edges of the floor and up the left edge."""
    (x0, y0, _), (x1, y1, top) = bounds.low, bounds.high
    gap = 0.04 * float(np.max(bounds.high - bounds.low))
    near = y0 - 1.8 * gap  # y is foreshortened
    labels = [((x, near, 0.0), f"{x:g}") for x in _marks(x0, x1, bounds.step)]
    labels += [((x1 + gap, y, 0.0), f"{y:g}") for y in _marks(y0, y1, bounds.step)]
    labels += [((x0 - gap, y0, z), f"{z:g}") for z in _marks(0.0, top, bounds.step)[1:]]
    labels += [(((x0 + x1) / 2, near - 3 * gap, 0.0), "x"), ((x1 + gap, y1 + 2.5 * gap, 0.0), "y")]
    labels += [((x0 - gap, y0, top + gap), "z")]
    return [(np.array(place), words) for place, words in labels]


def _marks(low: float, high: float, step: float) -> Floats:
    """Multiples of `step` from `low` to `high`."""
    return np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step + 0.0


def _unit(colour: Colour) -> tuple[float, float, float]:
    """matplotlib's 0…1."""
    return colour[0] / 255, colour[1] / 255, colour[2] / 255
