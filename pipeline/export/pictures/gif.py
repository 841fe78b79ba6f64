"""`gif`: the video beside the 3D view, small and short, for pages and chats."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
from PIL import Image

from core.types import Picture
from pipeline.export.base import Exporter
from pipeline.export.pictures.frames import FrameAndPeople, frames_with_people
from pipeline.render.modes import side_by_side
from pipeline.results.result import Result

MAX_S, FPS, WIDTH = 20.0, 10.0, 800
"""What is shown: seconds from the first frame on, frames a second at most, px."""
_EARLY_S = 0.005  # a frame that comes a little before it is due is taken


class GifExporter(Exporter):
    """An animated GIF that repeats; a pause in the video is a pause in it."""

    name = "gif"
    about = f"the video beside the 3D view, {FPS:g} frames a second, its first {MAX_S:g} s"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        composed = side_by_side(result.report.video, result.table.chunks)
        pictures, times = [], []
        with frames_with_people(result) as (frames, note):
            for frame, people in _thinned(frames):
                times.append(frame.time_s)
                pictures.append(_shrunk(composed.draw(frame, people)))
        self.note(note)
        if not pictures:
            return
        gaps_s = [after - before for before, after in pairwise(times)]
        pictures[0].save(
            folder / f"{result.stem}.gif",
            save_all=True,
            append_images=pictures[1:],
            duration=[round(gap * 1000) for gap in (*gaps_s, 1 / FPS)],
            loop=0,
        )


def _thinned(frames: Iterator[FrameAndPeople]) -> Iterator[FrameAndPeople]:
    """Frames at least 1 / `FPS` apart, none later than `MAX_S` after the first."""
    first_s = due_s = None
    for frame, people in frames:
        first_s = frame.time_s if first_s is None else first_s
        if frame.time_s - first_s > MAX_S:
            return
        if due_s is None or frame.time_s >= due_s:
            due_s = frame.time_s + 1 / FPS - _EARLY_S
            yield frame, people


def _shrunk(picture: Picture) -> Image.Image:
    """A picture `WIDTH` wide, of 256 colours."""
    height = round(picture.shape[0] * WIDTH / picture.shape[1])
    small = cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)
    return Image.fromarray(small).quantize(dither=Image.Dither.NONE)
