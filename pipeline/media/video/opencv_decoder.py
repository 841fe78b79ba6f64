"""Decodes a video by OpenCV, which is right for what most files hold; see `choice`."""

import os
from contextlib import ExitStack, suppress
from pathlib import Path

import cv2

from core.types import Picture
from pipeline.media.ffmpeg_program import LOCAL_ONLY
from pipeline.media.opencv import capture_options
from pipeline.media.video.fitting import Size, shrink

ROTATIONS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
"""Clockwise degrees → OpenCV's code."""

MAX_FAILED_GRABS = 100
"""So many failed attempts to decode, without a frame between them, are the end of the file."""


class OpenCVDecoder:
    """The frames of a video file, upright and in RGB; a `Decoder`.

    Rotation: left alone, OpenCV turns pictures by the container's display matrix, and its width and
    height are those before or after the turn depending on its version. That is switched off
    (`CAP_PROP_ORIENTATION_AUTO`); frames are turned here by the clockwise angle that
    `CAP_PROP_ORIENTATION_META` gives, and the picture that comes out is measured.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._undo = ExitStack()
        with capture_options(LOCAL_ONLY):
            self._capture = cv2.VideoCapture(self._opencv_name(path), cv2.CAP_FFMPEG)
        self._undo.callback(self._capture.release)
        self.failures = 0
        """How many frames could not be decoded so far."""
        self.shown_size: Size | None = None
        """Width and height of the pictures that `retrieve` gives; None for the frames' own."""
        self.rotation = 0
        """Clockwise degrees by which the stored frames are turned."""
        self.is_open = self._capture.isOpened()
        """Whether OpenCV takes the file for a video."""
        if self.is_open:
            self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
            self.rotation = round(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360

    def _opencv_name(self, path: Path) -> str:
        """A name for OpenCV, which crashes on those that are not UTF-8."""
        name = str(path.absolute())
        with suppress(UnicodeEncodeError):
            name.encode()
            return name
        descriptor = os.open(path, os.O_RDONLY)
        self._undo.callback(os.close, descriptor)
        return f"/dev/fd/{descriptor}"

    @property
    def stored_size(self) -> Size:
        """Width and height of the stored frames as the container gives them, px."""
        get = self._capture.get
        return Size(int(get(cv2.CAP_PROP_FRAME_WIDTH)), int(get(cv2.CAP_PROP_FRAME_HEIGHT)))

    @property
    def fps(self) -> float:
        """The container's frame rate; any number where it gives none."""
        return float(self._capture.get(cv2.CAP_PROP_FPS))

    @property
    def frame_count(self) -> int | None:
        """The container's number of frames, or OpenCV's guess from duration and rate."""
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return int(count) if 0 < count < 1e9 else None

    @property
    def stamp_s(self) -> float:
        """The container's time of the grabbed frame, seconds."""
        return float(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)

    def seek(self, frame: int) -> None:
        """Go to about a frame, counted from 0; `stamp_s` after the next `grab` says where it is."""
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, frame)

    def grab(self) -> bool:
        """Decode the next frame; False at the end of the file.

        OpenCV answers False at a damaged packet too, so it is asked until the end is certain.
        """
        for failures in range(MAX_FAILED_GRABS):
            if self._capture.grab():
                self.failures += failures
                return True
        return False

    def retrieve(self) -> Picture | None:
        """The grabbed frame, (H, W, 3) RGB, upright, of `shown_size`; None where it is damaged."""
        ok, picture = self._capture.retrieve()
        if not ok:
            self.failures += 1
            return None
        if self.shown_size is not None:
            picture = shrink(picture, self._before_turn(self.shown_size))
        if self.rotation in ROTATIONS:
            picture = cv2.rotate(picture, ROTATIONS[self.rotation])
        rgb: Picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        return rgb

    def _before_turn(self, size: Size) -> Size:
        return Size(size.height, size.width) if self.rotation in (90, 270) else size

    def close(self) -> None:
        """Release the file."""
        self._undo.close()
