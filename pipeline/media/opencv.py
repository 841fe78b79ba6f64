"""What OpenCV's video decoder, an FFmpeg of its own, takes from the process and not from a call."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

_OPTIONS_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_LOG_LEVEL_VARIABLE = "OPENCV_FFMPEG_LOGLEVEL"
_SILENT = "-8"


def mute_opencv() -> None:
    """Keep OpenCV and the FFmpeg inside it from writing to stderr, in this process.

    For programs to call once, before the first video is opened: FFmpeg's log level is read then.
    What matters of the messages is raised or becomes a warning of the reader; the rest would be a
    line for each damaged block of a picture. A log level that the user has set for FFmpeg stays.
    """
    os.environ.setdefault(_LOG_LEVEL_VARIABLE, _SILENT)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_FATAL)


@contextmanager
def capture_options(options: str) -> Iterator[None]:
    """Set options for videos that OpenCV opens inside the block; a user's own stay as they are.

    Args:
        options: `key;value|key;value…`, as FFmpeg names them.
    """
    if _OPTIONS_VARIABLE in os.environ:
        yield
        return
    os.environ[_OPTIONS_VARIABLE] = options
    try:
        yield
    finally:
        del os.environ[_OPTIONS_VARIABLE]
