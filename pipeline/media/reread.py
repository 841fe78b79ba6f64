"""Reads some frames of a clip once more: those before a moment, when all have been read once."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from core.errors import InputError
from core.types import Floats, Frame, VideoInfo
from pipeline.media.clip import open_clip
from pipeline.media.options import ClipOptions
from pipeline.media.video.opencv_decoder import OpenCVDecoder

SAME_STAMP_S = 0.001
"""Two times of a frame differ by less; Matroska rounds to a millisecond."""
SEEK_AHEAD = 2
"""Frames by which a seek aims too early: containers' rates are not exact."""
MAX_SKIPPED = 2000
"""Most frames that are decoded and dropped to get to others, where a file cannot be sought."""


class Rereader:
    """The frames of a clip once more, by their number in the first reading.

    A video is sought in, and where that lands is checked by the frames' times: where they are not
    the first reading's, the file is read from its start.

    Args:
        path: The clip.
        options: Which part of it was read, and at what rate.
        info: What the first reading said of it.
        indices, times_s: (F,) of the frames of the first reading: `Frame.index`, `Frame.time_s`.
    """

    def __init__(
        self, path: Path, options: ClipOptions, info: VideoInfo, indices: Floats, times_s: Floats
    ) -> None:
        self._path, self._options, self._info = path, options, info
        self._indices, self._times_s = indices, times_s
        self._decoder: OpenCVDecoder | None = None
        if options.fps is None and info.decoder == "OpenCV":
            self._decoder = OpenCVDecoder(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._decoder is not None:
            self._decoder.close()

    def frames(self, start: int, stop: int) -> list[Frame]:
        """The frames `start` to `stop` - 1 of the first reading; none where that costs too much."""
        if self._decoder is not None and (found := self._sought(self._decoder, start, stop)):
            return found
        if not self._options.fps and self._indices[stop - 1] > MAX_SKIPPED:
            return []
        margin = SAME_STAMP_S / 2
        first, last = self._times_s[start] - margin, self._times_s[stop - 1] + margin
        part = replace(self._options, start=max(float(first), 0.0), end=float(last))
        with suppress(InputError), open_clip(self._path, part) as clip:
            found = list(clip)
            if [frame.index for frame in found] == list(self._indices[start:stop]):
                return found
        return []

    def _sought(self, decoder: OpenCVDecoder, start: int, stop: int) -> list[Frame]:
        """The frames by seeking; none where it does not land on them."""
        found: list[Frame] = []
        decoder.seek(max(int(self._indices[start]) - SEEK_AHEAD, 0))
        while len(found) < stop - start and decoder.grab():
            number = start + len(found)
            late_s = decoder.stamp_s - self._times_s[number]
            if late_s > SAME_STAMP_S:
                return []
            if late_s > -SAME_STAMP_S:
                rgb = decoder.retrieve()
                if rgb is None:
                    return []
                index, time_s = int(self._indices[number]), float(self._times_s[number])
                found.append(Frame(index, time_s, rgb))
        return found if len(found) == stop - start else []
