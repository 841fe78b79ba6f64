"""What a caller can choose about grounding; light to import, for the command line's help."""

from dataclasses import dataclass
from typing import Literal

from core.options import check_options, option

Camera = Literal["static", "moving"]
CAMERAS: tuple[Camera, ...] = ("static", "moving")


@dataclass(frozen=True)
class GroundOptions:
    """Options of the grounding stage.

    Raises:
        UsageError: A value is not one of its choices.
    """

    camera: Camera = option(
        "static", "whether the camera moves (default: %(default)s)", choices=CAMERAS
    )

    def __post_init__(self) -> None:
        check_options(self)
