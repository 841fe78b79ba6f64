"""Which part of a clip is read, at what rate, and what encodes videos."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from core.errors import UsageError
from core.options import check_options, option

EncoderName = Literal["libx264", "auto", "nvenc", "videotoolbox", "vaapi"]
ENCODERS: tuple[EncoderName, ...] = get_args(EncoderName)
"""What may encode videos; see `encoding.encoders`."""


@dataclass(frozen=True)
class ClipOptions:
    """What of a clip is read; times in seconds on the clip's own clock.

    Raises:
        UsageError: A value is out of its range, or `end` is not behind `start`.
    """

    start: float | None = option(None, "second to start at", metavar="S", at_least=0)
    end: float | None = option(None, "second to stop before", metavar="S")
    fps: float | None = option(
        None,
        "makes a folder of numbered pictures a clip of N a second",
        metavar="N",
        above=0,
        at_most=1000,
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.end is not None and not self.end > (self.start or 0):
            raise UsageError(f"`end` must lie behind `start`, got {self.end:g}")


def span_text(start_s: float, end_s: float) -> str:
    """A part of a clip in words, its end infinite where it has none."""
    return f"from {start_s:g} s on" if math.isinf(end_s) else f"from {start_s:g} to {end_s:g} s"


WHOLE_CLIP = ClipOptions()
"""A clip from its first frame to its last."""
