"""What surrounds a filmed person: a lens that shows them, a background, things in front of them."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Floats, Intrinsics
from train.wild.people.picture import Occluder

_MIN_DEPTH_M = 0.5
_MIN_SHARE = 0.25  # of the picture's height that the person takes
_MAX_FOV_DEG = 110.0
_CUT_OFF_CHANCE = 0.15  # that the picture is too small for the whole performance
_OCCLUDER_CHANCE = 0.12
_SMALL_PX = (28.0, 90.0)  # from head to foot
_BLUR_SHARE = (0.004, 0.02)  # standard deviation over the person's length


def draw_lens(
    joints: Floats, width: int, height: int, rng: np.random.Generator
) -> Intrinsics | None:
    """Draw a lens that shows a performance, or most of it, at a random position in the picture.

    Args:
        joints: (T, 22, 3) in camera space, metres.
        width: Of the picture, px.
        height: Of the picture, px.
        rng: Decides all that is random.

    Returns:
        The lens; None where the person comes too near, is too small or would need a very wide lens.
    """
    if joints[..., 2].min() < _MIN_DEPTH_M:
        return None
    rays = joints[..., :2] / joints[..., 2:]
    low, high = rays.min((0, 1)), rays.max((0, 1))
    size = np.array([width, height])
    cut = rng.random() < _CUT_OFF_CHANCE
    fitting = (size / (high - low)).min()  # the focal length that just shows all
    focal = float(fitting * (rng.uniform(1.0, 1.5) if cut else rng.uniform(0.5, 0.92)))
    room = size - focal * (high - low)
    # Off the picture's middle, as in a picture that was cut out of a larger one.
    centre = room * rng.uniform(0, 1, 2) - focal * low
    share = np.ptp(rays[..., 1], axis=1).mean() * focal / height
    half = max(width, height) / 2 / focal  # tangent of half the field of view
    if share < _MIN_SHARE or half > np.tan(np.radians(_MAX_FOV_DEG / 2)):
        return None
    return Intrinsics(focal, focal, float(centre[0]), float(centre[1]), "given")


def draw_background(width: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw (height, width, 3): wall and floor, patches of several sizes, rectangles and discs."""
    canvas = np.zeros((height, width, 3), np.float32)
    horizon = int(height * rng.uniform(0.3, 0.9))
    canvas[:horizon], canvas[horizon:] = rng.uniform(30, 230, (2, 3))
    for cells, strength in ((3, 40), (10, 30), (40, 20), (160, 12)):
        small = rng.normal(0, strength * rng.uniform(0, 1), (cells, cells, 3)).astype(np.float32)
        smooth = cv2.INTER_CUBIC if rng.random() < 0.7 else cv2.INTER_NEAREST
        canvas += cv2.resize(small, (width, height), interpolation=smooth)
    for _ in range(rng.integers(0, 9)):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(10, width // 2), rng.integers(10, height // 2)
        colour = tuple(rng.uniform(0, 255, 3).tolist())
        if rng.random() < 0.7:
            cv2.rectangle(canvas, (int(x), int(y)), (int(x + w), int(y + h)), colour, -1)
        else:
            cv2.circle(canvas, (int(x), int(y)), int(w // 3), colour, -1)
    blurred = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 3.0))
    return np.asarray(blurred.clip(0, 255), np.uint8)


def draw_occluder(
    points: Floats, width: int, height: int, rng: np.random.Generator
) -> Occluder | None:
    """Draw, now and then, a thing in front of a person whose points are at (T, 22, 2) px."""
    if rng.random() > _OCCLUDER_CHANCE:
        return None
    middle_frame = points[len(points) // 2]
    low, high = middle_frame.min(0), middle_frame.max(0)
    middle = rng.uniform(low, high)
    half = (high - low) * rng.uniform(0.1, 0.35, 2)
    corners = np.concatenate([middle - half, middle + half])
    return corners, draw_background(width // 4, height // 4, rng)


class Sensor:
    """What one camera does to all its pictures: resolution, light, blur, noise, compression.

    Attributes:
        scale: Of the pictures it keeps, over those that are drawn.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        hard: frozenset[str] = frozenset(),
        person_px: float = math.inf,
    ) -> None:
        """Draw a camera.

        Args:
            rng: Decides all that is random.
            hard: The shot's hardships.
            person_px: How long the person is in the pictures that are drawn.
        """
        self._blur = float(rng.uniform(0.3, 1.5)) if rng.random() < 0.5 else 0.0
        self._noise = float(rng.uniform(0, 10))
        self._quality = int(rng.integers(25, 95))
        self._gain, self._gamma, self.scale = 1.0, 1.0, 1.0
        if "small" in hard:
            self.scale = min(1.0, float(np.exp(rng.uniform(*np.log(_SMALL_PX)))) / person_px)
            self._blur *= self.scale
        if "dark" in hard:
            self._gain, self._gamma = float(rng.uniform(0.2, 0.6)), float(rng.uniform(1.0, 1.4))
        if "blurred" in hard:
            self._blur = float(rng.uniform(*_BLUR_SHARE)) * person_px * self.scale
        if "compressed" in hard:
            self._quality = int(rng.integers(3, 12))

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the pictures it keeps, px."""
        return max(1, round(width * self.scale)), max(1, round(height * self.scale))

    def degrade(self, picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """(H, W, 3) as the camera would have kept it."""
        if self.scale < 1:
            height, width = picture.shape[:2]
            picture = cv2.resize(picture, self.size(width, height), interpolation=cv2.INTER_AREA)
        if self._gain < 1:
            light = 255 * self._gain * (np.arange(256) / 255) ** self._gamma
            picture = light.astype(np.uint8)[picture]
        if self._blur:
            picture = cv2.GaussianBlur(picture, (0, 0), self._blur)
        grain = rng.integers(-128, 128, picture.shape[:2], np.int16)[..., None] * (
            self._noise / 128
        )
        noisy = (picture + grain).clip(0, 255).astype(np.uint8)
        _, packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
