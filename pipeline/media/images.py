"""Pictures as clips: one alone is a clip of one frame, a folder of numbered ones a clip at the rate one gives.

The only place that opens or writes a picture, as `pipeline.media.video_reader` is for videos.
"""

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from PIL import Image

from core.errors import InputError
from core.numbered import number_in
from core.types import Frame, VideoInfo
from pipeline.media.files import MAX_PIXELS, Picture, check_file, too_large
from pipeline.media.video_reader import VideoReader

IMAGE_SUFFIXES = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jp2",
        ".png",
        ".webp",
        ".bmp",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
        ".heic",
        ".heif",
    )
)
"""Endings by which a file is taken for a picture; an animated .gif is a video."""

STILL_FPS = 1.0
"""The rate that a picture alone is said to have."""


def is_image(path: Path) -> bool:
    """Whether a path is that of a picture, by its ending."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def image_sequence(folder: Path) -> list[Path]:
    """The pictures of a folder by the number in their names; `InputError` where that is no order."""
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
        other = by_number.setdefault(number, path)
        if other is not path:
            raise InputError(
                f"{folder}: {other.name} and {path.name} have the same number; keep one of them"
            )
    if not by_number:
        raise InputError(f"{folder}: holds no pictures to make a clip of")
    return [by_number[number] for number in sorted(by_number)]


def check_clip(path: Path, fps: float | None) -> None:
    """`InputError` where a path cannot be a clip to open: see `open_clip`."""
    if fps is not None and path.is_dir():
        image_sequence(path)
    else:
        check_file(path)


def open_clip(
    path: Path, start_s: float | None = None, end_s: float | None = None, fps: float | None = None
) -> "VideoReader | ImageReader":
    """A reader for a video, for a picture, or, at `fps`, for a folder of numbered pictures."""
    if fps is not None and path.is_dir():
        return ImageReader(path, image_sequence(path), fps, start_s, end_s)
    if is_image(path):
        check_file(path)
        return ImageReader(path, [path], STILL_FPS, start_s, end_s)
    return VideoReader(path, start_s, end_s)


class ImageReader:
    """Pictures as the frames of a clip, `fps` of them a second; used as a `VideoReader`.

    Upright, whatever the camera's EXIF orientation. `numbers` are those in the pictures' names, 0 where a picture alone
    has none. In a clip, a picture that cannot be decoded is left out, and `warning` says so at the end; one of another
    size than the first raises `InputError`.
    """

    def __init__(
        self,
        path: Path,
        pictures: Sequence[Path],
        fps: float,
        start_s: float | None,
        end_s: float | None,
    ) -> None:
        self.warning: str | None = None
        self.numbers = [number_in(picture.name) or 0 for picture in pictures]
        self._pictures = pictures
        self._start_s, self._end_s = start_s or 0.0, math.inf if end_s is None else end_s
        first = read_image(pictures[0])
        if first is None:
            raise InputError(
                f"{pictures[0]}: cannot be decoded; if it opens elsewhere, save it as JPEG or PNG"
            )
        height, width = first.shape[:2]
        self.info = VideoInfo(path, width, height, fps, len(pictures), 0, len(pictures) / fps)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open."""

    def __iter__(self) -> Iterator[Frame]:
        given, missing = 0, 0
        for index, picture in enumerate(self._pictures):
            time_s = index / self.info.fps
            if not self._start_s <= time_s < self._end_s:
                continue
            rgb = read_image(picture)
            if rgb is None:
                missing += 1
                continue
            height, width = rgb.shape[:2]
            if (width, height) != (self.info.width, self.info.height):
                expected = f"{self._pictures[0].name} is {self.info.width} × {self.info.height}"
                raise InputError(
                    f"{picture}: is {width} × {height} px, {expected}; a clip has one size"
                )
            yield Frame(index, time_s, rgb)
            given += 1
        if missing:
            self.warning = f"{missing} of its pictures cannot be decoded and are left out"
        if not given:
            raise InputError(
                f"{self.info.path}: no picture from {self._start_s:g} to {self._end_s:g} s"
            )


def read_image(path: Path) -> Picture | None:
    """(H, W, 3) RGB, upright; None where it cannot be decoded. `InputError` where it is larger than a video may be."""
    try:
        data = np.fromfile(path, np.uint8)
        _refuse_huge(path, data.tobytes())
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except cv2.error:  # empty
        return None
    return None if picture is None else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _refuse_huge(path: Path, data: bytes) -> None:
    """By the file's head: a few kilobytes may unpack to gigabytes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit is ours
            with Image.open(io.BytesIO(data)) as picture:
                width, height = picture.size
    except Image.DecompressionBombError as error:
        raise too_large(path, "its size") from error
    except Exception:  # whatever Pillow makes of it: OpenCV may read more
        return
    if width * height > MAX_PIXELS:
        raise too_large(path, f"{width} × {height} px")


def write_image(path: Path, rgb: Picture) -> None:
    """Write (H, W, 3) RGB in the format of the path's ending; `OSError` where the system refuses."""
    _, data = cv2.imencode(path.suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    path.write_bytes(data.tobytes())
