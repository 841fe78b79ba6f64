"""The only place that opens or writes a video: `VideoReader` (OpenCV decodes), `VideoWriter` (ffmpeg encodes).

Times are presentation times in seconds from the start of the picture. They come from the container, so a variable frame
rate is kept on the way in and on the way out.
"""

import math
import os
import secrets
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import ffmpeg
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, OutputError
from core.types import Frame, VideoInfo, check_shape
from pipeline.ffmpeg_program import (
    LOCAL_ONLY,
    MP4_AUDIO,
    ffmpeg_program,
    find_sound,
    keep_times_option,
    local_url,
    opencv_options,
    why_unreadable,
)
from pipeline.frame_times import RisingClock
from pipeline.matroska import TICKS_PER_S, frame_header, stream_header
from pipeline.mp4 import is_encrypted

Picture = NDArray[np.uint8]

# The FFmpeg inside OpenCV takes its log level from here when the first video is opened; -8 is silence. What matters of
# it is raised or becomes a warning; the rest would be a line on stderr for each damaged block of a picture.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_FATAL)

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
"""Clockwise degrees → OpenCV's word for it."""

REFUSED_AT_END = 100
"""So many refused packets without a frame between them are the end of the file."""

MAX_PIXELS = 8192 * 8192
"""Of a picture: 8K, and both eyes of it."""

COPY_WITHIN_S = 0.03
"""Sound that starts this little before the picture is copied: a packet, which lasts about as long, cannot be cut."""


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

    def __init__(self, path: Path, start_s: float | None = None, end_s: float | None = None) -> None:
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
            raise InputError(f"{path}: none of its frames can be decoded; it is cut short, damaged or encrypted")
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
            int(self._capture.get(which)) for which in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        if width * height > MAX_PIXELS:
            self.close()
            raise too_large(path, f"{width} × {height} px")

    def _describe(self, path: Path) -> VideoInfo:
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        fps = fps if 0 < fps <= 1000 else 25.0  # 90000 and the like are a container's clock, not a rate
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        frames = int(count) if 0 < count < 1e9 else None
        height, width = self._first.shape[:2]
        return VideoInfo(path, width, height, fps, frames, self._turn, frames / fps if frames else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._undo.close()

    def __iter__(self) -> Iterator[Frame]:
        clock, given, index = RisingClock(self.info.fps), 0, 0
        while (time_s := clock.time_s(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)) < self._end_s:
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
            raise InputError(f"{self.info.path}: no frame {wanted}; the last one read is at {time_s:.3f} s")

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
        shorter = self.info.duration_s is not None and last_s + 2 / self.info.fps < 0.98 * self.info.duration_s
        if fewer and shorter:
            self.warning = (
                f"only {frames} of the {announced} frames it announces could be decoded: cut short or damaged"
            )
        elif self._refused:
            places = "1 damaged place" if self._refused == 1 else f"{self._refused} damaged places"
            self.warning = f"frames are missing in {places}, the first after {self._damaged_s or 0.0:.2f} s"


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
        self._path, self._source, self._rate, self._end_s, self._sound = path, source, rate, end_s, sound
        self._part = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part.mp4")
        self._undo = ExitStack()
        self._said = self._undo.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        self._encoder: subprocess.Popen[bytes] | None = None
        self._shape: tuple[int, ...] = ()
        self._sent = 0
        self._start_s, self._gap_s = 0.0, 1 / source.fps  # the last frame lasts as long as the one before it
        self._waiting: tuple[float, Picture] | None = (
            None  # a frame lasts until the next one's time, so it waits for it
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
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
            self._encoder = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=self._said, process_group=0)
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
            streams.append(heard if self._end_s is None else heard.filter("atrim", end=self._end_s - time_s))
        output = ffmpeg.output(*streams, "TARGET", **options)
        return output.global_args("-y", "-hide_banner", "-nostdin", "-v", "error")

    def _send(self, time_s: float, picture: Picture, duration_s: float) -> None:
        elapsed = self._sent / self._rate if self._rate else time_s - self._start_s
        self._pipe(frame_header(round(elapsed * TICKS_PER_S), round(duration_s * TICKS_PER_S), picture.nbytes))
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
        lines = [line for line in self._said.read().decode(errors="replace").splitlines() if line.strip()]
        return OutputError(
            f"{self._path}: ffmpeg failed ({status}): {lines[-1].strip() if lines else 'it said nothing'}"
        )


def too_large(path: Path, size: str) -> InputError:
    """What is said of pictures of more than `MAX_PIXELS`."""
    return InputError(
        f"{path}: {size} is more than the {MAX_PIXELS / 1e6:.0f} megapixels that are read; "
        "make it smaller first: ffmpeg -i IN -vf scale=3840:-2 OUT"
    )


def check_file(path: Path) -> None:
    """`InputError` where a path cannot be a video to open; `http://…` is just a file that is not there."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{path}: is a folder, not a video")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: is a pipe or a device, not a file")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: cannot be read: permission denied")
    if status.st_size == 0:
        raise InputError(f"{path}: is empty")
