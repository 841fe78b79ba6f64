"""What may be opened as a video or a picture, and how large it may be."""

import os
import stat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

Picture = NDArray[np.uint8]
"""(H, W, 3) RGB."""

MAX_PIXELS = 8192 * 8192
"""Of a picture: 8K, and both eyes of it."""


def too_large(path: Path, size: str) -> InputError:
    """What is said of pictures of more than `MAX_PIXELS`."""
    return InputError(
        f"{path}: {size} is more than the {MAX_PIXELS / 1e6:.0f} megapixels that are read; "
        "make it smaller first: ffmpeg -i IN -vf scale=3840:-2 OUT"
    )


def check_file(path: Path) -> None:
    """`InputError` where a path cannot be a video to open; `http://…` is just a file that is not there."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{path}: is a folder, not a video")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: is a pipe or a device, not a file")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: cannot be read: permission denied")
    if status.st_size == 0:
        raise InputError(f"{path}: is empty")
