"""Reads the frames of a video file: one interface, whichever program decodes.

Times are presentation times in seconds from the start of the picture. They come from the container,
so a variable frame rate is kept on the way in and on the way out.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol, Self

from core.camera import focal_from_35mm
from core.errors import InputError
from core.types import Frame, Picture, VideoInfo
from pipeline.media.ffmpeg_program import has_ffmpeg
from pipeline.media.files import MAX_PIXELS, check_file, too_large_error
from pipeline.media.frame_times import MonotonicClock
from pipeline.media.options import span_text
from pipeline.media.video import tone_mapping
from pipeline.media.video.choice import looks_different, why_ffmpeg
from pipeline.media.video.facts import VideoFacts, examine
from pipeline.media.video.ffmpeg_decoder import FFmpegDecoder
from pipeline.media.video.fitting import Size, shrink, square_size
from pipeline.media.video.mp4 import MAX_SAMPLES, announces_too_many, is_encrypted
from pipeline.media.video.opencv_decoder import OpenCVDecoder
from pipeline.media.video.unreadable import unreadable_reason

FALLBACK_FPS = 25.0
"""The frame rate of a video that has neither times nor a rate."""

MAX_FPS = 1000.0
"""Frame rates above it are a container's clock."""

MAX_LEAP_S = 10.0
"""Where recordings are joined, as those of broadcasts are, a longer pause is none; as in ffmpeg."""

_JOINED = frozenset({"mpegts", "mpeg", "mpegvideo", "ogg", "nut"})
_CLOCK_OVER_RATE = 2.0  # a container's rate so many times that of its packets is its clock
_MISCOUNT = 0.02  # by which a count, guessed from a duration, may be off
_FIELDS = 1.5  # so many packets a frame are fields of their own


class Decoder(Protocol):
    """Decodes the frames of a video file, one after another."""

    def grab(self) -> bool:
        """Take the next frame; False at the end."""

    @property
    def stamp_s(self) -> float:
        """Its time, seconds from the first frame on; 0 or NaN where it has none."""

    def retrieve(self) -> Picture | None:
        """Its picture (H, W, 3) RGB, upright; None where it is damaged."""

    def close(self) -> None:
        """Release the file."""


def probe(path: Path) -> VideoInfo:
    """Describe a video, and decode its first frame to make sure that it can be read.

    Where the frame rate is variable, or the container holds no frame count (Matroska), rate, count
    and duration are guesses until all frames are read: see `frame_times.measured`.

    Raises:
        InputError: The file cannot be used; the text says why.
    """
    with VideoReader(path) as video:
        return video.info


def ask_ahead(path: Path) -> None:
    """Ask ffmpeg of a video what `VideoReader` asks; the answers are kept for it.

    Raises:
        InputError: The file cannot be used.
    """
    _refuse_long(path)
    examine(path)


