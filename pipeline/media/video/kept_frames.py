"""A clip's frames, kept small while they are read: drawing them needs no second decoding."""

import shutil
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from core.types import Frame, Picture
from pipeline.media.video.fitting import Size, shrink

MAX_BYTES, MAX_SHARE = 1 << 30, 1 / 4
"""Of a clip's frames, and in what is free on the disk: a longer clip is decoded again."""


class KeptFrames:
    """Frames of one size, in a nameless file: planes of I420, as encoders take them.

    Args:
        size: That frames are given, px, even.
        folder: Where the file lies.
    """

    def __init__(self, size: Size, folder: Path) -> None:
        self.size, self._most = size, self.most(size, folder)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - see `close`
        self._indices, self._times_s = array("q"), array("d")
        self.is_whole = True
        """Whether all frames that have passed are kept."""

    @staticmethod
    def most(size: Size, folder: Path) -> int:
        """How many frames of a size are kept in a folder."""
        room = min(MAX_BYTES, MAX_SHARE * shutil.disk_usage(folder).free)
        return int(room) // (size.width * size.height * 3 // 2)

    @property
    def _shape(self) -> tuple[int, int]:
        return self.size.height * 3 // 2, self.size.width

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file's space back."""
        self._file.close()

    def passing(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The same frames, which are kept as they pass; none of them where they are too many."""
        for frame in frames:
            if self.is_whole:
                self.is_whole = self._keep(frame)
            yield frame

    def _keep(self, frame: Frame) -> bool:
        """Keep a frame; False where there is no room for it."""
        planes = cv2.cvtColor(shrink(frame.rgb, self.size), cv2.COLOR_RGB2YUV_I420)
        try:
            if len(self._indices) == self._most:
                raise OSError
            self._file.write(planes.data)
        except OSError:  # no space left on the disk, too
            self._file.truncate(0)
            return False
        self._indices.append(frame.index)
        self._times_s.append(frame.time_s)
        return True

    def __getitem__(self, index: int) -> Frame:
        """The frame that was kept as number `index`, from 0 on."""
        planes = np.empty(self._shape, np.uint8)
        self._file.seek(index * planes.nbytes)
        self._file.readinto(planes.data.cast("B"))
        rgb: Picture = cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)
        return Frame(self._indices[index], self._times_s[index], rgb)

    def __iter__(self) -> Iterator[Frame]:
        """All frames that were kept, from the first on."""
        return map(self.__getitem__, range(len(self._indices)))
