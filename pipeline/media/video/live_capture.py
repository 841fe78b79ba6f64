"""A stream on the network that OpenCV opens and cannot convert, decoded by the ffmpeg program."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

from core.types import Picture
from pipeline.media.video.facts import PICTURE
from pipeline.media.video.fitting import square_size
from pipeline.media.video.frame_pipe import SHOWINFO, FramePipe

_SQUARE = "scale=w='max(1,round(iw*sar))':h=ih,setsar=1"


class FFmpegCapture:
    """ffmpeg by those methods of OpenCV's captures that live sources use.

    Args:
        words: ffmpeg's words on the input.
        timeout_s: How long a stream may send nothing.
        stdin: A descriptor that `pipe:0` is; None for nothing.
        decoder: What the report says of it.
    """

    def __init__(
        self,
        words: Sequence[str],
        timeout_s: float,
        stdin: int | None = None,
        decoder: str = "ffmpeg: OpenCV does not convert its pictures",
    ) -> None:
        filters = [SHOWINFO, _SQUARE]
        source = [*words, "-map", PICTURE]
        self.decoder = decoder
        self._pipe = FramePipe(source, filters, "bgr24", square_size, timeout_s, stdin)
        self._picture: Picture | None = None
        self._time_s = 0.0

    def grab(self) -> bool:
        """Take the next frame; False at the end, and where none comes in time."""
        following = self._pipe.next()
        if following is None:
            return False
        self._time_s, self._picture = following[0].time_s, following[1]
        return True

    def retrieve(self) -> tuple[bool, Picture | None]:
        """The frame that was taken, (H, W, 3) BGR."""
        return self._picture is not None, self._picture

    def get(self, name: int) -> float:
        """The frame's time in ms, or the frame rate; 0 for anything else."""
        if name == cv2.CAP_PROP_POS_MSEC:
            return self._time_s * 1000
        return float(self._pipe.text.rate or 0) if name == cv2.CAP_PROP_FPS else 0.0

    def release(self) -> None:
        """End the program."""
        self.close()

    def close(self) -> None:
        """End the program."""
        self._pipe.close()


class Started:
    """A capture whose first frames are taken already, and are given once more.

    Args:
        capture: OpenCV's, or one with its methods.
    """

    def __init__(self, capture: Any) -> None:
        self._capture = capture
        self._taken: list[tuple[float, Picture | None]] = []
        self._current: tuple[float, Picture | None] | None = None
        self.decoder: str = getattr(capture, "decoder", "OpenCV")
        """What the report says of it."""

    def take(self, grab: Callable[[Any], bool]) -> Picture | None:
        """Take one more of the first frames, (H, W, 3) BGR; None where there is none."""
        if not grab(self._capture):
            return None
        ok, picture = self._capture.retrieve()
        self._taken.append((self._capture.get(cv2.CAP_PROP_POS_MSEC), picture if ok else None))
        return None if not ok else np.array(picture)

    def grab(self) -> bool:
        """Take the next frame; False at the end."""
        self._current = self._taken.pop(0) if self._taken else None
        return self._current is not None or bool(self._capture.grab())

    def retrieve(self) -> tuple[bool, Picture | None]:
        """The frame that was taken, (H, W, 3) BGR."""
        if self._current is not None:
            return self._current[1] is not None, self._current[1]
        ok, picture = self._capture.retrieve()
        return bool(ok), picture

    def get(self, name: int) -> float:
        """The frame's time in ms, or another property of the capture."""
        if self._current is not None and name == cv2.CAP_PROP_POS_MSEC:
            return self._current[0]
        return float(self._capture.get(name))

    def release(self) -> None:
        """Close the capture."""
        self._capture.release()


def converting_capture(
    capture: Any, grab: Callable[[Any], bool], by_ffmpeg: Callable[[], FFmpegCapture]
) -> Any:
    """The capture of a stream that gives its pictures: OpenCV's, or ffmpeg's where that has none.

    OpenCV says of interlaced frames that all is well, and gives the same memory, often black, each
    time; of some codecs it gives nothing. A camera that sees nothing move in two frames, which its
    noise prevents, looks the same, and the same either way.

    Args:
        capture: OpenCV's, open.
        grab: Takes its next frame, and is patient.
        by_ffmpeg: Opens the stream again.
    """
    ours = Started(capture)
    first = ours.take(grab)
    second = None if first is None else ours.take(grab)
    if first is not None and (second is None or (first != second).any()):
        return ours
    other = Started(by_ffmpeg())
    if other.take(lambda opened: bool(opened.grab())) is None:
        other.release()
        return ours
    capture.release()
    return other
