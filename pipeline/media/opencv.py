"""What OpenCV's video decoder, an FFmpeg of its own, takes from the process and not from a call."""

import os
from collections.abc import Iterator, Mapping
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
def capture_options(options: Mapping[str, str]) -> Iterator[None]:
    """Set FFmpeg's options for videos that OpenCV opens inside the block, beside a user's own.

    Args:
        options: By FFmpeg's names; those that the user has set, too, keep the user's values.
    """
    users = os.environ.get(_OPTIONS_VARIABLE)
    ours = "|".join(f"{key};{value}" for key, value in options.items())
    os.environ[_OPTIONS_VARIABLE] = ours if users is None else f"{ours}|{users}"
    try:
        yield
    finally:
        if users is None:
            del os.environ[_OPTIONS_VARIABLE]
        else:
            os.environ[_OPTIONS_VARIABLE] = users
