"""Drawing on pictures: crisp at fractions of a pixel, in real type.

Positions follow the project's convention: (0, 0) is the top left corner of the top left pixel, so a
pixel's middle is at halves. OpenCV counts from the middle of the first pixel; the half is taken off
here and nowhere else.
"""

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.types import Floats, Picture
from pipeline.render.palette import BLACK, Colour

Mask = NDArray[np.uint8]
"""(h, w) opacity, 0…255."""
FixedPoint = Sequence[int]
"""x and y in sixteenths of a pixel, from the middle of the first one."""

_SHIFT = 4  # OpenCV takes sixteenths of a pixel: figures then move smoothly instead of in steps
_PARTS = 1 << _SHIFT
_BAND = 32  # rows
_BESIDE = 2  # px, for what of a letter lies beyond its width
_HALF = (_PARTS - 1) / 2  # half a pixel less, half a part more for rounding


def fixed_points(points: Floats) -> Any:
    """Points (…, 2) px as nested lists of what `line` and `disc` take."""
    return (points.astype(np.float64) * _PARTS - _HALF).astype(np.int64).tolist()


def line(
    image: Picture | Mask, start: FixedPoint, end: FixedPoint, colour: Colour, thickness: float
) -> None:
    """Draw a line with round ends.

    Args:
        image: (H, W, 3) RGB, or a mask (H, W); drawn into.
        start, end: As `fixed_points` gives them.
        colour: RGB, 0…255.
        thickness: px; at least 1 is drawn.
    """
    cv2.line(image, start, end, colour, max(1, round(thickness)), cv2.LINE_AA, _SHIFT)


def lines(image: Picture, ends: Floats, colour: Colour, thickness: int) -> None:
    """Draw many lines of one colour: `ends` (L, 2, 2) px, `thickness` in px."""
    fixed = (ends * _PARTS - _HALF).astype(np.int32)
    cv2.polylines(image, list(fixed), False, colour, thickness, cv2.LINE_AA, _SHIFT)


def disc(image: Picture, centre: FixedPoint, radius: float, colour: Colour) -> None:
    """Draw a filled circle around a centre, as `fixed_points` gives it; `radius` in px."""
    parts = max(1, round(radius * _PARTS))
    cv2.circle(image, centre, parts, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def text(
    image: Picture, words: str, x: float, y: float, size: int, colour: Colour, bold: bool = False
) -> None:
    """Draw words with their left end at x px and their middle at y px; `size` in px."""
    mask = _text_mask(words, size, bold)
    blend(image, mask, round(x), round(y - mask.shape[0] / 2), colour)


def text_width(words: str, size: int, bold: bool = False) -> int:
    """The width in px that `text` draws at."""
    return int(_text_mask(words, size, bold).shape[1])


def rounded_rectangle(
    image: Picture, x: float, y: float, width: int, height: int, colour: Colour, alpha: float
) -> None:
    """Draw a filled rectangle with round corners.

    Args:
        image: (H, W, 3) RGB; drawn into.
        x: Its left side, px.
        y: Its top, px.
        width: px.
        height: px.
        colour: RGB, 0…255.
        alpha: Opacity, 0…1.
    """
    blend(image, _rectangle_mask(width, height, alpha), round(x), round(y), colour)


def blend(image: Picture, mask: Mask, left: int, top: int, colour: Colour) -> None:
    """Lay a colour over a picture through a mask, cut off at the picture's edges.

    Args:
        image: (H, W, 3) RGB; drawn into.
        mask: (h, w) opacity, 0…255.
        left: Column of the mask's first pixel; may be negative.
        top: Row likewise.
        colour: RGB, 0…255.
    """
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + mask.shape[1], image.shape[1]), min(top + mask.shape[0], image.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    for y in range(y0, y1, _BAND):  # in bands, whose intermediate pictures stay in the cache
        band = mask[y - top : min(y + _BAND, y1) - top, x0 - left : x1 - left]
        column, row, width, height = cv2.boundingRect(band)
        if width == 0:
            continue
        opacity = band[row : row + height, column : column + width]
        under = image[y + row :, x0 + column :][:height, :width]
        kept = cv2.bitwise_not(cv2.merge([opacity] * 3))
        cv2.multiply(under, kept, dst=under, scale=1 / 255)
        if colour == BLACK:  # adds nothing
            continue
        laid = cv2.merge([cv2.convertScaleAbs(opacity, alpha=channel / 255) for channel in colour])
        cv2.add(under, laid, dst=under)


def are_drawable(
    points: Floats, image: Picture | Mask, margin: float = 4096.0
) -> NDArray[np.bool_]:
    """(…,) whether points (…, 2) px are finite and near enough for OpenCV's integers."""
    size = np.array(image.shape[1::-1])
    return np.asarray(((points > -margin) & (points < size + margin)).all(-1))


@lru_cache(maxsize=512)
def _text_mask(words: str, size: int, bold: bool) -> Mask:
    """Words as a mask, as high as the tallest letter of the face, so that lines keep level.

    Letters are set side by side without kerning: words with a number are new in every frame.
    """
    glyphs = [_glyph(letter, size, bold) for letter in words]
    starts = np.cumsum([0.0, *(advance for _, advance in glyphs)])
    mask = np.zeros((sum(_font(size, bold).getmetrics()), int(starts[-1]) + 2 * _BESIDE), np.uint8)
    for (glyph, _), start in zip(glyphs, starts.tolist(), strict=False):
        into = mask[:, round(start) : round(start) + glyph.shape[1]]
        np.maximum(into, glyph[:, : into.shape[1]], out=into)
    return mask[:, _BESIDE : mask.shape[1] - _BESIDE + 1]


@lru_cache(maxsize=1024)
def _glyph(letter: str, size: int, bold: bool) -> tuple[Mask, float]:
    """A letter as a mask with `_BESIDE` px at its sides, and how far the next one starts, px."""
    font = _font(size, bold)
    advance = float(font.getlength(letter))
    picture = Image.new("L", (round(advance) + 2 * _BESIDE, sum(font.getmetrics())))
    ImageDraw.Draw(picture).text((_BESIDE, 0), letter, fill=255, font=font)
    return np.asarray(picture), advance


@lru_cache(maxsize=16)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """The face that comes with matplotlib, which is slow to import and need not be for that."""
    found = find_spec("matplotlib")
    assert found is not None
    assert found.origin is not None
    faces = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    return ImageFont.truetype(faces / f"DejaVuSans{'-Bold' if bold else ''}.ttf", size)


@lru_cache(maxsize=64)
def _rectangle_mask(width: int, height: int, alpha: float) -> Mask:
    """A rectangle with round corners, drawn at four times its size for smooth edges."""
    picture = Image.new("L", (width * 4, height * 4))
    ImageDraw.Draw(picture).rounded_rectangle(
        (0, 0, width * 4 - 1, height * 4 - 1), radius=height, fill=255
    )
    small = np.asarray(picture.resize((width, height), Image.Resampling.BOX), np.float32)
    return (small * alpha).astype(np.uint8)
