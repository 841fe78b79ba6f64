"""A live source that the ffmpeg program decodes.

OpenCV gives a stream's interlaced frames as black or stale memory, and squeezes frames of a changed
shape into the first one's, without a word; nor can a stream be asked before what will come in it.
"""

import threading
from collections.abc import Sequence

import cv2

from core.types import Picture
from pipeline.media.video.facts import PICTURE
from pipeline.media.video.fitting import square_size
from pipeline.media.video.frame_pipe import SHOWINFO, FramePipe

DECODER = "ffmpeg: what comes in a stream is not known before"
"""What the report says of it."""

_SQUARE = "scale=w='max(1,round(iw*sar))':h=ih,setsar=1"


class FFmpegCapture:
    """ffmpeg by those methods of OpenCV's captures that live sources use, but its frames are RGB.

    Making it waits for the first frame.

    Args:
        words: ffmpeg's words on the input.
        timeout_s: How long a stream may send nothing.
        stop: Ends the waiting, too.
        stdin: A descriptor that `pipe:0` is; None for nothing.
    """

    def __init__(
        self,
        words: Sequence[str],
        timeout_s: float,
        stop: threading.Event,
        stdin: int | None = None,
    ) -> None:
        source = [*words, "-map", PICTURE]
        filters = [SHOWINFO, _SQUARE]
        self._pipe = FramePipe(source, filters, square_size, timeout_s, stdin, stop)
        self._following = self._pipe.next()
        self._picture: Picture | None = None
        self._time_s = 0.0

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether there is a frame to take."""
        return self._following is not None

    @property
    def unreached(self) -> str | None:
        """Why a server was not reached, in ffmpeg's words; None where it was."""
        return self._pipe.text.unreached

    def grab(self) -> bool:
        """Take the next frame; False at the end, and where none comes in time."""
        following, self._following = self._following or self._pipe.next(), None
        if following is None:
            return False
        self._time_s, self._picture = following[0].time_s, following[1]
        return True

    def retrieve(self) -> tuple[bool, Picture | None]:
        """The frame that was taken, (H, W, 3) RGB, of its own size."""
        return self._picture is not None, self._picture

    def get(self, name: int) -> float:
        """The frame's time in ms, or the frame rate; 0 for anything else."""
        if name == cv2.CAP_PROP_POS_MSEC:
            return self._time_s * 1000
        return float(self._pipe.text.rate or 0) if name == cv2.CAP_PROP_FPS else 0.0

    def release(self) -> None:
        """End the program."""
        self._pipe.close()
