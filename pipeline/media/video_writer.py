"""Encodes frames and the sound of their source as H.264 in mp4, by the ffmpeg program."""

import secrets
import subprocess
import tempfile
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import ffmpeg

from core.errors import OutputError
from core.types import VideoInfo, check_shape
from pipeline.media.ffmpeg_program import (
    LOCAL_ONLY,
    MP4_AUDIO,
    ffmpeg_program,
    find_sound,
    keep_times_option,
    local_url,
)
from pipeline.media.files import Picture
from pipeline.media.matroska import TICKS_PER_S, frame_header, stream_header

COPY_WITHIN_S = 0.03
"""Sound that starts this little before the picture is copied: a packet, which lasts about as long, cannot be cut."""


class VideoWriter:
    """Writes frames and the sound of `source` as H.264 in mp4, under a temporary name that becomes `path` when whole.

    The picture starts at the first frame's time; the sound is cut to start there and to end at `end_s`. `rate` is what
    `constant_rate` says of the frames' times; without it every frame keeps the time it is given. Odd sizes are padded
    by a pixel. A live source, whose `source.path` is no file, is written without `sound`. After an exception, or when
    ffmpeg fails (`OutputError` with its last line), nothing is left behind.
    """

    def __init__(
        self,
        path: Path,
        source: VideoInfo,
        rate: Fraction | None = None,
        end_s: float | None = None,
        sound: bool = True,
    ) -> None:
        self._path, self._source, self._rate, self._end_s, self._sound = (
            path,
            source,
            rate,
            end_s,
            sound,
        )
        self._part = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part.mp4")
        self._undo = ExitStack()
        self._said = self._undo.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        self._encoder: subprocess.Popen[bytes] | None = None
        self._shape: tuple[int, ...] = ()
        self._sent = 0
        self._start_s, self._gap_s = (
            0.0,
            1 / source.fps,
        )  # the last frame lasts as long as the one before it
        self._waiting: tuple[float, Picture] | None = (
            None  # a frame lasts until the next one's time, so it waits for it
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._undo:
            if kind is None:
                self._finish()

    def write(self, rgb: Picture, time_s: float) -> None:
        """Add one frame (H, W, 3) shown from `time_s` on; times rise strictly and sizes stay."""
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
        # ffmpeg-python takes no name that is not UTF-8, so that ours come in when it is done.
        names = {"SOURCE": local_url(self._source.path), "TARGET": local_url(self._part)}
        words = ffmpeg.compile(self._command(time_s), cmd=ffmpeg_program())
        command = [names.get(word, word) for word in words]
        try:
            self._part.open("xb").close()  # says plainly why a folder cannot be written
            self._undo.callback(self._part.unlink, missing_ok=True)
            # A group of its own: a terminal's Ctrl-C is for us, who end the file when its last frame is written.
            self._encoder = subprocess.Popen(
                command, stdin=subprocess.PIPE, stderr=self._said, process_group=0
            )
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written: {error.strerror}") from error
        self._undo.callback(self._encoder.communicate)  # closes the pipe, broken or not, and waits
        self._undo.callback(self._encoder.kill)  # the stack runs backwards: kill, wait, unlink
        self._shape, self._start_s = shape, time_s
        rate = self._rate or Fraction(self._source.fps).limit_denominator(1001)
        self._pipe(stream_header(shape[1], shape[0], 1 / rate))

    def _command(self, time_s: float) -> Any:
        """The encoder as an ffmpeg-python graph.

        superfast with macroblock tree and a short lookahead has veryfast's size and quality for two thirds of its work.
        One thread, because decoding and drawing keep the other cores busy, and more threads cost a third more in all.
        """
        streams = [ffmpeg.input("pipe:0", format="matroska", protocol_whitelist=LOCAL_ONLY)]
        options: dict[str, Any] = {
            "vcodec": "libx264", "preset": "superfast", "crf": 21, "threads": 1,
            "x264-params": "mbtree=1:rc-lookahead=10",
            "pix_fmt": "yuv420p", "movflags": "+faststart", "format": "mp4",
            keep_times_option(): "passthrough",
            "colorspace": "smpte170m", "color_primaries": "smpte170m", "color_trc": "smpte170m", "color_range": "tv",
        }  # fmt: skip
        if self._rate is not None:
            options["enc_time_base"] = f"{self._rate.denominator}/{self._rate.numerator}"
        else:
            options |= {"enc_time_base": "1/90000", "video_track_timescale": 90000}
        sound = find_sound(self._source.path) if self._sound else None
        if sound is not None:
            skip_s = time_s + sound.lead_s
            seek = {"ss": skip_s} if skip_s > 0 else {"itsoffset": -skip_s}
            heard = ffmpeg.input("SOURCE", protocol_whitelist=LOCAL_ONLY, **seek)["a:0"]
            whole = skip_s < COPY_WITHIN_S and self._end_s is None
            options["acodec"] = "copy" if whole and sound.codec in MP4_AUDIO else "aac"
            streams.append(
                heard if self._end_s is None else heard.filter("atrim", end=self._end_s - time_s)
            )
        output = ffmpeg.output(*streams, "TARGET", **options)
        return output.global_args("-y", "-hide_banner", "-nostdin", "-v", "error")

    def _send(self, time_s: float, picture: Picture, duration_s: float) -> None:
        elapsed = self._sent / self._rate if self._rate else time_s - self._start_s
        self._pipe(
            frame_header(
                round(elapsed * TICKS_PER_S), round(duration_s * TICKS_PER_S), picture.nbytes
            )
        )
        self._pipe(picture.data.cast("B"))
        self._sent += 1

    def _pipe(self, data: bytes | memoryview) -> None:
        assert self._encoder is not None
        assert self._encoder.stdin is not None
        try:
            self._encoder.stdin.write(data)
        except BrokenPipeError:
            raise self._failure() from None

    def _finish(self) -> None:
        if self._encoder is None or self._waiting is None:
            raise OutputError(f"{self._path}: no frame to write")
        self._send(*self._waiting, float(1 / self._rate) if self._rate else self._gap_s)
        self._encoder.communicate()
        if self._encoder.returncode != 0:
            raise self._failure()
        try:
            self._part.replace(self._path)
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written: {error.strerror}") from error

    def _failure(self) -> OutputError:
        assert self._encoder is not None
        status = self._encoder.wait()
        self._said.seek(0)
        lines = [
            line for line in self._said.read().decode(errors="replace").splitlines() if line.strip()
        ]
        return OutputError(
            f"{self._path}: ffmpeg failed ({status}): {lines[-1].strip() if lines else 'it said nothing'}"
        )
