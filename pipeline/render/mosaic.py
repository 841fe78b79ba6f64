"""The pictures of several views beside and below each other, with their 2D skeletons."""

import math
from collections.abc import Sequence

import numpy as np

from core.types import Picture, VideoInfo
from pipeline.media.video.fitting import Size
from pipeline.render.draw import rounded_rectangle, text, text_width
from pipeline.render.overlay import draw_person
from pipeline.render.palette import BLACK, TEXT
from pipeline.render.person import PersonInFrame

HEIGHT, MAX_WIDTH = 720, 1280
"""px of a whole picture."""


class Mosaic:
    """Lays the frames of several views out in rows of one height, as large as they can be.

    Args:
        infos: The views.

    Attributes:
        size: (width, height) px of the pictures, even.
        sizes: px, even, of the frames that are laid out, view by view.
    """

    def __init__(self, infos: Sequence[VideoInfo]) -> None:
        shapes = [info.width / info.height for info in infos]
        layouts = [_Layout(shapes, rows) for rows in range(1, len(shapes) + 1)]
        best = max(layouts, key=lambda layout: (round(layout.area), -layout.width))
        self._infos, self._cells = infos, best.cells()
        self.size = best.width, HEIGHT
        self.sizes = [Size(wide, high) for _, _, wide, high in self._cells]

    def draw(
        self, pictures: Sequence[Picture | None], people: Sequence[Sequence[PersonInFrame]]
    ) -> Picture:
        """Compose one picture.

        Args:
            pictures: A frame (H, W, 3) RGB of each view, of its size in `sizes`; None where it
                does not film yet or any more. They are not changed.
            people: The people in each.

        Returns:
            A new picture (height, width, 3) RGB, of `size`.
        """
        width, height = self.size
        mosaic = np.zeros((height, width, 3), np.uint8)
        for info, cell, rgb, seen in zip(self._infos, self._cells, pictures, people, strict=True):
            x, y, wide, high = cell
            shown = mosaic[y : y + high, x : x + wide]
            if rgb is not None:
                shown[:] = rgb
                for person in seen:
                    draw_person(shown, person, high / info.height)
            _draw_name(shown, info.path.stem)
        return mosaic


class _Layout:
    """Views of some shapes (width over height) in so many rows of one height."""

    def __init__(self, shapes: Sequence[float], rows: int) -> None:
        columns = math.ceil(len(shapes) / rows)
        self._rows = [shapes[start : start + columns] for start in range(0, len(shapes), columns)]
        widest = max(sum(row) for row in self._rows)
        self._high = min(HEIGHT / len(self._rows), MAX_WIDTH / widest)
        self.width = max(2, math.ceil(widest * self._high / 2) * 2)
        self.area = sum(shapes) * self._high**2

    def cells(self) -> list[tuple[int, int, int, int]]:
        """x, y, width and height px of each view, each row in the middle."""
        cells, high = [], max(2, round(self._high / 2 - 0.25) * 2)
        top = (HEIGHT - high * len(self._rows)) // 2
        for number, row in enumerate(self._rows):
            widths = [max(2, math.floor(shape * self._high / 2) * 2) for shape in row]
            x = (self.width - sum(widths)) // 2
            for wide in widths:
                cells.append((x, top + number * high, wide, high))
                x += wide
        return cells


def _draw_name(image: Picture, name: str) -> None:
    """The view's name, small, at the top left."""
    size = max(11, image.shape[0] // 40)
    rounded_rectangle(image, size, size, text_width(name, size) + size, 2 * size, BLACK, 0.55)
    text(image, name, 1.5 * size, 2 * size, size, TEXT)
