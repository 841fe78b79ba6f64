"""What a caller can choose about several views of the same people; light to import."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError
from core.options import check_options, comma_separated, option

MAX_OFFSET_S = 3600.0


def _seconds(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in comma_separated(text))
    except ValueError as error:
        raise UsageError(f"`offset` must be seconds, like 1.5 or 1.5,-0.2, got {text}") from error


@dataclass(frozen=True)
class ViewOptions:
    """Options of several views.

    Raises:
        UsageError: A value is out of its range, or is for views and there are none.
    """

    views: bool = option(False, "the videos, or those in each folder, show the same people at once")
    calibration: Path | None = option(
        None,
        "--views: the cameras, if known: TOML of Pose2Sim or Anipose, YAML of OpenCV, Qualisys",
        metavar="FILE",
        parse=Path,
    )
    offset: tuple[float, ...] = option(
        (),
        "--views: seconds by which each of the others starts later than the first",
        metavar="S[,…]",
        parse=_seconds,
    )

    def __post_init__(self) -> None:
        check_options(self)
        for name in ("calibration", "offset"):
            if getattr(self, name) and not self.views:
                raise UsageError(f"`{name}` is for `views`")
        if any(not abs(seconds) <= MAX_OFFSET_S for seconds in self.offset):
            raise UsageError(f"`offset` must lie between ±{MAX_OFFSET_S:g} seconds")

    def require_offsets(self, views: int) -> None:
        """`UsageError` where there are offsets, and not one for each view but the first."""
        if self.offset and len(self.offset) != views - 1:
            raise UsageError(
                f"`offset` needs {views - 1} numbers for {views} views, one for each but the first:"
                f" got {len(self.offset)}"
            )
