"""The latest frame of a live source.

Every frame is decoded, in a thread of its own, because frames are coded as differences from those
before; but only the latest one is kept. A consumer slower than the camera misses frames and never
falls behind. OpenCV reads cameras, the ffmpeg program what comes by a network or a FIFO.
"""

import math
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import cv2

from core.errors import InputError
from core.types import Frame, Picture, VideoInfo
from pipeline.media.live.capture import DECODER, FFmpegCapture
from pipeline.media.live.relay import relayed
from pipeline.media.live.source import LiveSource
from pipeline.media.video.fitting import Size, SizeChange, fit_picture
from pipeline.media.video.opencv_decoder import MAX_FAILED_GRABS
from pipeline.runtime.latest_value import LatestValue

STALLED_S = 10.0
"""A source that sends nothing for so long has died."""

# bytes, and microseconds: 0.5 s instead of 5 before the first frame; more threads than one would
# each hold back a frame
_PROMPTLY = ("-probesize", "500000", "-analyzeduration", "500000", "-threads", "1")
# What a stream refers to may be opened where the stream itself came from, and nowhere else: no
# local file by a web page.
_WHITELIST = {
    "pipe": "pipe",
    "network": "rtsp,rtsps,rtp,srtp,rtmp,http,https,httpproxy,tcp,tls,udp,srt,crypto,data",
}
_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "rtmp": 1935}
"""Usual ports."""
_MAX_DRIFT_S = 0.5  # by which a stream's clock and ours may differ
_MIN_STEP_S = 0.001
_RESTART_S = 2.0  # a clock that jumps by more begins anew
_DRIFT_PER_FRAME_S = 0.0001  # by which the clocks of two machines may drift apart


@dataclass(frozen=True)
class LiveFrame:
    """A decoded frame.

    index: Its number, counting the frames that were missed too.
    time_s: Seconds from the first frame.
    arrived_s: When it was decoded, by `time.monotonic`.
    rgb: (H, W, 3) RGB.
    """

    index: int
    time_s: float
    arrived_s: float
    rgb: Picture

    @property
    def frame(self) -> Frame:
        """The frame that the stages take."""
        return Frame(self.index, self.time_s, self.rgb)


class LiveReader:
    """The latest frames of a source until it ends, stalls or is stopped; iterate once.

    Entering its block waits for the first frame; then `info` describes the source. After the last
    frame `ended` says why there are no more: `ended`, `stalled` or `stopped`.

    Args:
        source: What to read.
        stop: Ends the iteration, from any thread; set when the block is left.

    Raises:
        InputError: On entering, where no frame comes.
    """

    def __init__(self, source: LiveSource, stop: threading.Event) -> None:
        self._source, self._stop = source, stop
        self._slot: LatestValue[LiveFrame] = LatestValue()
        self._thread = threading.Thread(target=self._read, name="camera", daemon=True)
        self._failure = ""
        self._fps = 0.0
        self.arrived = 0
        """Frames that came so far, used or not."""
        self.max_lag_s = 0.0
        """By how much decoding fell behind the stream at worst, seconds."""
        self.size_change: SizeChange | None = None
        """Where the picture first had another size than at the start; None where it kept it."""
        self.ended = ""

    def __enter__(self) -> Self:
        self._thread.start()
        first = self._wait(0)
        if first is None:
            raise InputError(
                f"{self._source.shown}: {self._failure or 'stopped before its first frame'}"
            )
        height, width = first[1].rgb.shape[:2]
        name = Path(self._source.name)
        decoder = "OpenCV" if self._source.kind == "camera" else DECODER
        self.info = VideoInfo(name, width, height, self._fps, None, 0, None, decoder)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(2.0)  # a thread that waits for a dead camera's driver is abandoned

    def __iter__(self) -> Iterator[LiveFrame]:
        number = 0
        while not self._stop.is_set() and (item := self._wait(number)) is not None:
            number = item[0]
            yield item[1]
        self.ended = self.ended or "stopped"

    def _wait(self, number: int) -> tuple[int, LiveFrame] | None:
        """The latest frame, once its number is beyond `number`; None when no more will come."""
        while not self._stop.is_set():
            try:
                return self._slot.after(number, timeout_s=0.2)
            except TimeoutError:
                continue
        return None

    def _read(self) -> None:
        """What the thread does."""
        try:
            with _open_capture(self._source, self._stop) as capture:
                if capture is not None:
                    self._decode(capture)
        except InputError as error:
            self._failure = str(error)
        finally:
            self._slot.close()

    def _decode(self, capture: Any) -> None:
        """Decode every frame, and keep the latest in the slot."""
        fps = capture.get(cv2.CAP_PROP_FPS)
        self._fps = fps if 0 < fps <= 240 else 30.0
        clock, lag = LiveClock(), DecodingLag()
        size: Size | None = None
        is_stalled = False
        while not self._stop.is_set():
            asked_s = time.monotonic()
            is_grabbed = _grab(capture)
            arrived_s = time.monotonic()
            # after a stall the decoder still returns the frames that it held back
            is_stalled = is_stalled or arrived_s - asked_s >= STALLED_S
            if not is_grabbed:
                self.ended = "stalled" if is_stalled else "ended"
                self._failure = "opens, but no picture comes from it"
                return
            stamp_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            time_s, lag_s = clock.time_s(stamp_s, arrived_s), lag.update(stamp_s, arrived_s)
            self.arrived += 1
            self.max_lag_s = max(self.max_lag_s, lag_s)
            ok, rgb = capture.retrieve()
            if not ok:
                continue
            if self._source.kind == "camera":  # OpenCV's
                rgb = cv2.cvtColor(rgb, cv2.COLOR_BGR2RGB)
            now = Size(rgb.shape[1], rgb.shape[0])
            size = size or now
            if now != size:  # as calls do when the line is bad, or a phone is turned
                self.size_change = self.size_change or SizeChange(time_s, now.width, now.height)
                rgb = fit_picture(rgb, size)
            self._slot.put(LiveFrame(self.arrived - 1, time_s, arrived_s, rgb))


