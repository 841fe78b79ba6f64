"""Drawing on pictures: crisp at fractions of a pixel, in real type.

Positions follow the project's convention: (0, 0) is the top left corner of the top left pixel, so a pixel's middle is
at halves. OpenCV counts from the middle of the first pixel; the half is taken off here and nowhere else.
"""

from functools import lru_cache

import cv2
import numpy as np
from matplotlib import font_manager
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.types import Floats
from pipeline.render.palette import Colour

Picture = NDArray[np.uint8]

_SHIFT = 4  # OpenCV takes sixteenths of a pixel: figures then move smoothly instead of in steps
_PARTS = 1 << _SHIFT
_HALF = (_PARTS - 1) / 2  # half a pixel less, half a part more for rounding


def line(image: Picture, start: Floats, end: Floats, colour: Colour, thickness: float) -> None:
    """A round-ended line between two (2,) px."""
    cv2.line(
        image, _fixed(start), _fixed(end), colour, max(1, round(thickness)), cv2.LINE_AA, _SHIFT
    )


def disc(image: Picture, centre: Floats, radius: float, colour: Colour) -> None:
    """A filled circle around (2,) px."""
    cv2.circle(
        image,
        _fixed(centre),
        max(1, round(radius * _PARTS)),
        colour,
        cv2.FILLED,
        cv2.LINE_AA,
        _SHIFT,
    )


def text(
    image: Picture, words: str, x: float, y: float, size: int, colour: Colour, bold: bool = False
) -> None:
    """Words with their left end at x and their middle at y."""
    mask = _letters(words, size, bold)
    blend(image, mask, round(x), round(y - mask.shape[0] / 2), colour)


def text_width(words: str, size: int, bold: bool = False) -> int:
    """How many pixels wide `text` would be."""
    return int(_letters(words, size, bold).shape[1])


def plate(
    image: Picture, x: float, y: float, width: int, height: int, colour: Colour, alpha: float
) -> None:
    """A filled rectangle with round corners, its top left at x, y."""
    blend(image, _rounded(width, height, alpha), round(x), round(y), colour)


def blend(image: Picture, mask: Picture, left: int, top: int, colour: Colour) -> None:
    """Lay a colour over the picture through a mask (h, w) of 0…255, cut off at the picture's edges."""
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + mask.shape[1], image.shape[1]), min(top + mask.shape[0], image.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    under = image[y0:y1, x0:x1]
    share = mask[y0 - top : y1 - top, x0 - left : x1 - left, None].astype(np.uint16)
    under[:] = (under * (255 - share) + np.array(colour, np.uint16) * share + 127) // 255


def fits(point: Floats, image: Picture, margin: float = 4096.0) -> bool:
    """Whether (2,) px is a number near enough to the picture for OpenCV's fixed-point arithmetic."""
    height, width = image.shape[:2]
    return bool(-margin < point[0] < width + margin and -margin < point[1] < height + margin)


def _fixed(point: Floats) -> tuple[int, int]:
    return int(point[0] * _PARTS - _HALF), int(point[1] * _PARTS - _HALF)


@lru_cache(maxsize=512)
def _letters(words: str, size: int, bold: bool) -> Picture:
    """Words as a mask (h, w), 0…255; as high as the tallest letter of the face, so that lines keep level."""
    font = _font(size, bold)
    ascent, descent = font.getmetrics()
    picture = Image.new("L", (max(1, round(font.getlength(words)) + 1), ascent + descent))
    ImageDraw.Draw(picture).text((0, 0), words, fill=255, font=font)
    return np.asarray(picture)


@lru_cache(maxsize=16)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    face = font_manager.FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    return ImageFont.truetype(font_manager.findfont(face), size)  # comes with matplotlib


@lru_cache(maxsize=64)
def _rounded(width: int, height: int, alpha: float) -> Picture:
    picture = Image.new("L", (width * 4, height * 4))
    ImageDraw.Draw(picture).rounded_rectangle(
        (0, 0, width * 4 - 1, height * 4 - 1), radius=height, fill=255
    )
    small = np.asarray(picture.resize((width, height), Image.Resampling.BOX), np.float32)
    return (small * alpha).astype(np.uint8)
