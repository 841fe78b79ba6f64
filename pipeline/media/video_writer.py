"""Encodes frames and the sound of their source as H.264 in mp4, by the ffmpeg program."""

import subprocess
import tempfile
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import ffmpeg
import numpy as np
from numpy.typing import NDArray

from core.errors import OutputError
from core.files import written_whole
from core.types import Picture, VideoInfo, check_shape
from pipeline.media.encoding.encoders import SOFTWARE, Encoder, encoder_of
from pipeline.media.encoding.matroska import TICKS_PER_S, frame_header, stream_header
from pipeline.media.ffmpeg_program import (
    LOCAL_ONLY,
    MP4_AUDIO,
    ffmpeg_program,
    frame_sync_option,
    local_url,
)
from pipeline.media.options import EncoderName
from pipeline.media.video.sound import find_sound

COPY_WITHIN_S = 0.03
"""Sound that starts this little before the picture is copied whole: a packet lasts about as long,
and cannot be cut."""


class VideoWriter:
    """Writes frames and the sound of `source` as H.264 in mp4.

    The file has a temporary name, which becomes `path` when it is whole; after an exception nothing
    is left behind. The picture starts at the first frame's time, and the sound is cut to start
    there too. Odd sizes are padded by a pixel.

    Args:
        path: The file to write; its folder must exist.
        source: The video that the frames come from.
        rate: Frames per second, what `constant_rate` says of the frames' times; None keeps the time
            that each frame is given.
        end_s: Second of the source that the sound ends at, None for its own end.
        sound: Whether the source has sound to copy; a live source, whose path is no file, has none.
        encoder: What encodes; libx264 does where it does not work here.
        software: libx264, where that is what encodes.
        crf: Constant rate factor of `SOFTWARE`: smaller is better, and a larger file.
        keyframes: Frames, at most, from a keyframe to the next; players seek faster with fewer.

    Raises:
        OutputError: The file cannot be written, ffmpeg fails (with its last line), or the block
            ends without a frame.
    """

    def __init__(
        self,
        path: Path,
        source: VideoInfo,
        rate: Fraction | None = None,
        end_s: float | None = None,
        sound: bool = True,
        encoder: EncoderName = "libx264",
        software: Encoder = SOFTWARE,
        crf: int = 21,
        keyframes: int = 250,
    ) -> None:
        self._path, self._source, self._sound = path, source, sound
        self._encoder_name: EncoderName = encoder
        self._software = software
        self._crf, self._keyframes = crf, keyframes
        self._rate, self._end_s = rate, end_s
        self._undo = ExitStack()
        self._log = self._undo.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - by the stack
        self._encoder: subprocess.Popen[bytes] | None = None
        self._shape: tuple[int, ...] = ()
        self._sent = 0
        self._start_s = 0.0
        self._gap_s = 1 / source.fps  # the last frame lasts as long as the one before it
        # a frame lasts until the next one's time, so it waits for it: time, I420
        self._waiting: tuple[float, NDArray[np.uint8]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.push(self._finish)
        try:
            self._undo.__exit__(kind, error, trace)
        except OSError as failed:
            raise OutputError(f"{self._path}: cannot be written: {failed.strerror}") from failed

    def write(self, rgb: Picture, time_s: float) -> None:
        """Add one frame.

        Args:
            rgb: (H, W, 3) RGB, of the first frame's size.
            time_s: The time it is shown at, seconds; later than the frame before.
        """
        height, width = rgb.shape[:2]
        if height % 2 or width % 2:
            rgb = cv2.copyMakeBorder(rgb, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        if self._encoder is None:
            self._start(rgb.shape, time_s)
        check_shape("VideoWriter.write rgb", rgb, self._shape)
        if self._waiting is not None:
            self._gap_s = time_s - self._waiting[0]
            self._send(*self._waiting, self._gap_s)
        # converted here, where it takes a millisecond and halves what goes through the pipe
        self._waiting = time_s, cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)

    def _start(self, shape: tuple[int, ...], time_s: float) -> None:
        """Start ffmpeg, for padded pictures of `shape`, the first at `time_s`."""
        words = ffmpeg.compile(self._command(time_s), cmd=ffmpeg_program())
        try:
            partial = self._undo.enter_context(written_whole(self._path))
            # ffmpeg-python takes no name that is not UTF-8, so they are put in afterwards
            names = {"SOURCE": local_url(self._source.path), "TARGET": local_url(partial)}
            command = [names.get(word, word) for word in words]
            # a group of its own: a terminal's Ctrl-C must not end it before its last frame
            self._encoder = subprocess.Popen(
                command, stdin=subprocess.PIPE, stderr=self._log, process_group=0
            )
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written: {error.strerror}") from error
        self._undo.callback(self._encoder.communicate)  # closes the pipe, broken or not, and waits
        self._undo.callback(self._encoder.kill)  # the stack runs backwards: kill, wait, then rename
        self._shape, self._start_s = shape, time_s
        duration_s = 1 / (self._rate or Fraction(self._source.fps))
        self._pipe(stream_header(shape[1], shape[0], duration_s))

    def _command(self, time_s: float) -> Any:
        """The encoder as an ffmpeg-python graph."""
        encoder = encoder_of(self._encoder_name)
        if encoder is SOFTWARE:
            encoder = self._software
        picture = ffmpeg.input("pipe:0", format="matroska", **LOCAL_ONLY)
        for name, argument in encoder.filters.items():
            picture = picture.filter(name, *filter(None, [argument]))
        streams = [picture]
        options: dict[str, Any] = {
            **encoder.options, "g": self._keyframes, "movflags": "+faststart", "format": "mp4",
            frame_sync_option(): "passthrough",
            "colorspace": "smpte170m", "color_primaries": "smpte170m", "color_trc": "smpte170m",
            "color_range": "tv",
        }  # fmt: skip
        if encoder is SOFTWARE:
            options["crf"] = self._crf
        if self._rate is not None:
            options["enc_time_base"] = f"{self._rate.denominator}/{self._rate.numerator}"
        else:
            options |= {"enc_time_base": "1/90000", "video_track_timescale": 90000}
        sound = find_sound(self._source.path) if self._sound else None
        if sound is not None:
            skip_s = time_s + sound.lead_s
            seek = {"ss": skip_s} if skip_s > 0 else {"itsoffset": -skip_s}
            audio = ffmpeg.input("SOURCE", **LOCAL_ONLY, **seek)["a:0"]
            whole = skip_s < COPY_WITHIN_S and self._end_s is None
            options["acodec"] = "copy" if whole and sound.codec in MP4_AUDIO else "aac"
            streams.append(
                audio if self._end_s is None else audio.filter("atrim", end=self._end_s - time_s)
            )
        output = ffmpeg.output(*streams, "TARGET", **options)
        words = ("-y", "-hide_banner", "-nostdin", "-v", "error", *encoder.before)
        return output.global_args(*words)

    def _send(self, time_s: float, picture: NDArray[np.uint8], duration_s: float) -> None:
        """Send one I420 picture to ffmpeg."""
        elapsed_s = self._sent / self._rate if self._rate else time_s - self._start_s
        ticks, duration_ticks = round(elapsed_s * TICKS_PER_S), round(duration_s * TICKS_PER_S)
        self._pipe(frame_header(ticks, duration_ticks, picture.nbytes))
        self._pipe(picture.data.cast("B"))
        self._sent += 1

    def _pipe(self, data: bytes | memoryview) -> None:
        assert self._encoder is not None
        assert self._encoder.stdin is not None
        try:
            self._encoder.stdin.write(data)
        except BrokenPipeError:
            raise self._failure() from None

    def _finish(self, kind: type[BaseException] | None, *_: object) -> None:
        """Send the last frame and wait for ffmpeg, unless an exception ended the block."""
        if kind is not None:
            return
        if self._encoder is None or self._waiting is None:
            raise OutputError(f"{self._path}: no frame to write")
        self._send(*self._waiting, float(1 / self._rate) if self._rate else self._gap_s)
        self._encoder.communicate()
        if self._encoder.returncode != 0:
            raise self._failure()

    def _failure(self) -> OutputError:
        """The error for an ffmpeg that ended early: its status and last line."""
        assert self._encoder is not None
        status = self._encoder.wait()
        self._log.seek(0)
        text = self._log.read().decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        reason = lines[-1] if lines else "it said nothing"
        return OutputError(f"{self._path}: ffmpeg failed ({status}): {reason}")
