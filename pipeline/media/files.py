"""Which files may be opened as a video or a picture, and how large a picture may be."""

import os
import stat
from pathlib import Path

from core.errors import InputError

MAX_PIXELS = 8192 * 8192
"""The most that a picture may have: two frames of 8K, one for each eye."""


def too_large_error(path: Path, size: str) -> InputError:
    """The error for pictures of more than `MAX_PIXELS`; `size` is the subject of its sentence."""
    return InputError(
        f"{path}: {size} is more than the {MAX_PIXELS / 1e6:.0f} megapixels that are read; "
        "make it smaller first: ffmpeg -i IN -vf scale=3840:-2 OUT"
    )


def check_file(path: Path) -> None:
    """Check that a path is a regular file that can be read and is not empty.

    An address (`http://…`) is a file that does not exist; nothing is fetched.

    Raises:
        InputError: The path is no such file; the text says why.
    """
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
