"""The 3D view's stage: how far it reaches, and the camera that looks at it.

World axes: x to the right as the video's camera sees it, y away from it, z up, metres, floor at
z = 0. `stage_plot` draws it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np

from core.types import Floats, Picture, WorldPoses

MIN_SPAN_M, MIN_HEIGHT_M = 2.4, 2.0
MARGIN_M, HEADROOM_M = 0.15, 0.2
OUTLIER_PERCENT = 2.0
"""So many of a person's joints may lie outside on each side: a root that is lost for a few frames
must not shrink everything else."""


@dataclass(frozen=True)
class Bounds:
    """The box that the stage shows.

    low: (3,) metres.
    high: (3,) metres.
    step: Metres between strong grid lines.
    """

    low: Floats
    high: Floats
    step: float

    @property
    def corners(self) -> Floats:
        """(8, 3) metres."""
        return np.array(list(product(*zip(self.low, self.high, strict=True))))


def find_bounds(worlds: Iterable[WorldPoses]) -> Bounds:
    """Find a box that holds all people in all frames, but for outliers.

    Args:
        worlds: The people; NaN is ignored.
    """
    joints = (world.joints_m.reshape(-1, 3) for world in worlds)
    finite = (points[np.isfinite(points).all(1)] for points in joints)
    percentiles = [OUTLIER_PERCENT, 100 - OUTLIER_PERCENT]
    # (N, 2, 3): each person's lower and upper corner
    reach = np.array(
        [np.percentile(points, percentiles, axis=0) for points in finite if len(points)]
        or np.zeros((1, 2, 3))
    )
    low, high = reach[:, 0].min(0), reach[:, 1].max(0)
    middle = (low + high) / 2
    half = np.maximum((high - low) / 2 + MARGIN_M, MIN_SPAN_M / 2)
    step = next((step for step in (1.0, 2.0, 5.0, 10.0) if half[:2].max() * 2 <= 12 * step), 20.0)
    # the floor ends on weak grid lines, of which there are two a step
    floor_low = np.floor((middle - half)[:2] / step * 2) * step / 2
    floor_high = np.ceil((middle + half)[:2] / step * 2) * step / 2
    top = max(MIN_HEIGHT_M, high[2] + HEADROOM_M)
    return Bounds(np.array([*floor_low, 0.0]), np.array([*floor_high, top]), step)


@dataclass(frozen=True)
class Projection:
    """World metres → pixels of the panel, matplotlib's perspective included.

    matrix: (3, 4) homogeneous: (u w, v w, w) = matrix · (x, y, z, 1), where w is the depth.
    """

    matrix: Floats

    def pixels(self, points: Floats) -> Floats:
        """(…, 3) m → (…, 2) px."""
        flat = points @ self.matrix[:, :3].T + self.matrix[:, 3]
        return np.asarray(flat[..., :2] / flat[..., 2:])

    def depth(self, points: Floats) -> Floats:
        """(…, 3) m → (…,) distance along the view, in matplotlib's units; larger is further."""
        return np.asarray(points @ self.matrix[2, :3] + self.matrix[2, 3])

    def scale(self, points: Floats) -> Floats:
        """(…, 3) m → (…,) px that a metre across the view measures there.

        It is |∂u/∂(x, y, z)| = |m₁ - u m₃| / w, with mᵢ the rows of the matrix.
        """
        across = self.matrix[0, :3] - self.pixels(points)[..., :1] * self.matrix[2, :3]
        return np.asarray(np.linalg.norm(across, axis=-1) / self.depth(points))


@dataclass(frozen=True)
class Stage:
    """The empty scene.

    picture: (height, width, 3) RGB.
    projection: The camera it is drawn with, to draw people with.
    bounds: The box it shows.
    """

    picture: Picture
    projection: Projection
    bounds: Bounds