class VideoReader:
    """The frames of a video file, upright, of square pixels and in RGB; a `ClipReader`.

    OpenCV decodes where it does so rightly, else the ffmpeg program; `info.decoder` says which, and
    why. It is decided once, by what ffmpeg says of the file.

    Frames before `start_s` are decoded and dropped, not sought past: where seeking lands depends on
    the container, and `Frame.index` must mean the same frame every time.

    At the end of the file `warning` says whether frames were missing or damaged, or changed size.

    Args:
        path: The file.
        start_s: Second to start at, None for the first frame.
        end_s: Second to stop before, None for no end.
        size: That frames are given; None for the video's own.

    Raises:
        InputError: The file cannot be used; while iterating: no frame lies between `start_s` and
            `end_s`, or one has more pixels than are read.
    """

    def __init__(
        self,
        path: Path,
        start_s: float | None = None,
        end_s: float | None = None,
        size: Size | None = None,
    ) -> None:
        check_file(path)
        self.warning: str | None = None
        self.picture_numbers: list[int] | None = None
        self._shown_size = size
        self._start_s, self._end_s = start_s or 0.0, math.inf if end_s is None else end_s
        _refuse_long(path)
        self._facts = facts = examine(path)
        self._first_failure_s: float | None = None
        self.info: VideoInfo
        self._announced: int | None = None
        self._announced_s: float | None = None
        if is_encrypted(path):
            raise InputError(f"{path}: is encrypted")
        if facts is None and has_ffmpeg():
            raise InputError(f"{path}: {unreadable_reason(path)}")
        if facts is not None:
            _refuse_huge(path, facts.frames[0].width, facts.frames[0].height)
            size = square_size(facts.frames[0])
            _refuse_huge(path, size.width, size.height)
        reason = None if facts is None else why_ffmpeg(facts)
        if facts is None or reason is None:
            reason = self._open_opencv(path, facts)
        if facts is not None and reason is not None:
            self._open_ffmpeg(path, facts, reason)
        if facts is not None:
            focal_px = focal_from_35mm(facts.stream.focal_35mm, self.info.width, self.info.height)
            self.info = replace(self.info, focal_px=focal_px)

    def _open_opencv(self, path: Path, facts: VideoFacts | None) -> str | None:
        """Let OpenCV decode; why it cannot, where ffmpeg can."""
        decoder = OpenCVDecoder(path)
        try:
            first = None
            if decoder.is_open:
                _refuse_huge(path, decoder.stored_size.width, decoder.stored_size.height)
                first = decoder.retrieve() if decoder.grab() else None
            if facts is None and first is None:
                raise InputError(f"{path}: {unreadable_reason(path)}")
            if facts is not None and first is None:
                decoder.close()
                return f"OpenCV cannot decode {facts.stream.codec}"
            if facts is not None and first is not None and looks_different(first, facts):
                decoder.close()
                return f"OpenCV decodes its {facts.stream.codec} wrongly"
        except InputError:
            decoder.close()
            raise
        assert first is not None
        self._decoder: Decoder = decoder
        self._opencv: OpenCVDecoder | None = decoder
        self._ffmpeg: FFmpegDecoder | None = None
        decoder.shown_size = self._shown_size
        self._first: Picture = (
            first if self._shown_size is None else shrink(first, self._shown_size)
        )
        fps = _rate(decoder.fps, facts)
        frames = decoder.frame_count
        height, width = first.shape[:2]
        duration_s = frames / fps if frames else None
        if facts is not None and frames and not facts.packets.is_cut:
            counted, counted_s = _length(facts, fps)
            if counted and frames > (1 + _MISCOUNT) * counted:
                frames, duration_s = counted, counted_s  # it was the sound's, or nonsense
        self._announced, self._announced_s = frames, duration_s
        self.info = VideoInfo(
            path, width, height, fps, frames, decoder.rotation, duration_s, "OpenCV"
        )
        return None

    def _open_ffmpeg(self, path: Path, facts: VideoFacts, reason: str) -> None:
        """Let the ffmpeg program decode."""
        decoder = FFmpegDecoder(path, facts, self._shown_size)
        first = decoder.retrieve() if decoder.grab() else None
        if first is None:
            decoder.close()
            raise decoder.error or InputError(f"{path}: {unreadable_reason(path)}")
        self._decoder, self._opencv, self._ffmpeg, self._first = decoder, None, decoder, first
        fps = _rate(float(facts.rate or facts.stream.fps or 0), facts)
        frames, duration_s = _length(facts, fps)
        turn = facts.stream.turn_deg
        size = square_size(facts.frames[0])
        rotation = round(-turn) % 360 if turn is not None and turn % 90 == 0 else 0
        self.info = VideoInfo(
            path, size.width, size.height, fps, frames, rotation, duration_s,
            f"ffmpeg: {reason}",
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._decoder.close()

    def __iter__(self) -> Iterator[Frame]:
        is_joined = self._facts is not None and self._facts.stream.container in _JOINED
        clock = MonotonicClock(self.info.fps, MAX_LEAP_S if is_joined else math.inf)
        read, index = 0, 0
        while (time_s := clock.time_s(self._decoder.stamp_s)) < self._end_s:
            if time_s >= self._start_s:
                rgb = self._first if index == 0 else self._decoder.retrieve()
                if rgb is not None:
                    yield Frame(index, time_s, rgb)
                    read += 1
            index += 1
            is_grabbed = self._decoder.grab()
            if self._failures and self._first_failure_s is None:
                self._first_failure_s = time_s
            if not is_grabbed:
                if self._ffmpeg is not None and self._ffmpeg.error is not None:
                    raise self._ffmpeg.error
                self.warning = self._cut_warning(index, time_s)
                break
        parts = [self.warning, self._size_warning(), self._picture_warning()]
        self.warning = "; ".join(part for part in parts if part) or None
        if not read:
            wanted = span_text(self._start_s, self._end_s)
            raise InputError(
                f"{self.info.path}: no frame {wanted}; the last one read is at {time_s:.3f} s"
            )

    @property
    def _failures(self) -> int:
        return 0 if self._opencv is None else self._opencv.failures

    def _cut_warning(self, frames: int, last_s: float) -> str | None:
        """Whether a file that was read to its end is cut short or damaged.

        It is cut short where count and duration say so, which may be the container's guess, and
        ffmpeg finds that it ends inside a packet.
        """
        fewer = self._announced is not None and frames < 0.98 * self._announced
        shorter = (
            self._announced_s is not None and last_s + 2 / self.info.fps < 0.98 * self._announced_s
        )
        is_cut = self._facts is None or self._facts.packets.is_cut
        if fewer and shorter and is_cut:
            return (
                f"only {frames} of the {self._announced} frames it announces could be decoded: "
                "cut short or damaged"
            )
        if self._failures:
            places = (
                "1 damaged place" if self._failures == 1 else f"{self._failures} damaged places"
            )
            return (
                f"frames are missing in {places}, "
                f"the first after {self._first_failure_s or 0.0:.2f} s"
            )
        if self._ffmpeg is not None and (is_cut or self._ffmpeg.damage):
            return f"it is cut short or damaged: {frames} frames could be decoded"
        return None

    def _size_warning(self) -> str | None:
        """Whether the picture changes its size midway, as calls and joined recordings do."""
        change = None if self._ffmpeg is None else self._ffmpeg.size_change
        return None if change is None else change.warning(self.info.width, self.info.height)

    def _picture_warning(self) -> str | None:
        """Whether pictures have wrong colours, or nothing is known of them."""
        facts = self._facts
        if facts is None:
            return "there is no ffmpeg to ask whether OpenCV's pictures are right"
        if facts.stream.is_dolby:
            return (
                "it is Dolby Vision without another picture (profile 5), and its colours stay "
                "green and violet: people may be missed; export it as HDR10, HLG or SDR"
            )
        if not tone_mapping.is_hdr(facts.transfer) or tone_mapping.can_tone_map():
            return None
        return (
            "its high dynamic range is not tone-mapped, and its pictures are dim: "
            "this ffmpeg has no zscale filter; `pip install imageio-ffmpeg` brings one that has"
        )


def _refuse_long(path: Path) -> None:
    """Refuse files that announce more than FFmpeg should keep in memory."""
    if announces_too_many(path):
        raise InputError(
            f"{path}: announces more than {MAX_SAMPLES:,} samples; cut it into shorter files"
        )


def _refuse_huge(path: Path, width: int, height: int) -> None:
    """Refuse frames that would fill the memory: it holds a frame dozens of times over."""
    if width * height > MAX_PIXELS:
        raise too_large_error(path, f"{width} × {height} px")


def _rate(fps: float, facts: VideoFacts | None) -> float:
    """The frame rate of a video, Hz.

    Args:
        fps: What its container gives; 90000, 1000 and the like may be its clock.
        facts: With the rate of its packets.
    """
    average = facts.packets.rate if facts is not None else None
    if facts is not None and average is not None:
        usual = max(average, 1 / facts.packets.step_s) if facts.packets.step_s else average
        if not 0 < fps <= _CLOCK_OVER_RATE * usual:
            return average
    return fps if 0 < fps <= MAX_FPS else FALLBACK_FPS


def _length(facts: VideoFacts, fps: float) -> tuple[int | None, float | None]:
    """How many frames a video has, and how long they last, s, by its packets; None where unknown.

    In a container without times, whose frames have the rate `fps`, a packet is a frame; elsewhere
    it may be a field, half of one.
    """
    packets = facts.packets
    if packets.are_timed and packets.span_s is not None:
        duration_s = packets.span_s + 1 / fps
        even = round(duration_s * fps)
        return even if packets.count > _FIELDS * even else packets.count, duration_s
    if facts.stream.duration_s is not None and packets.count:
        return packets.count, packets.count / fps
    return None, None