class LiveClock:
    """Frame times from 0 on, strictly increasing.

    They are the stream's own, which are even, while these keep to real time.
    """

    def __init__(self) -> None:
        self._start_s: float | None = None
        self._shift_s, self._last_s = 0.0, -math.inf

    def time_s(self, stamp_s: float, arrived_s: float) -> float:
        """The time of the next frame, seconds from the first.

        Args:
            stamp_s: Its time in the stream, of any origin; NaN where it has none.
            arrived_s: When it was decoded, by `time.monotonic`.
        """
        if self._start_s is None:
            self._start_s, self._shift_s = arrived_s, -stamp_s
        since_start_s = arrived_s - self._start_s
        time_s = stamp_s + self._shift_s
        if not abs(time_s - since_start_s) <= _MAX_DRIFT_S:  # restarted, of another rate, or NaN
            time_s, self._shift_s = since_start_s, since_start_s - stamp_s
        self._last_s = max(time_s, self._last_s + _MIN_STEP_S)
        return self._last_s


class DecodingLag:
    """By how much frames come later, against the stream's own clock, than they came at best."""

    def __init__(self) -> None:
        self._offset_s, self._best_s, self._stamp_s = math.inf, math.inf, math.nan

    def update(self, stamp_s: float, arrived_s: float) -> float:
        """The lag of the next frame, seconds; 0 where the stream's times are missing or restart.

        Args:
            stamp_s: Its time in the stream, of any origin.
            arrived_s: When it was decoded, by `time.monotonic`.
        """
        offset_s, before_s = arrived_s - stamp_s, self._offset_s
        continues = stamp_s > self._stamp_s and abs(offset_s - before_s) < _RESTART_S
        self._offset_s, self._stamp_s = offset_s, stamp_s
        self._best_s = min(offset_s, self._best_s + _DRIFT_PER_FRAME_S) if continues else offset_s
        return offset_s - self._best_s


def _grab(capture: Any) -> bool:
    """Decode the next frame; OpenCV answers False at a damaged packet too, so it is asked again."""
    start_s = time.monotonic()
    for _ in range(MAX_FAILED_GRABS):
        if capture.grab():
            return True
        if time.monotonic() - start_s >= STALLED_S:
            break
    return False


@contextmanager
def _open_capture(source: LiveSource, stop: threading.Event) -> Iterator[Any]:
    """A capture, None where `stop` is set first; `InputError` where it does not open."""
    if source.kind == "camera":
        device = int(source.address) if source.address.isdecimal() else source.address
        failure = "no such camera, or another program has it"
        with _released(cv2.VideoCapture(device), lambda: failure) as capture:
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            yield capture
    elif source.kind == "pipe":
        yield from _open_pipe(source, stop)
    elif source.body is not None:
        failure = "what answers there is not a video that FFmpeg can read"
        with (
            relayed(source.body) as reader,
            _released(_piped(reader, stop), lambda: failure) as capture,
        ):
            yield capture
    else:
        address, asked_s = source.address, time.monotonic()
        words = [*_PROMPTLY, "-protocol_whitelist", _WHITELIST["network"]]
        if address.lower().startswith("rtsp"):
            words += ["-rtsp_transport", "tcp"]
        capture = FFmpegCapture([*words, "-i", address], STALLED_S, stop)
        waited_s = time.monotonic() - asked_s
        with _released(capture, lambda: _why_closed(address, capture.unreached, waited_s)):
            yield capture


def _piped(descriptor: int, stop: threading.Event) -> FFmpegCapture:
    """A stream that comes out of a descriptor."""
    words = [*_PROMPTLY, "-protocol_whitelist", _WHITELIST["pipe"], "-i", "pipe:0"]
    return FFmpegCapture(words, STALLED_S, stop, descriptor)


def _why_closed(address: str, unreached: str | None, waited_s: float) -> str:
    """Why an address on the network did not open, by ffmpeg's log.

    Asking the server again would take the one connection that some accept.
    """
    parts = urlsplit(address)
    if unreached == "Connection refused":
        port = parts.port or _PORTS.get(parts.scheme.lower())
        return f"port {port} of {parts.hostname} refuses connections"
    if unreached == "Failed to resolve hostname":
        return f"there is no host {parts.hostname}"
    if unreached is not None:
        return f"{parts.hostname} cannot be reached ({unreached})"
    if waited_s < STALLED_S / 2:
        return "what answers there is not a video that FFmpeg can read"
    return f"does not answer with a video within {STALLED_S:g} s"


def _open_pipe(source: LiveSource, stop: threading.Event) -> Iterator[Any]:
    """A FIFO, opened here: FFmpeg would stay in the system's open past every timeout."""
    try:
        pipe = os.open(source.address, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error
    try:
        while not select.select([pipe], [], [], 0.2)[0]:  # no program writes yet
            if stop.is_set():
                yield None
                return
        os.set_blocking(pipe, True)
        failure = "what comes out of it is not a video that FFmpeg can read as it comes"
        with _released(_piped(pipe, stop), lambda: failure) as capture:
            yield capture
    finally:
        os.close(pipe)


@contextmanager
def _released(capture: Any, failure: Callable[[], str]) -> Iterator[Any]:
    """A capture, released at the end; `InputError` where it did not open."""
    try:
        if not capture.isOpened():
            raise InputError(f"cannot be opened: {failure()}")
        yield capture
    finally:
        capture.release()
