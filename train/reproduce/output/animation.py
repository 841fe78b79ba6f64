"""Writes animations, `.mp4` and `.gif`."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InputError, OutputError
from core.files import written_whole

Picture = NDArray[np.uint8]
"""(H, W, 3) RGB."""


def write_animation(path: Path, pictures: Iterator[Picture], fps: float, bitrate_kbit: int) -> None:
    """Write an animation.

    Args:
        path: The file's path, `.gif` or `.mp4`; its folder is made if it is missing.
        pictures: (H, W, 3) RGB, all of one size.
        fps: Frames per second.
        bitrate_kbit: The bit rate of an `.mp4`, kbit/s.

    Raises:
        InputError: There is no picture.
        OutputError: The system refuses to write.
    """
    first = next(pictures, None)
    if first is None:
        raise InputError(f"{path}: there is no frame to draw")
    write = _write_gif if path.suffix.lower() == ".gif" else _write_mp4
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial:
            write(partial, first, pictures, fps, bitrate_kbit)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error})") from error


def _write_gif(path: Path, first: Picture, rest: Iterator[Picture], fps: float, _: int) -> None:
    images = (Image.fromarray(picture) for picture in rest)
    # Browsers take durations below 20 ms for 100 ms.
    duration_ms = max(20, round(1000 / fps))
    Image.fromarray(first).save(
        path, save_all=True, append_images=images, duration=duration_ms, loop=0
    )


def _write_mp4(
    path: Path, first: Picture, rest: Iterator[Picture], fps: float, bitrate_kbit: int
) -> None:
    # yuv420p has one colour for two by two pixels, so sides must be even.
    height, width = (side // 2 * 2 for side in first.shape[:2])
    writer = imageio_ffmpeg.write_frames(
        str(path),
        (width, height),
        fps=fps,
        codec="libx264",
        bitrate=f"{bitrate_kbit}k",
        macro_block_size=1,
    )
    writer.send(None)
    try:
        for picture in chain([first], rest):
            writer.send(np.ascontiguousarray(picture[:height, :width]))
    finally:
        writer.close()
