"""Which size a video's pictures are given, where pixels are not square or the size changes."""

from dataclasses import dataclass
from fractions import Fraction

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
