"""Reads the frames of a video file: OpenCV decodes.

Times are presentation times in seconds from the start of the picture. They come from the container, so a variable frame
rate is kept on the way in and on the way out.
"""

import math
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import cv2

from core.errors import InputError
from core.types import Frame, VideoInfo
from pipeline.media.ffmpeg_program import opencv_options, why_unreadable
from pipeline.media.files import MAX_PIXELS, Picture, check_file, too_large
from pipeline.media.frame_times import RisingClock
from pipeline.media.mp4 import is_encrypted

# The FFmpeg inside OpenCV takes its log level from here when the first video is opened; -8 is silence. What matters of
# it is raised or becomes a warning; the rest would be a line on stderr for each damaged block of a picture.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_FATAL)

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
"""Clockwise degrees → OpenCV's word for it."""

REFUSED_AT_END = 100
"""So many refused packets without a frame between them are the end of the file."""


def probe(path: Path) -> VideoInfo:
    """What a video says it is, its first frame decoded to make sure. `InputError` says why a file cannot be used.

    Of variable frame rate, or where the container holds no frame count (Matroska), rate, count and duration are guesses
    until the frames were read: see `frame_times.measured`.
    """
    with VideoReader(path) as video:
        return video.info


class VideoReader:
    """The frames of a video file from `start_s` up to, not including, `end_s`, upright and in RGB; iterate once.

    Rotation: left alone, OpenCV turns pictures by the container's display matrix, and its width and height are those
    before or after the turn depending on its version. We switch that off (`CAP_PROP_ORIENTATION_AUTO`), turn here by
    the clockwise angle that `CAP_PROP_ORIENTATION_META` gives, and measure the picture that comes out.

    Frames before `start_s` are decoded and dropped, not sought past: where seeking lands depends on the container, and
    `Frame.index` must mean the same frame every time.

    At the end of the file `warning` says whether frames were missing or damaged; None if all is well. Raises
    `InputError`, on opening or where no frame lies between `start_s` and `end_s`.
    """

    def __init__(
        self, path: Path, start_s: float | None = None, end_s: float | None = None
    ) -> None:
        check_file(path)
        self.warning: str | None = None
        self._start_s, self._end_s = start_s or 0.0, math.inf if end_s is None else end_s
        self._undo = ExitStack()
        with opencv_options("protocol_whitelist;file"):
            self._capture = cv2.VideoCapture(self._name(path), cv2.CAP_FFMPEG)
        self._undo.callback(self._capture.release)
        if not self._capture.isOpened():
            self.close()
            raise InputError(f"{path}: {why_unreadable(path)}")
        if is_encrypted(path):
            self.close()
            raise InputError(f"{path}: is encrypted")
        self._refuse_huge(path)
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        self._turn = round(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
        self._refused = 0
        self._damaged_s: float | None = None
        first = self._retrieve() if self._grab() else None
        if first is None:
            self.close()
            raise InputError(
                f"{path}: none of its frames can be decoded; it is cut short, damaged or encrypted"
            )
        self._first = first
        self.info = self._describe(path)

    def _name(self, path: Path) -> str:
        """A name for OpenCV, which crashes on those that are not UTF-8."""
        name = str(path.absolute())
        with suppress(UnicodeEncodeError):
            name.encode()
            return name
        descriptor = os.open(path, os.O_RDONLY)
        self._undo.callback(os.close, descriptor)
        return f"/dev/fd/{descriptor}"

    def _refuse_huge(self, path: Path) -> None:
        """A frame takes memory dozens of times over before it is drawn: better to say so than to be killed for it."""
        width, height = (
            int(self._capture.get(which))
            for which in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        if width * height > MAX_PIXELS:
            self.close()
            raise too_large(path, f"{width} × {height} px")

    def _describe(self, path: Path) -> VideoInfo:
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        fps = (
            fps if 0 < fps <= 1000 else 25.0
        )  # 90000 and the like are a container's clock, not a rate
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        frames = int(count) if 0 < count < 1e9 else None
        height, width = self._first.shape[:2]
        return VideoInfo(
            path, width, height, fps, frames, self._turn, frames / fps if frames else None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._undo.close()

    def __iter__(self) -> Iterator[Frame]:
        clock, given, index = RisingClock(self.info.fps), 0, 0
        while (
            time_s := clock.time_s(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        ) < self._end_s:
            if time_s >= self._start_s:
                rgb = self._first if index == 0 else self._same_size(self._retrieve())
                if rgb is not None:
                    yield Frame(index, time_s, rgb)
                    given += 1
            index += 1
            more = self._grab()
            if self._refused and self._damaged_s is None:
                self._damaged_s = time_s
            if not more:
                self._judge(index, time_s)
                break
        if not given:
            wanted = f"from {self._start_s:g} to {self._end_s:g} s"
            raise InputError(
                f"{self.info.path}: no frame {wanted}; the last one read is at {time_s:.3f} s"
            )

    def _grab(self) -> bool:
        """Decode the next frame. OpenCV says False at a damaged packet too, so ask on until it is surely the end."""
        for refused in range(REFUSED_AT_END):
            if self._capture.grab():
                self._refused += refused
                return True
        return False

    def _retrieve(self) -> Picture | None:
        """The grabbed frame, upright, in RGB."""
        ok, picture = self._capture.retrieve()
        if not ok:
            self._refused += 1
            return None
        if self._turn in TURNS:
            picture = cv2.rotate(picture, TURNS[self._turn])
        rgb: Picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        return rgb

    def _same_size(self, rgb: Picture | None) -> Picture | None:
        """A stream may change its size midway, as calls do; keypoints need one."""
        if rgb is not None and rgb.shape != self._first.shape:
            rgb = cv2.resize(rgb, (self.info.width, self.info.height))
        return rgb

    def _judge(self, frames: int, last_s: float) -> None:
        """Set `warning` at the end of the file. Both signs must agree: counts and rates may be a container's guess."""
        announced = self.info.frame_count
        fewer = announced is not None and frames < 0.98 * announced
        shorter = (
            self.info.duration_s is not None
            and last_s + 2 / self.info.fps < 0.98 * self.info.duration_s
        )
        if fewer and shorter:
            self.warning = f"only {frames} of the {announced} frames it announces could be decoded: cut short or damaged"
        elif self._refused:
            places = "1 damaged place" if self._refused == 1 else f"{self._refused} damaged places"
            self.warning = (
                f"frames are missing in {places}, the first after {self._damaged_s or 0.0:.2f} s"
            )
