"""Side by side: the video with 2D skeletons on it, and the 3D view of the same frame."""

from collections.abc import Iterable, Sequence

import numpy as np

from core.types import Frame, Picture, VideoInfo, WorldPoses
from pipeline.media.video.fitting import Size, shrink
from pipeline.render.draw import rounded_rectangle, text, text_width
from pipeline.render.figures import FigurePainter
from pipeline.render.overlay import draw_person
from pipeline.render.palette import BLACK, TEXT, TEXT_QUIET, Side, track_colour
from pipeline.render.person import PersonInFrame

MAX_HEIGHT, MIN_HEIGHT = 720, 360
"""px; a smaller video is enlarged, so that the 3D view and its numbers stay legible."""
MAX_WIDTH = 7680
"""px, of the video in a composed picture; what would be wider gets bars above and below."""


class SideBySide:
    """Composes the frames of one video: left the frame, right the 3D view.

    The 3D view's stage is drawn once, when the object is made.

    Args:
        info: The video.
        worlds: The people of the whole video, for whom the stage is large enough; may be empty.
        max_height: px, of the composed picture.

    Attributes:
        size: (width, height) px of the composed pictures, even, the same for every frame.
    """

    def __init__(
        self, info: VideoInfo, worlds: Iterable[WorldPoses], max_height: int = MAX_HEIGHT
    ) -> None:
        from pipeline.render.stage_plot import build_stage  # matplotlib takes a while to load

        height = _height(info, max_height)
        self._scale = _scale(info, max_height)
        self._shown_size = shown_size(info, max_height)
        stage = build_stage(worlds, height, height)
        self._view = stage.picture
        _draw_legend(self._view)
        self._figures = FigurePainter(stage)
        self._is_still = info.frame_count == 1
        self.size = self._shown_size.width + height, height

    def draw(self, frame: Frame, people: Sequence[PersonInFrame]) -> Picture:
        """Compose one frame.

        Args:
            frame: The video's frame; it is not changed.
            people: The people in it.

        Returns:
            A new picture (height, width, 3) RGB, of `size`.
        """
        width, height = self.size
        picture = np.zeros((height, width, 3), np.uint8)
        wide, high = self._shown_size.width, self._shown_size.height
        left, right = picture[:, :wide], picture[:, wide:]
        shown = left[(height - high) // 2 :][:high]
        shown[:] = shrink(frame.rgb, self._shown_size)
        right[:] = self._view
        for person in people:
            draw_person(shown, person, self._scale)
        self._figures.draw(right, people)
        if not self._is_still:
            _draw_caption(left, frame)
        return picture


def shown_size(info: VideoInfo, max_height: int = MAX_HEIGHT) -> Size:
    """The size of a video's frames in composed pictures."""
    scale = _scale(info, max_height)
    width, height = (max(2, round(side * scale / 2) * 2) for side in (info.width, info.height))
    return Size(width, height)


def _height(info: VideoInfo, max_height: int) -> int:
    return min(max(info.height, MIN_HEIGHT), max_height) // 2 * 2


def _scale(info: VideoInfo, max_height: int) -> float:
    """Of the video, from its own size to the one shown."""
    return min(_height(info, max_height) / info.height, MAX_WIDTH / info.width)


def _draw_caption(image: Picture, frame: Frame) -> None:
    """Time and frame number, small, at the bottom left."""
    size = max(11, image.shape[0] // 48)
    minutes, seconds = divmod(frame.time_s, 60)
    words = f"{int(minutes)}:{seconds:05.2f}   frame {frame.index}"
    width, height = text_width(words, size) + 2 * size, 2 * size
    top = image.shape[0] - height - size
    rounded_rectangle(image, size, top, width, height, BLACK, 0.55)
    text(image, words, 2 * size, top + height / 2, size, TEXT)


def _draw_legend(image: Picture) -> None:
    """Which shade is which side, at the top right of the 3D view."""
    size = max(11, image.shape[0] // 48)
    x = image.shape[1] - size
    for words, side in (("right", Side.RIGHT), ("left", Side.LEFT)):
        x -= text_width(words, size)
        text(image, words, x, 2 * size, size, TEXT_QUIET)
        x -= 2.4 * size
        for row, track_id in enumerate((1, 2)):
            y, colour = (1.45 + 0.65 * row) * size, track_colour(track_id, side)
            rounded_rectangle(image, x, y, 2 * size, size // 2, colour, 1.0)
        x -= 1.6 * size
    text(image, "3D view, in metres", size, 2 * size, size, TEXT_QUIET)
