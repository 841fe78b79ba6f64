"""Pictures: read, written, and as the frames of a clip.

A picture alone is a clip of one frame; a folder of numbered ones is a clip at a rate that is given.
"""

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from PIL import ExifTags, Image

from core.camera import focal_from_35mm
from core.errors import InputError
from core.files import number_in, read_input
from core.types import Frame, Picture, VideoInfo
from pipeline.media.ffmpeg_program import BOUNDED, local_input, run_ffmpeg
from pipeline.media.files import MAX_PIXELS, too_large_error
from pipeline.media.image_bytes import (
    MAX_SCANS,
    begins_still,
    exif_data,
    heif_pixels,
    is_for_ffmpeg,
    plain_png,
    scans,
)
from pipeline.media.options import span_text
from pipeline.media.video.fitting import Size, shrink

IMAGE_SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".jp2", ".png", ".webp",
    ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".avif", ".heic", ".heif", ".hif",
))  # fmt: skip
"""Endings by which a file is taken for a picture, before it is opened; a .gif is a video."""

_STILL_FORMATS = frozenset({"JPEG", "MPO", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000"})
_ANIMATED_FORMATS = frozenset({"PNG", "WEBP", "AVIF"})
"""Pillow's names; only in the second are several pictures an animation."""

_EXIF_SIZE = (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
_SAME_SHAPE = 0.02  # by which shapes may differ: of whole blocks, or made smaller

STILL_FPS = 1.0
"""The rate that a picture alone is said to have."""


def is_image(path: Path) -> bool:
    """Whether a path is that of a picture, by its ending."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def is_still(path: Path) -> bool:
    """Whether a file is one picture, by its content: no animation, whatever its name.

    Where its content is of no known kind, the ending decides.
    """
    try:
        with path.open("rb") as file:
            if not begins_still(file.read(16)):
                return is_image(path)  # before Pillow loads the readers of all kinds
        with _silent(), Image.open(path) as picture:
            kind = picture.format
            is_animation = kind in _ANIMATED_FORMATS and getattr(picture, "n_frames", 1) > 1
    except Exception:  # Pillow reads fewer formats than OpenCV, and refuses huge ones
        return is_image(path)
    return (is_image(path) or kind in _STILL_FORMATS) and not is_animation


def image_sequence(folder: Path) -> list[Path]:
    """List the pictures of a folder by the number in their names.

    Raises:
        InputError: A name has no number, two have the same, or there are no pictures.
    """
    by_number: dict[int, Path] = {}
    try:
        paths = sorted(path for path in folder.iterdir() if is_image(path))
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from error
    for path in paths:
        number = number_in(path.name)
        if number is None:
            raise InputError(
                f"{folder}: {path.name} has no number, by which pictures become a clip"
            )
        if number in by_number:
            raise InputError(
                f"{folder}: {by_number[number].name} and {path.name} have the same number; "
                "keep one of them"
            )
        by_number[number] = path
    if not by_number:
        raise InputError(f"{folder}: holds no pictures to make a clip of")
    return [by_number[number] for number in sorted(by_number)]


class ImageReader:
    """Pictures as the frames of a clip; a `ClipReader`.

    They are turned upright by the camera's EXIF orientation. A picture that cannot be decoded is
    left out, and `warning` says so at the end.

    Args:
        path: The clip: the picture itself, or the folder that holds the pictures.
        pictures: Their paths, in order; at least one.
        fps: Pictures a second: the i-th is shown at i / fps.
        start_s: Second to start at, None for the first picture.
        end_s: Second to stop before, None for no end.
        size: Of the frames; None for that of the pictures.

    Raises:
        InputError: The first picture cannot be decoded; while iterating: a picture has another size
            than the first, or none lies between `start_s` and `end_s`.
    """

    def __init__(
        self,
        path: Path,
        pictures: Sequence[Path],
        fps: float,
        start_s: float | None = None,
        end_s: float | None = None,
        size: Size | None = None,
    ) -> None:
        self.warning: str | None = None
        self.picture_numbers = [number_in(picture.name) or 0 for picture in pictures]
        """The numbers in the pictures' names, 0 where a picture alone has none."""
        self._pictures, self._shown_size = pictures, size
        self._start_s, self._end_s = start_s or 0.0, math.inf if end_s is None else end_s
        with _readable(pictures[0]):
            content = read_input(pictures[0])
            first = _decoded(pictures[0], content)
        if first is None:
            raise InputError(
                f"{pictures[0]}: cannot be decoded; if it opens elsewhere, save it as JPEG or PNG"
            )
        height, width = first.shape[:2]
        self.info = VideoInfo(
            path, width, height, fps, len(pictures), 0, len(pictures) / fps,
            focal_px=_focal_px(content, width, height),
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Do nothing: no file is held open."""

    def __iter__(self) -> Iterator[Frame]:
        read, undecodable = 0, 0
        for index, picture in enumerate(self._pictures):
            time_s = index / self.info.fps
            if not self._start_s <= time_s < self._end_s:
                continue
            rgb = read_image(picture)
            if rgb is None:
                undecodable += 1
                continue
            self._check_size(picture, rgb)
            yield Frame(
                index, time_s, rgb if self._shown_size is None else shrink(rgb, self._shown_size)
            )
            read += 1
        if undecodable:
            self.warning = f"{undecodable} of its pictures cannot be decoded and are left out"
        if not read:
            raise InputError(
                f"{self.info.path}: no picture {span_text(self._start_s, self._end_s)}"
            )

    def _check_size(self, path: Path, rgb: Picture) -> None:
        height, width = rgb.shape[:2]
        if (width, height) != (self.info.width, self.info.height):
            expected = f"{self._pictures[0].name} is {self.info.width} × {self.info.height}"
            raise InputError(f"{path}: is {width} × {height} px, {expected}; a clip has one size")


def read_image(path: Path) -> Picture | None:
    """Read a picture.

    Returns:
        (H, W, 3) RGB, upright; None where it cannot be decoded.

    Raises:
        InputError: The file cannot be read, or the picture is larger than a video may be.
    """
    with _readable(path):
        return _decoded(path, read_input(path))


def write_image(path: Path, rgb: Picture) -> None:
    """Write a picture in the format of the path's ending.

    Args:
        path: The file to write; its folder must exist.
        rgb: (H, W, 3) RGB, or (H, W, 4) with opacity, for formats that have it.

    Raises:
        OSError: The system refuses to write.
    """
    order = cv2.COLOR_RGB2BGR if rgb.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    _, data = cv2.imencode(path.suffix, cv2.cvtColor(rgb, order))
    path.write_bytes(data.tobytes())


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say in one line what the system refuses."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _decoded(path: Path, content: bytes) -> Picture | None:
    """The picture of a file's content; see `read_image`."""
    data = plain_png(content)
    if is_for_ffmpeg(data):
        data = _converted(path, heif_pixels(data))
    if not _has_size(path, data):
        return None
    if scans(data) > MAX_SCANS:
        raise InputError(f"{path}: has more than {MAX_SCANS} scans; save it as a plain JPEG")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # damaged
        return None
    return None if picture is None else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _focal_px(content: bytes, width: int, height: int) -> float | None:
    """The focal length of a picture by its Exif data, px; None where they do not tell.

    A picture that was cut to another shape shows less than the lens did.
    """
    exif = Image.Exif()
    try:
        exif.load(exif_data(content))
        lens = exif.get_ifd(ExifTags.IFD.Exif)
        focal_mm = float(lens.get(ExifTags.Base.FocalLengthIn35mmFilm, 0))
        sides = [float(lens[tag]) for tag in _EXIF_SIZE if tag in lens]
    except Exception:  # whatever Pillow raises at what is damaged
        return None
    if len(sides) == 2 and not math.isclose(
        max(sides) * min(width, height), min(sides) * max(width, height), rel_tol=_SAME_SHAPE
    ):
        return None
    return focal_from_35mm(focal_mm, width, height)


def _converted(path: Path, pixels: int) -> bytes:
    """A picture as the ffmpeg program reads it, upright, as PPM; nothing where it does not.

    Raises:
        InputError: It is too large, or what comes out is only a tile of it, as before ffmpeg 8.
    """
    if pixels > MAX_PIXELS:
        raise too_large_error(path, f"{pixels / 1e6:.0f} megapixels")
    words = ("-frames:v", "1", "-pix_fmt", "rgb24", "-c:v", "ppm", "-f", "image2pipe", "-")
    answer = run_ffmpeg(*BOUNDED, *local_input(path), *words)
    if answer.is_well and len(answer.output) < 3 * pixels:
        raise InputError(
            f"{path}: only a part of it can be decoded;"
            " if it opens elsewhere, save it as JPEG or PNG"
        )
    return answer.output if answer.is_well else b""


def _has_size(path: Path, data: bytes) -> bool:
    """Whether a picture's head says its size: what it unpacks to is not known without.

    Raises:
        InputError: It is too large: a few kilobytes may unpack to gigabytes.
    """
    try:
        with _silent(), Image.open(io.BytesIO(data)) as picture:
            width, height = picture.size
    except Image.DecompressionBombError as error:
        raise too_large_error(path, "its size") from error
    except Exception:  # whatever Pillow's readers raise at what is damaged
        return False
    if width * height > MAX_PIXELS:
        raise too_large_error(path, f"{width} × {height} px")
    return True


@contextmanager
def _silent() -> Iterator[None]:
    """Keep Pillow from warning of large pictures: the limit is ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
