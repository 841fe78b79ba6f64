"""The video of a page: what browsers play, small, with the frame times of the source.

Always encoded anew: a phone's file may be HEVC, turned, cut by an edit list, of 10 bits or 300 MB,
and says where it was filmed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from core.errors import InputError, Video3DError
from core.types import Floats, Frame, Picture
from pipeline.media.clip import ClipReader, open_clip
from pipeline.media.images import is_still, write_image
from pipeline.media.options import ClipOptions
from pipeline.media.video_writer import VideoWriter
from pipeline.results.result import Result

Passed = Callable[[Iterable[Frame]], Iterable[Frame]]

LONGER_SIDE = 960
"""px, at most, of a page's video."""
_CRF, _KEYFRAMES = 26, 30  # a step back decodes at most so many frames


@dataclass(frozen=True)
class WebVideo:
    """A video, or a picture, for a page.

    path of the file, mp4 or jpg; height px; frames (F, 2) the index and presentation time, seconds,
    of each frame in it, on the clock of the source: the first is shown at 0 s.
    """

    path: Path
    height: int
    frames: Floats

    @property
    def start_s(self) -> float:
        """When the source shows what comes first."""
        return float(self.frames[0, 1])

    @property
    def is_picture(self) -> bool:
        """Whether it does not move."""
        return self.path.suffix == ".jpg"


def web_video(result: Result, target: Path, passed: Passed = iter) -> WebVideo:
    """Make the video of a page from a result's source.

    Args:
        result: Of a file or a folder of pictures.
        target: The file to write, without its ending.
        passed: What the frames of a video go through, to be counted.

    Returns:
        The video.

    Raises:
        InputError: The source is not there any more, or was live; one line for people.
        OutputError: It cannot be written.
    """
    if result.report.live is not None:
        raise InputError("a live source is not there to be read again")
    path, config = result.source, result.report.config
    options = ClipOptions(**{name: config.get(name) for name in ("start", "end", "fps")})
    try:
        reader = open_clip(path, options)
    except Video3DError:
        raise InputError(f"{path.name} is not there any more: without its picture") from None
    with reader:
        if is_still(path):
            return _picture(reader, target.with_name(f"{target.name}.jpg"))
        return shrunk_video(reader, target.with_name(f"{target.name}.mp4"), options.end, passed)


def shrunk_video(
    reader: ClipReader, target: Path, end_s: float | None = None, passed: Passed = iter
) -> WebVideo:
    """Encode an open clip anew for a page, into `target`, up to the second `end_s`."""
    frames: list[tuple[int, float]] = []
    with VideoWriter(target, reader.info, None, end_s, crf=_CRF, keyframes=_KEYFRAMES) as writer:
        for frame in passed(reader):
            shown = _shrunk(frame.rgb)
            writer.write(shown, frame.time_s)
            frames.append((frame.index, frame.time_s))
    return WebVideo(target, shown.shape[0], np.array(frames, np.float64))


def _picture(reader: ClipReader, target: Path) -> WebVideo:
    frame = next(iter(reader))
    shown = _shrunk(frame.rgb)
    write_image(target, shown)
    return WebVideo(target, shown.shape[0], np.array([[frame.index, frame.time_s]], np.float64))


def _shrunk(rgb: Picture) -> Picture:
    """A picture whose sides are even and at most `LONGER_SIDE`."""
    scale = min(LONGER_SIDE / max(rgb.shape[:2]), 1.0)
    width, height = (max(2, 2 * round(side * scale / 2)) for side in rgb.shape[1::-1])
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA))
