"""Draws the 3D view's stage by matplotlib: floor, grid and axes, once for a video.

The view is from behind the video's camera, raised and turned a little, so that left and right agree
with the video beside it.
"""

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d import Axes3D  # type: ignore[import-untyped]
from mpl_toolkits.mplot3d.art3d import (  # type: ignore[import-untyped]
    Line3DCollection,
    Poly3DCollection,
)

from core.types import Floats, WorldPoses
from pipeline.render.palette import BACKGROUND, FLOOR, GRID, GRID_STRONG, TEXT_QUIET, WALL, Colour
from pipeline.render.scene import Bounds, Projection, Stage, find_bounds

ELEVATION_DEG, AZIMUTH_DEG = 20.0, -76.0
"""Azimuth -90 would look straight along y, as the video's camera does."""

FOCAL_LENGTH = 0.8
"""matplotlib's measure of perspective; at its default of 1 it is hard to see who is nearer."""


def build_stage(worlds: Iterable[WorldPoses], width: int, height: int) -> Stage:
    """Draw the stage for all people of a video, `width` × `height` px."""
    with style.context("default"):  # a user's matplotlib settings are for their plots
        return _draw_stage(find_bounds(worlds), width, height)


def _draw_stage(bounds: Bounds, width: int, height: int) -> Stage:
    # at 72 dpi a point is a pixel
    figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor=_unit(BACKGROUND))
    axes = _axes(figure, bounds)
    labels = _labels(bounds)
    letter = max(10.0, height / 50)
    shown = np.array([*bounds.corners, *(position for position, _ in labels)])
    _fit(axes, shown, width, height, padding=1.5 * letter)
    _draw_floor(axes, bounds)
    _draw_walls(axes, bounds)
    font = {"fontsize": letter, "ha": "center", "va": "center"}
    for position, words in labels:
        axes.text(*position, words, color=_unit(TEXT_QUIET), zorder=3, **font)
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
    """Move and size the axes so that points (N, 3) m fill the panel, not two thirds of it.

    With p the points' pixels in the present axes, the new ones are at zoom · p + shift.
    """
    pixels = _projection(axes, height).pixels(points)
    low, high = pixels.min(0), pixels.max(0)
    free_low = np.array([padding, 3 * padding])  # the legend is on top
    free_high = np.array([width, height]) - padding
    zoom = float(np.min((free_high - free_low) / (high - low)))
    shift = (free_low + free_high) / 2 - zoom * (low + high) / 2  # px, y down
    # matplotlib's position: left, bottom, width, height in shares of the figure, y up
    axes.set_position((shift[0] / width, 1 - shift[1] / height - zoom, zoom, zoom))


def _projection(axes: Axes3D, height: int) -> Projection:
    """The camera matplotlib draws with: 3D projection, then data to display pixels, then y down."""
    axes.apply_aspect()
    world_to_plane, plane_to_display = axes.get_proj(), axes.transData.get_affine().get_matrix()
    across = plane_to_display @ world_to_plane[[0, 1, 3]]
    return Projection(np.stack([across[0], height * across[2] - across[1], across[2]]))


def _draw_floor(axes: Axes3D, bounds: Bounds) -> None:
    """The floor with its grid."""
    (x0, y0, _), (x1, y1, _) = bounds.low, bounds.high
    corners = [(x0, y0, 0), (x1, y0, 0), (x1, y1, 0), (x0, y1, 0)]
    floor = Poly3DCollection([corners], facecolors=[_unit(FLOOR)], zorder=0, clip_on=False)
    axes.add_collection3d(floor)
    for step, colour, thickness in ((bounds.step / 2, GRID, 0.8), (bounds.step, GRID_STRONG, 1.2)):
        lines = [[(x, y0, 0), (x, y1, 0)] for x in _marks(x0, x1, step)]
        lines += [[(x0, y, 0), (x1, y, 0)] for y in _marks(y0, y1, step)]
        axes.add_collection3d(_line_collection(lines, colour, thickness))


def _draw_walls(axes: Axes3D, bounds: Bounds) -> None:
    """Lines on the two far sides."""
    (x0, y0, _), (x1, y1, top) = bounds.low, bounds.high
    lines = [[(x0, y0, z), (x0, y1, z), (x1, y1, z)] for z in _marks(0.0, top, bounds.step)]
    lines += [[(x, y1, 0), (x, y1, top)] for x in _marks(x0, x1, bounds.step)]
    lines += [[(x0, y, 0), (x0, y, top)] for y in _marks(y0, y1, bounds.step)]
    lines += [[(x, y, 0), (x, y, top)] for x, y in ((x0, y0), (x0, y1), (x1, y1))]
    axes.add_collection3d(_line_collection(lines, WALL, 1.0))


def _line_collection(lines: list[Any], colour: Colour, thickness: float) -> Line3DCollection:
    """Lines through points (x, y, z) m, `thickness` in px, above the floor."""
    return Line3DCollection(
        lines, colors=[_unit(colour)], linewidths=thickness, zorder=1, clip_on=False
    )


def _labels(bounds: Bounds) -> list[tuple[Floats, str]]:
    """Positions (3,) m and words: metres along the floor's near edges and up the left edge."""
    (x0, y0, _), (x1, y1, top) = bounds.low, bounds.high
    gap = 0.04 * float(np.max(bounds.high - bounds.low))
    near = y0 - 1.8 * gap  # y is foreshortened
    labels = [((x, near, 0.0), f"{x:g}") for x in _marks(x0, x1, bounds.step)]
    labels += [((x1 + gap, y, 0.0), f"{y:g}") for y in _marks(y0, y1, bounds.step)]
    labels += [((x0 - gap, y0, z), f"{z:g}") for z in _marks(0.0, top, bounds.step)[1:]]
    labels += [(((x0 + x1) / 2, near - 3 * gap, 0.0), "x"), ((x1 + gap, y1 + 2.5 * gap, 0.0), "y")]
    labels += [((x0 - gap, y0, top + gap), "z")]
    return [(np.array(position), words) for position, words in labels]


def _marks(low: float, high: float, step: float) -> Floats:
    """Multiples of `step` from `low` to `high`."""
    return np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step + 0.0


def _unit(colour: Colour) -> tuple[float, float, float]:
    """A colour in matplotlib's 0…1."""
    return colour[0] / 255, colour[1] / 255, colour[2] / 255
