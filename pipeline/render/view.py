"""The 3D view's camera: a pinhole that looks at people from behind the video's camera.

World axes: x to the right as the video's camera sees it, y away from it, z up, metres, floor at
z = 0.
"""

from dataclasses import dataclass

import numpy as np

from core.types import Floats

AZIMUTH_DEG, ELEVATION_DEG = 12.0, 12.0
"""How far the view is turned to the right, and raised, from that of the video's camera: left and
right agree with the video beside it, and who is nearer can be seen."""

FIELD_OF_VIEW_DEG = 45.0
"""Across the smaller side of the panel."""


def view_axes(azimuth_deg: Floats | float, elevation_deg: float = ELEVATION_DEG) -> Floats:
    """The axes of a view.

    Args:
        azimuth_deg: (…) 0 looks along y, as the video's camera does; 90 from its right side.
        elevation_deg: How far the view looks down.

    Returns:
        (…, 3, 3) unit vectors in the world: to the right, up and forward in the picture.
    """
    turn, down = np.radians(azimuth_deg), np.radians(elevation_deg)
    sine, cosine, zero = np.sin(turn), np.cos(turn), np.zeros_like(turn)
    right = [cosine, sine, zero]
    up = [-sine * np.sin(down), cosine * np.sin(down), zero + np.cos(down)]
    forward = [-sine * np.cos(down), cosine * np.cos(down), zero - np.sin(down)]
    return np.stack([np.stack(axis, -1) for axis in (right, up, forward)], -2)


def letter_size(height: int) -> int:
    """px of words in a picture of this height."""
    return max(11, height // 48)


@dataclass(frozen=True)
class Lens:
    """How a view lies in its panel.

    width, height: The panel's, px.
    """

    width: int
    height: int

    @property
    def focal(self) -> float:
        """Focal length, px."""
        half = np.radians(FIELD_OF_VIEW_DEG) / 2
        return float(min(self.width, self.height) / 2 / np.tan(half))

    @property
    def centre(self) -> tuple[float, float]:
        """Where the view's middle lies, px: a little low, since names stand above heads."""
        return self.width / 2, self.height / 2 + 1.5 * letter_size(self.height)

    @property
    def slopes(self) -> tuple[float, float]:
        """Tangents across and up of what people may fill: x m beside the axis and d m before the
        camera is shown well where |x| ≤ slope · d."""
        letter, (x, y) = letter_size(self.height), self.centre
        return (x - letter) / self.focal, (self.height - 1.5 * letter - y) / self.focal


@dataclass(frozen=True)
class View:
    """A pinhole camera, and the picture that it makes.

    axes: (3, 3) of `view_axes`.
    position: (3,) metres, where it stands.
    lens: Its lens.
    """

    axes: Floats
    position: Floats
    lens: Lens

    def pixels(self, points: Floats) -> Floats:
        """(…, 3) m → (…, 2) px."""
        right, up, forward = np.moveaxis((points - self.position) @ self.axes.T, -1, 0)
        x, y = self.lens.centre
        per_m = self.lens.focal / forward
        return np.stack([x + per_m * right, y - per_m * up], -1)

    def depth(self, points: Floats) -> Floats:
        """(…, 3) m → (…,) metres before the camera, along the view."""
        return np.asarray((points - self.position) @ self.axes[2])

    def scale(self, points: Floats) -> Floats:
        """(…, 3) m → (…,) px that a metre across the view measures there."""
        return np.asarray(self.lens.focal / self.depth(points))

    @property
    def floor_distance_m(self) -> float:
        """How far away the view's middle meets the floor, as if from at least 0.5 m up."""
        return float(max(self.position[2], 0.5) / max(-self.axes[2, 2], 0.1))
