"""The pictures of a clip: the video with 2D skeletons on it, the 3D view, or both side by side."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.types import Frame, Picture, VideoInfo
from pipeline.media.video.fitting import Size, shrink
from pipeline.render.draw import rounded_rectangle, text, text_width
from pipeline.render.figures import FigurePainter
from pipeline.render.floor import Floor
from pipeline.render.framing.plan import Camera
from pipeline.render.overlay import draw_person
from pipeline.render.palette import BLACK, DARK, TEXT, Side, Theme, track_colour
from pipeline.render.person import PersonInFrame
from pipeline.render.view import letter_size

MAX_HEIGHT, MIN_HEIGHT = 720, 360
"""px; a smaller video is enlarged, so that the 3D view and its numbers stay legible."""
MAX_WIDTH = 7680
"""px, of the video in a composed picture; what would be wider gets bars above and below."""


class Composer(Protocol):
    """Makes the pictures of one clip."""

    @property
    def size(self) -> Size:
        """Width and height of the pictures, px, even, the same for every frame."""

    @property
    def video_size(self) -> Size | None:
        """Width and height at which frames are shown, px: those of that size need not be resized;
        None where they are not shown at all."""

    def draw(self, frame: Frame, people: Sequence[PersonInFrame]) -> Picture:
        """Compose one frame.

        Args:
            frame: The video's frame; it is not changed.
            people: The people in it.

        Returns:
            A new picture (height, width, 3) RGB, of `size`.
        """


def picture_height(info: VideoInfo, scale: float = 1.0) -> int:
    """px of the pictures of a video: even, its own within limits, times `scale`."""
    return round(min(max(info.height, MIN_HEIGHT), MAX_HEIGHT) * scale / 2) * 2


def shown_size(info: VideoInfo, height: int) -> Size:
    """Width and height of a video in pictures `height` px high."""
    scale = _scale(info, height)
    return Size(
        max(2, round(info.width * scale / 2) * 2), max(2, round(info.height * scale / 2) * 2)
    )


def _scale(info: VideoInfo, height: int) -> float:
    """px of the picture for a px of the video."""
    return min(height / info.height, MAX_WIDTH / info.width)


class SideBySide:
    """Left the frame, right the 3D view; a `Composer`.

    Args:
        info: The video.
        camera: The 3D view's; its panel is as high as the picture.
        theme: The 3D view's.
    """

    def __init__(self, info: VideoInfo, camera: Camera, theme: Theme = DARK) -> None:
        self._video = Overlay(info, camera.lens.height)
        self._space = Space(camera, theme)
        self.video_size = self._video.video_size
        self.size = Size(self._video.size.width + camera.lens.width, camera.lens.height)

    def draw(self, frame: Frame, people: Sequence[PersonInFrame]) -> Picture:
        """See `Composer`."""
        picture = np.empty((self.size.height, self.size.width, 3), np.uint8)
        left = self._video.size.width
        self._video.draw_into(picture[:, :left], frame, people)
        self._space.draw_into(picture[:, left:], frame, people)
        return picture


class Overlay:
    """The video with boxes, numbers and 2D skeletons; a `Composer`.

    Args:
        info: The video.
        height: px of the pictures.
    """

    def __init__(self, info: VideoInfo, height: int) -> None:
        self._scale = _scale(info, height)
        self.video_size = shown_size(info, height)
        self.size = Size(self.video_size.width, height)
        self._is_still = info.frame_count == 1

    def draw(self, frame: Frame, people: Sequence[PersonInFrame]) -> Picture:
        """See `Composer`."""
        picture = np.empty((self.size.height, self.size.width, 3), np.uint8)
        self.draw_into(picture, frame, people)
        return picture

    def draw_into(self, picture: Picture, frame: Frame, people: Sequence[PersonInFrame]) -> None:
        """Compose one frame in a picture (height, width, 3) RGB of `size`."""
        high = self.video_size.height
        top = (picture.shape[0] - high) // 2
        picture[:top] = picture[top + high :] = 0
        shown = picture[top : top + high]
        shown[:] = shrink(frame.rgb, self.video_size)
        for person in people:
            draw_person(shown, person, self._scale)
        if not self._is_still:
            _draw_caption(picture, frame)


class Space:
    """The 3D view; a `Composer` of clips whose frames are not shown.

    Args:
        camera: The view's.
        theme: Its colours.
    """

    video_size = None

    def __init__(self, camera: Camera, theme: Theme = DARK) -> None:
        self._camera = camera
        self._floor = Floor(theme, _draw_legend)
        self._figures = FigurePainter(theme.background)
        self.size = Size(camera.lens.width, camera.lens.height)

    def draw(self, frame: Frame, people: Sequence[PersonInFrame]) -> Picture:
        """See `Composer`."""
        picture = np.empty((self.size.height, self.size.width, 3), np.uint8)
        self.draw_into(picture, frame, people)
        return picture

    def draw_into(self, picture: Picture, frame: Frame, people: Sequence[PersonInFrame]) -> None:
        """Compose one frame in a picture (height, width, 3) RGB of `size`."""
        view = self._camera.view(frame, people)
        picture[:] = self._floor.picture(view)
        self._figures.draw(picture, view, people)

    def cut_out(self, frame: Frame, people: Sequence[PersonInFrame]) -> NDArray[np.uint8]:
        """The people and their shadows alone, to be laid over other pictures.

        What is drawn on black and on white differs by how much of the ground is seen.

        Returns:
            (height, width, 4) RGB and opacity, not premultiplied.
        """
        view = self._camera.view(frame, people)
        black = np.zeros((self.size.height, self.size.width, 3), np.uint8)
        white = np.full_like(black, 255)
        for picture in (black, white):
            self._figures.draw(picture, view, people)
        opacity = 255 - (white.astype(np.int16) - black).max(-1).clip(0, 255)
        shown = black.astype(np.float32) * 255 / np.maximum(opacity, 1)[..., None]
        return np.dstack([shown.clip(0, 255).round(), opacity]).astype(np.uint8)


def _draw_caption(image: Picture, frame: Frame) -> None:
    """Time and frame number, small, at the bottom left."""
    size = letter_size(image.shape[0])
    minutes, seconds = divmod(frame.time_s, 60)
    words = f"{int(minutes)}:{seconds:05.2f}   frame {frame.index}"
    width, height = text_width(words, size) + 2 * size, 2 * size
    top = image.shape[0] - height - size
    rounded_rectangle(image, size, top, width, height, BLACK, 0.55)
    text(image, words, 2 * size, top + height / 2, size, TEXT)


def _draw_legend(image: Picture, theme: Theme) -> None:
    """What the floor's numbers are, and which shade is which side, at the top of the 3D view."""
    size = letter_size(image.shape[0])
    x = image.shape[1] - size
    for words, side in (("right", Side.RIGHT), ("left", Side.LEFT)):
        x -= text_width(words, size)
        text(image, words, x, 2 * size, size, theme.words)
        x -= 2.4 * size
        for row, track_id in enumerate((1, 2)):
            y, colour = (1.45 + 0.65 * row) * size, track_colour(track_id, side)
            rounded_rectangle(image, x, y, 2 * size, size // 2, colour, 1.0)
        x -= 1.6 * size
    text(image, "3D view, in metres", size, 2 * size, size, theme.words)
