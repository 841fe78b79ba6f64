"""Numbers in file names, which order pictures and the keypoints found in them."""

import re
from pathlib import PurePath


def number_in(name: str) -> int | None:
    """The last number in a file's name, without its extension; None if there is none.

    It is 12 in `take2_000012_keypoints.json`.
    """
    digits = re.findall("[0-9]+", PurePath(name).stem)
    return int(digits[-1]) if digits else None
