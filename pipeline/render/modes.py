"""From the options to what draws a clip."""

from collections.abc import Callable, Sequence

from core.types import VideoInfo
from pipeline.media.video.fitting import Size
from pipeline.render.compose import Composer, Overlay, SideBySide, Space, picture_height, shown_size
from pipeline.render.framing.crowd import Columns
from pipeline.render.framing.plan import Camera, PlannedCamera, plan, plan_orbit
from pipeline.render.options import RenderOptions
from pipeline.render.palette import THEMES
from pipeline.render.view import Lens

SHAPES = (1.0, 4 / 3, 16 / 9)
"""Widths for its height of the 3D view beside a video, the most wanted first; wider ones are for
people who stand far apart."""
_NARROWEST, _WIDEST = 0.5, 2.4
"""Widths for its height of the 3D view alone, which else has the video's shape."""
_MAX_OVERLAY_HEIGHT, _MIN_OVERLAY_HEIGHT = 2160, 360  # px; else the video's own


def composer(
    options: RenderOptions,
    info: VideoInfo,
    columns: Columns,
    cuts: Sequence[int] = (),
) -> Composer:
    """What draws a clip.

    Args:
        options: How; anything but "none".
        info: The video.
        columns: Everyone's rows.
        cuts: Frames at which the video shows something else.
    """

    def camera(lenses: Sequence[Lens]) -> PlannedCamera:
        if options.render == "orbit" and info.frame_count != 1:
            return plan_orbit(columns, info.fps, lenses[0], cuts)
        return plan(columns, info.fps, lenses, cuts)

    return composer_seen_by(camera, options, info)


def composer_seen_by(
    camera: Callable[[Sequence[Lens]], Camera], options: RenderOptions, info: VideoInfo
) -> Composer:
    """What draws a video of any kind.

    Args:
        camera: Makes the 3D view's, given the lenses that it may have, the most wanted first.
        options: How; "none" as "side-by-side".
        info: The video.
    """
    theme, height = THEMES[options.theme], picture_height(info, options.scale)
    if options.render == "overlay":
        return Overlay(info, overlay_height(info, options.scale))
    if options.render in ("side-by-side", "none"):
        return SideBySide(info, camera(_lenses_beside(height)), theme)
    return Space(camera([lens_like(info, height)]), theme)


def video_size(options: RenderOptions, info: VideoInfo) -> Size | None:
    """Width and height at which a clip's frames are shown; None where they are not."""
    if options.render == "side-by-side":
        return shown_size(info, picture_height(info, options.scale))
    if options.render == "overlay":
        return shown_size(info, overlay_height(info, options.scale))
    return None


def plan_beside(info: VideoInfo, columns: Columns) -> PlannedCamera:
    """Plan the 3D view beside a video of the usual height."""
    return plan(columns, info.fps, _lenses_beside(picture_height(info)))


def _lenses_beside(height: int) -> list[Lens]:
    """The lenses of a 3D view beside a video in pictures `height` px high."""
    return [Lens(round(height * shape / 2) * 2, height) for shape in SHAPES]


def side_by_side(info: VideoInfo, columns: Columns) -> SideBySide:
    """What draws a clip as it is drawn by default."""
    composed = composer(RenderOptions(), info, columns)
    assert isinstance(composed, SideBySide)
    return composed


def overlay_height(info: VideoInfo, scale: float) -> int:
    """px of the video with skeletons: its own, within limits, times `scale`."""
    own = min(max(info.height, _MIN_OVERLAY_HEIGHT), _MAX_OVERLAY_HEIGHT)
    return round(own * scale / 2) * 2


def lens_like(info: VideoInfo, height: int) -> Lens:
    """The lens of a 3D view of the video's shape."""
    shape = min(max(info.width / info.height, _NARROWEST), _WIDEST)
    return Lens(round(height * shape / 2) * 2, height)
