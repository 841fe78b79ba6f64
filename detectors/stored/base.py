"""What a format of stored keypoints is: a way to recognise it, and a way to read it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from detectors.stored.table import StoredKeypoints

Container = Literal["archive", "json", "pictures", "texts"]


@dataclass(frozen=True)
class StoredFormat:
    """One format; a module of `detectors.stored.formats.MODULES` lists its own in `FORMATS`."""

    programs: tuple[str, ...]
    """The programs that write it, for messages; the first names the format."""
    container: Container
    """What the content is.

    "archive": the arrays of an `.npz` by name. "json": parsed JSON, a file for a whole video.
    "pictures": parsed JSON, a file for each frame or picture, in a folder or alone. "texts": text,
    a file for each person, in a folder or alone.
    """
    recognises: Callable[[Any], bool]
    """Whether content is of this format; for "pictures" and "texts", that of one file."""
    read: Callable[[Any, str], StoredKeypoints]
    """Read content; for "pictures" and "texts", that of all files by name.

    The second argument is the video's name without its ending, for formats that hold several
    videos. Names in the content must not be opened. Content that is not as the format has it may
    raise any of the built-in exceptions for wrong values, keys and types.
    """
