"""Write archives as VideoPose3D's ecosystem keeps them; `core.archives` reads them."""

from pathlib import Path
from typing import Any

import numpy as np

from core.errors import OutputError


def write_archive(path: Path, **members: Any) -> None:
    """Write members as numpy does, dictionaries as pickled object arrays; whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.savez_compressed(file, **members)
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error})") from error
