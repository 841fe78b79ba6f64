"""Decodes a video by the ffmpeg program, which turns, squares and tone-maps its pictures, too."""

from pathlib import Path

from core.errors import InputError
from core.types import Picture
from pipeline.media.ffmpeg_program import local_input, short_of_memory_error
from pipeline.media.files import too_large_error
from pipeline.media.video import tone_mapping
from pipeline.media.video.facts import VideoFacts
from pipeline.media.video.fitting import Size, SizeChange, fit_filter, square_size
from pipeline.media.video.frame_pipe import SHOWINFO, FramePipe

STALLED_S = 120.0
"""A file of which no frame comes for so long is given up."""


class FFmpegDecoder:
    """The frames of a video as ffmpeg shows them, all of one size; a `Decoder`.

    Args:
        path: The file.
        facts: What ffmpeg said of it.
        size: Of the pictures; None for the frames' own with square pixels.
    """

    def __init__(self, path: Path, facts: VideoFacts, size: Size | None = None) -> None:
        first = facts.frames[0]
        own_size = square_size(first)
        shown_size = size or own_size
        self.size_change: SizeChange | None = None
        """Where the picture first has another size; None where it keeps its size."""
        self._path, self._lead_s = path, facts.lead_s
        self._stored_size = (first.width, first.height)
        self._pixels = max(first.width * first.height, own_size.width * own_size.height)
        self._picture: Picture | None = None
        self._stamp_s = 0.0
        tone_map = tone_mapping.is_hdr(facts.transfer) and tone_mapping.can_tone_map()
        filters = [SHOWINFO, *([tone_mapping.FILTERS] if tone_map else [])]
        shrinking = [f"scale={size.width}:{size.height}:flags=area"] if size else []
        self._pipe = FramePipe(
            [*local_input(path), "-map", facts.picture],
            [*filters, fit_filter(own_size, first), *shrinking],
            lambda _: shown_size,
            STALLED_S,
            max_pixels=self._pixels,
        )

    def grab(self) -> bool:
        """Take the next frame; False at the end."""
        following = self._pipe.next()
        if following is None:
            return False
        shown, self._picture = following
        self._stamp_s = shown.time_s - self._lead_s
        if self.size_change is None and (shown.width, shown.height) != self._stored_size:
            self.size_change = SizeChange(self._stamp_s, shown.width, shown.height)
        return True

    def retrieve(self) -> Picture | None:
        """The frame that was taken, (H, W, 3) RGB."""
        return self._picture

    @property
    def stamp_s(self) -> float:
        """Its presentation time from the first frame on, seconds; NaN where it has none."""
        return self._stamp_s

    @property
    def damage(self) -> str | None:
        """The first line of ffmpeg's log that says that a frame is damaged."""
        return self._pipe.text.damage

    @property
    def error(self) -> InputError | None:
        """Why there are no more frames, where it is not that the file has ended."""
        if self._pipe.text.too_large is not None:
            return too_large_error(self._path, self._pipe.text.too_large)
        if self._pipe.text.is_short_of_memory:
            return short_of_memory_error(self._path, self._pixels)
        if self._pipe.is_stalled:
            return InputError(f"{self._path}: its next frame takes more than {STALLED_S:.0f} s")
        return None

    def close(self) -> None:
        """End the program."""
        self._pipe.close()
