"""Reads the frames of a video file: OpenCV decodes.

Times are presentation times in seconds from the start of the picture. They come from the container,
so a variable frame rate is kept on the way in and on the way out.
"""

import math
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import cv2

from core.errors import InputError
from core.types import Frame, Picture, VideoInfo
from pipeline.media.ffmpeg_program import unreadable_reason
from pipeline.media.files import MAX_PIXELS, check_file, too_large_error
from pipeline.media.frame_times import MonotonicClock
from pipeline.media.mp4 import is_encrypted
from pipeline.media.opencv import capture_options

ROTATIONS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
"""Clockwise degrees → OpenCV's code."""

MAX_FAILED_GRABS = 100
"""So many failed attempts to decode, without a frame between them, are the end of the file."""


def probe(path: Path) -> VideoInfo:
    """Describe a video, and decode its first frame to make sure that it can be read.

    Where the frame rate is variable, or the container holds no frame count (Matroska), rate, count
    and duration are guesses until all frames are read: see `frame_times.measured`.

    Raises:
        InputError: The file cannot be used; the text says why.
    """
    with VideoReader(path) as video:
        return video.info


class VideoReader:
    """The frames of a video file, upright and in RGB; a `ClipReader`.

    Rotation: left alone, OpenCV turns pictures by the container's display matrix, and its width and
    height are those before or after the turn depending on its version. That is switched off
    (`CAP_PROP_ORIENTATION_AUTO`); frames are turned here by the clockwise angle that
    `CAP_PROP_ORIENTATION_META` gives, and the picture that comes out is measured.

    Frames before `start_s` are decoded and dropped, not sought past: where seeking lands depends on
    the container, and `Frame.index` must mean the same frame every time.

    At the end of the file `warning` says whether frames were missing or damaged.

    Args:
        path: The file.
        start_s: Second to start at, None for the first frame.
        end_s: Second to stop before, None for no end.

    Raises:
        InputError: The file cannot be used; while iterating: no frame lies between `start_s` and
            `end_s`.
    """

    def __init__(
        self, path: Path, start_s: float | None = None, end_s: float | None = None
    ) -> None:
        check_file(path)
        self.warning: str | None = None
        self.picture_numbers: list[int] | None = None
        self._start_s, self._end_s = start_s or 0.0, math.inf if end_s is None else end_s
        self._undo = ExitStack()
        with capture_options("protocol_whitelist;file"):
            self._capture = cv2.VideoCapture(self._opencv_name(path), cv2.CAP_FFMPEG)
        self._undo.callback(self._capture.release)
        if not self._capture.isOpened():
            self.close()
            raise InputError(f"{path}: {unreadable_reason(path)}")
        if is_encrypted(path):
            self.close()
            raise InputError(f"{path}: is encrypted")
        self._refuse_huge(path)
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        self._rotation = round(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
        self._failures = 0
        self._first_failure_s: float | None = None
        first = self._retrieve() if self._grab() else None
        if first is None:
            self.close()
            raise InputError(
                f"{path}: none of its frames can be decoded; it is cut short, damaged or encrypted"
            )
        self._first = first
        self.info = self._describe(path)

    def _opencv_name(self, path: Path) -> str:
        """A name for OpenCV, which crashes on those that are not UTF-8."""
        name = str(path.absolute())
        with suppress(UnicodeEncodeError):
            name.encode()
            return name
        descriptor = os.open(path, os.O_RDONLY)
        self._undo.callback(os.close, descriptor)
        return f"/dev/fd/{descriptor}"

    def _refuse_huge(self, path: Path) -> None:
        """Refuse frames that would fill the memory: it holds a frame dozens of times over."""
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > MAX_PIXELS:
            self.close()
            raise too_large_error(path, f"{width} × {height} px")

    def _describe(self, path: Path) -> VideoInfo:
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        if not 0 < fps <= 1000:  # 90000 and the like are a container's clock, not a rate
            fps = 25.0
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        frames = int(count) if 0 < count < 1e9 else None
        height, width = self._first.shape[:2]
        duration_s = frames / fps if frames else None
        return VideoInfo(path, width, height, fps, frames, self._rotation, duration_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._undo.close()

    def __iter__(self) -> Iterator[Frame]:
        clock, read, index = MonotonicClock(self.info.fps), 0, 0
        while (time_s := clock.time_s(self._stamp_s())) < self._end_s:
            if time_s >= self._start_s:
                rgb = self._first if index == 0 else self._resized(self._retrieve())
                if rgb is not None:
                    yield Frame(index, time_s, rgb)
                    read += 1
            index += 1
            is_grabbed = self._grab()
            if self._failures and self._first_failure_s is None:
                self._first_failure_s = time_s
            if not is_grabbed:
                self._set_warning(index, time_s)
                break
        if not read:
            wanted = f"from {self._start_s:g} to {self._end_s:g} s"
            raise InputError(
                f"{self.info.path}: no frame {wanted}; the last one read is at {time_s:.3f} s"
            )

    def _stamp_s(self) -> float:
        """The container's time of the grabbed frame, seconds."""
        return float(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)

    def _grab(self) -> bool:
        """Decode the next frame; False at the end of the file.

        OpenCV answers False at a damaged packet too, so it is asked until the end is certain.
        """
        for failures in range(MAX_FAILED_GRABS):
            if self._capture.grab():
                self._failures += failures
                return True
        return False

    def _retrieve(self) -> Picture | None:
        """The grabbed frame, upright, in RGB; None where it is damaged."""
        ok, picture = self._capture.retrieve()
        if not ok:
            self._failures += 1
            return None
        if self._rotation in ROTATIONS:
            picture = cv2.rotate(picture, ROTATIONS[self._rotation])
        rgb: Picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        return rgb

    def _resized(self, rgb: Picture | None) -> Picture | None:
        """A frame at the first one's size: a stream may change its size midway, as calls do."""
        if rgb is not None and rgb.shape != self._first.shape:
            rgb = cv2.resize(rgb, (self.info.width, self.info.height))
        return rgb

    def _set_warning(self, frames: int, last_s: float) -> None:
        """Judge a file that was read to its end.

        It is cut short where both count and duration say so: each may be the container's guess.
        """
        announced = self.info.frame_count
        fewer = announced is not None and frames < 0.98 * announced
        shorter = (
            self.info.duration_s is not None
            and last_s + 2 / self.info.fps < 0.98 * self.info.duration_s
        )
        if fewer and shorter:
            self.warning = (
                f"only {frames} of the {announced} frames it announces could be decoded: "
                "cut short or damaged"
            )
        elif self._failures:
            places = (
                "1 damaged place" if self._failures == 1 else f"{self._failures} damaged places"
            )
            self.warning = (
                f"frames are missing in {places}, "
                f"the first after {self._first_failure_s or 0.0:.2f} s"
            )
