"""Numbers in file names, by which pictures and what was found in them are put in order."""

import re
from pathlib import PurePath


def number_in(name: str) -> int | None:
    """The last number in a file's name, its extension aside: 12 in `take2_000012_keypoints.json`; None without one."""
    digits = re.findall("[0-9]+", PurePath(name).stem)
    return int(digits[-1]) if digits else None
