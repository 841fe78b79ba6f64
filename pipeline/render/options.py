"""What is drawn."""

from dataclasses import dataclass
from typing import Literal

from core.options import check_options, option
from pipeline.media.options import ENCODERS, EncoderName

Render = Literal["side-by-side", "overlay", "3d", "orbit", "frames", "none"]
RENDERS: tuple[Render, ...] = ("side-by-side", "overlay", "3d", "orbit", "frames", "none")
ThemeName = Literal["dark", "light"]


@dataclass(frozen=True)
class RenderOptions:
    """What is drawn of a clip.

    render: True stands for the default, False for "none".

    Raises:
        UsageError: A value is not allowed.
    """

    render: Render = option(
        "side-by-side",
        "what is drawn: the video beside the 3D view (default: %(default)s), the video with "
        "skeletons, the 3D view alone, one that goes around, its people as transparent PNG frames, "
        "or nothing",
        choices=RENDERS,
        off="none",
    )
    theme: ThemeName = option(
        "dark", "colours of the 3D view (default: %(default)s)", choices=("dark", "light")
    )
    scale: float = option(
        1.0,
        "size of what is drawn; at 1, pictures are 720 px high at most",
        metavar="X",
        at_least=0.25,
        at_most=4,
    )

    encoder: EncoderName = option(
        "libx264",
        "what encodes videos: a chip's encoder, `auto` the first that works here; libx264 (default)"
        " where none does",
        choices=ENCODERS,
    )

    def __post_init__(self) -> None:
        if isinstance(self.render, bool):
            object.__setattr__(self, "render", RENDERS[0] if self.render else "none")
        check_options(self)
