"""Writes archives in the layout of VideoPose3D's data sets; `core.archives` reads them."""

from pathlib import Path
from typing import Any

import numpy as np

from core.errors import OutputError
from core.files import written_whole


def write_archive(path: Path, **members: Any) -> None:
    """Write a compressed `.npz`; the folder is made if it is missing.

    Args:
        path: The archive's path. A file there is replaced once the new one is complete.
        members: The archive's entries by name: arrays as they are, dictionaries as pickled object
            arrays.

    Raises:
        OutputError: The system refuses to write.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **members)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error})") from error
