"""Which size a video's pictures are given, where pixels are not square or the size changes."""

from dataclasses import dataclass
from fractions import Fraction

import cv2

from core.types import Picture
from pipeline.media.video.ffmpeg_text import ShownFrame

NEARLY_SQUARE = Fraction(1, 100)
"""Pixels this little wider or narrower than high count as square: encoders round."""

_EXACT = "bicubic+accurate_rnd+full_chroma_int"  # joints are found nearer to a square twin's

MAX_SAR = 5
"""Pixels wider or narrower by more than this are a damaged header's, and count as square."""


@dataclass(frozen=True)
class Size:
    """Width and height, px, of upright pictures with square pixels."""

    width: int
    height: int


def pixel_shape(frame: ShownFrame) -> Fraction:
    """Width over height of a frame's pixels; 1 where that is nearly so, or nonsense."""
    sar = frame.sar
    is_plain = abs(sar - 1) <= NEARLY_SQUARE or not 1 / Fraction(MAX_SAR) <= sar <= MAX_SAR
    return Fraction(1) if is_plain else sar


def square_size(frame: ShownFrame) -> Size:
    """The size that a frame has with square pixels: its height stays."""
    return Size(max(1, round(frame.width * pixel_shape(frame))), frame.height)


def fit_filter(size: Size, first: ShownFrame) -> str:
    """The ffmpeg filters that fit any frame of a stream into one size, with bars beside it.

    Args:
        size: That of the pictures that come out.
        first: The stream's first frame, which fills it.
    """
    is_square = pixel_shape(first) == 1
    sar, flags = ("1", "bicubic") if is_square else ("sar", _EXACT)
    wide, high = f"(iw*{sar})", "ih"
    scale = f"min({size.width}/{wide},{size.height}/{high})"
    return (
        f"scale=w='max(1,round({wide}*{scale}))':h='max(1,round({high}*{scale}))'"
        f":flags={flags},format=rgb24,"
        f"pad={size.width}:{size.height}:(ow-iw)/2:(oh-ih)/2,setsar=1"
    )


@dataclass(frozen=True)
class SizeChange:
    """When the picture of a stream first has another size than at the start, and which, px."""

    time_s: float
    width: int
    height: int

    def warning(self, width: int, height: int) -> str:
        """What the report says of it; the size of the pictures that come out, px."""
        return (
            f"its picture becomes {self.width} × {self.height} px at {self.time_s:.2f} s: from "
            f"there on it is fitted into {width} × {height} px, with bars where it is narrower"
        )


def shrink(picture: Picture, size: Size) -> Picture:
    """Bring a picture (H, W, 3) to a size: halved while it stays at least as high, then resized.

    Shrunk to a third of its size in one go, fine detail would flicker.
    """
    while picture.shape[0] >= 2 * size.height:
        picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    if picture.shape[1::-1] == (size.width, size.height):
        return picture
    resized: Picture = cv2.resize(
        picture, (size.width, size.height), interpolation=cv2.INTER_LINEAR
    )
    return resized


def fit_picture(picture: Picture, size: Size) -> Picture:
    """Fit a picture (H, W, 3) into a size, with bars beside it."""
    high, wide = picture.shape[:2]
    scale = min(size.width / wide, size.height / high)
    width, height = max(1, round(wide * scale)), max(1, round(high * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = (size.width - width) // 2, (size.height - height) // 2
    fitted: Picture = cv2.copyMakeBorder(
        cv2.resize(picture, (width, height), interpolation=how),
        *(top, size.height - height - top, left, size.width - width - left),
        cv2.BORDER_CONSTANT,
    )
    return fitted
