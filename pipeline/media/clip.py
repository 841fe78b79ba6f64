"""Clips: a video, a picture, or a folder of numbered pictures, read through one interface."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol, Self

from core.errors import InputError
from core.types import Frame, VideoInfo
from pipeline.media.files import check_file
from pipeline.media.images import STILL_FPS, ImageReader, image_sequence, is_still
from pipeline.media.options import WHOLE_CLIP, ClipOptions
from pipeline.media.video.fitting import Size
from pipeline.media.video_reader import VideoReader, ask_ahead


class ClipReader(Protocol):
    """The frames of a clip, upright and in RGB; iterate once, then close it or leave its block."""

    @property
    def info(self) -> VideoInfo:
        """What the clip says of itself."""

    @property
    def warning(self) -> str | None:
        """What was missing or damaged, once the clip's end is reached; None if all is well."""

    @property
    def picture_numbers(self) -> list[int] | None:
        """The numbers in the pictures' names, by frame index; None for a video."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None:
        """Release the file."""


def check_clip(path: Path, options: ClipOptions = WHOLE_CLIP) -> None:
    """Check that a path can be a clip, without decoding anything.

    Raises:
        InputError: `open_clip` cannot open it.
    """
    if options.fps is not None and path.is_dir():
        image_sequence(path)
    else:
        check_file(path)


def look_ahead(path: Path, options: ClipOptions = WHOLE_CLIP) -> None:
    """Ask the ffmpeg program of a video what `open_clip` would ask; answers are kept for it.

    What is wrong with the file is left to `open_clip`.
    """
    with suppress(InputError):
        check_clip(path, options)
        if path.is_file() and not is_still(path):
            ask_ahead(path)


def open_clip(
    path: Path, options: ClipOptions = WHOLE_CLIP, size: Size | None = None
) -> ClipReader:
    """Open a video, a picture, or, where `options.fps` is given, a folder of numbered pictures.

    Args:
        path: The clip.
        options: Which part of it, and at what rate.
        size: That its frames are given, however large they are; None for their own.

    Returns:
        A reader of the frames from `options.start` up to, not including, `options.end`.

    Raises:
        InputError: The path cannot be read, or is no clip.
    """
    if options.fps is not None and path.is_dir():
        pictures = image_sequence(path)
        return ImageReader(path, pictures, options.fps, options.start, options.end, size)
    check_file(path)
    if is_still(path):
        return ImageReader(path, [path], STILL_FPS, options.start, options.end, size)
    return VideoReader(path, options.start, options.end, size)
