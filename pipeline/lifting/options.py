"""Options of lifting: the network, smoothing, the lens, and what is known of the people."""

import math
from dataclasses import dataclass
from typing import Literal

from core.camera import DEFAULT_FOV_RAD, intrinsics_from_fov
from core.errors import UsageError
from core.options import check_options, option
from core.types import Intrinsics, VideoInfo

Smoothing = Literal["none", "savgol", "one-euro"]
SMOOTHINGS: tuple[Smoothing, ...] = ("none", "savgol", "one-euro")


@dataclass(frozen=True)
class LiftOptions:
    """How people are lifted.

    Raises:
        UsageError: A value is out of its range, or two contradict each other.
    """

    lifter: str = option("lifter", "name or path of the lifting network (default: %(default)s)")
    smooth: Smoothing = option(
        "savgol", "smoothing in time (default: %(default)s)", choices=SMOOTHINGS
    )
    fov: float | None = option(
        None,
        "field of view across the longer side of the picture, if known",
        metavar="DEG",
        at_least=1,
        below=180,
        unit="degrees",
    )
    focal: float | None = option(
        None,
        "focal length in pixels, if known",
        metavar="PX",
        at_least=1,
        at_most=100_000,
        unit="px",
    )
    height_m: float | None = option(
        None,
        "how tall the people are, if known",
        metavar="M",
        at_least=0.3,
        at_most=3,
        unit="metres",
    )
    rigid_bones: bool = option(False, "give every bone of a person one length")

    def __post_init__(self) -> None:
        check_options(self)
        if self.fov is not None and self.focal is not None:
            raise UsageError("`fov` and `focal` both say what the lens is: give one")

    def intrinsics(self, info: VideoInfo) -> Intrinsics:
        """The camera of a video: as given, as the file says, or with the default field of view."""
        if self.focal is not None:
            return Intrinsics(self.focal, self.focal, info.width / 2, info.height / 2, "given")
        if self.fov is not None:
            return intrinsics_from_fov(info.width, info.height, math.radians(self.fov), "given")
        if info.focal_px is not None:
            return Intrinsics(
                info.focal_px, info.focal_px, info.width / 2, info.height / 2, "recorded"
            )
        return intrinsics_from_fov(info.width, info.height, DEFAULT_FOV_RAD, "assumed")
