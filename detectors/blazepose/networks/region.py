"""The square of a frame that a network looks at, turned with the body in it."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_17
from core.types import Floats

REGION_MARGIN = 1.25
"""A region's half side over the body's radius, as in training."""

MIN_GAIN, GAIN_PER_SIDE = 0.2, 10.0
"""Smoothing of a region's motion, see `Region.toward`. Measured: a second difference of the
landmarks 12 % smaller than without, and landmarks closer to those of the published graph."""


STANDING_SIDE, STANDING_HIPS = 1.4, 0.52
"""Of a person who stands in a box: the region's side over the box's longer side, and where between
its top and its bottom the hips are. Measured on walking people."""
CUT_SIDE, CUT_HIPS = 2.4, 1.0
"""The same of a person who is seen down to the waist."""

HIPS = COCO_17.indices(("left_hip", "right_hip"))
SHOULDERS = COCO_17.indices(("left_shoulder", "right_shoulder"))
KEYPOINTS_RADIUS = 1.1
"""A body's radius over the largest distance of a keypoint from the hips."""


@dataclass(frozen=True)
class Region:
    """A square that holds a person.

    x, y: Its centre in frame px, the middle of the person's hips.
    side: The length of its side in px.
    angle: How far it is turned, radians from x towards y: 0 where the person's head is up in the
        picture.
    """

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def around(cls, hips: Floats, radius_point: Floats) -> "Region":
        """Make the region of a body.

        Args:
            hips: (2,) px, the middle of the hips.
            radius_point: (2,) px, from the hips towards the head, at the body's radius.
        """
        right, up = float(radius_point[0] - hips[0]), float(hips[1] - radius_point[1])
        side = 2 * REGION_MARGIN * math.hypot(right, up)
        return cls(float(hips[0]), float(hips[1]), max(side, 1.0), math.atan2(right, up))

    @classmethod
    def of_box(cls, box: Floats, is_cut: bool) -> "Region":
        """Make the region of an upright person from their box; it is rough.

        Args:
            box: (4,) x0 y0 x1 y1 px.
            is_cut: Whether the picture ends at its bottom, and the person does not.
        """
        x0, y0, x1, y1 = (float(value) for value in box)
        side, hips = (CUT_SIDE, CUT_HIPS) if is_cut else (STANDING_SIDE, STANDING_HIPS)
        longer = max(side * max(x1 - x0, y1 - y0), 1.0)
        return cls((x0 + x1) / 2, y0 + hips * (y1 - y0), longer, 0.0)

    @classmethod
    def of_keypoints(cls, keypoints: Floats) -> "Region":
        """Make the region of a person of whom COCO-21's keypoints (21, 2) px are known.

        It is rough, as that of a box: the body is taken to end a little beyond COCO-17's.
        """
        keypoints = keypoints[: len(COCO_17)]
        hips, shoulders = keypoints[HIPS].mean(0), keypoints[SHOULDERS].mean(0)
        radius = KEYPOINTS_RADIUS * np.linalg.norm(keypoints - hips, axis=1).max()
        up = shoulders - hips
        return cls.around(hips, hips + up * radius / max(float(np.linalg.norm(up)), 1e-6))

    def to_frame(self) -> Floats:
        """(2, 3): takes a point (x, y, 1) of the region, 0…1 across and down, to frame px."""
        c, s = self.side * math.cos(self.angle), self.side * math.sin(self.angle)
        return np.array([[c, -s, self.x - (c - s) / 2], [s, c, self.y - (s + c) / 2]])

    def to_region(self, xy: Floats) -> Floats:
        """Points (K, 2) frame px → 0…1 across and down the region, beyond it outside."""
        matrix = self.to_frame()
        points: Floats = np.linalg.solve(matrix[:, :2], (xy - matrix[:, 2]).T).T
        return points

    def toward(self, hips: Floats, radius_point: Floats) -> "Region":
        """Move this region towards `around(hips, radius_point)`, with exponential smoothing.

        p ← p + a (q - p), a = min(1, MIN_GAIN + GAIN_PER_SIDE max |q - p| / side), where p are
        the hips and the radius point of this region and q the new ones: small motions are damped,
        large ones are followed at once. The landmarks jitter less in a crop that does not; the
        published graph has a One-Euro filter for it.

        Args:
            hips, radius_point: (2,) px each, as for `around`.
        """
        up = self.side / 2 / REGION_MARGIN * np.array([math.sin(self.angle), -math.cos(self.angle)])
        centre = np.array([self.x, self.y])
        old = np.stack([centre, centre + up])
        change = np.stack([hips, radius_point]) - old
        largest = float(np.linalg.norm(change, axis=1).max())
        gain = min(1.0, MIN_GAIN + GAIN_PER_SIDE * largest / self.side)
        return Region.around(*(old + gain * change))

    def distance(self, other: "Region") -> float:
        """The distance between the centres in px."""
        return math.hypot(self.x - other.x, self.y - other.y)

    def crop(self, rgb: NDArray[np.uint8], size: int, border: int) -> NDArray[np.uint8]:
        """Cut the region out of a frame as an upright picture.

        Args:
            rgb: (H, W, 3) the frame.
            size: The picture's side in px.
            border: OpenCV's border mode, for what lies outside the frame.

        Returns:
            (size, size, 3) the picture.
        """
        matrix = self.to_frame()
        for _ in range(math.ceil(math.log2(max(self.side / size / 4, 1)))):
            # Each pixel of the crop reads 2 x 2 of the frame: of a much larger one, it would
            # leave most out.
            height, width = rgb.shape[:2]
            half = max(width // 2, 1), max(height // 2, 1)
            rgb = cv2.resize(rgb, half, interpolation=cv2.INTER_AREA)
            matrix *= np.array([[half[0] / width], [half[1] / height]])
        # OpenCV counts from pixel centres, ours from pixel corners: half a pixel in both pictures.
        matrix[:, :2] /= size
        matrix[:, 2] += matrix[:, :2].sum(1) / 2 - 0.5
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop: NDArray[np.uint8] = cv2.warpAffine(
            rgb, matrix, (size, size), flags=flags, borderMode=border
        )
        return crop


def standing_in(box: Floats, rgb: NDArray[np.uint8]) -> Region:
    """The region of an upright person in a box (4,) px, who may be cut by the frame's bottom."""
    return Region.of_box(box, is_cut=bool(box[3] >= rgb.shape[0] - 1))
