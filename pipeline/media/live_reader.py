"""The newest frame of a live source.

OpenCV decodes in a thread of its own, every frame, because frames are coded as differences from those before; but only
the newest one is kept. Who is slower than the camera misses frames and never falls behind.
"""

import math
import os
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2

from core.errors import InputError
from core.types import Frame, VideoInfo
from pipeline.media.ffmpeg_program import opencv_options
from pipeline.media.files import Picture
from pipeline.media.live_source import LiveSource
from pipeline.media.video_reader import REFUSED_AT_END
from pipeline.runtime.latest_value import Newest

STALLED_S = 10.0
"""A source that sends nothing for so long has died."""

_PROBE = "probesize;500000|analyzeduration;500000"  # half a second instead of five before the first frame
# What a stream names may be opened from where the stream itself came from, and nothing else: no file by a web page.
_WHITELIST = {
    "pipe": "pipe",
    "network": "rtsp,rtsps,rtp,srtp,rtmp,http,https,httpproxy,tcp,tls,udp,srt,crypto,data",
}
_DRIFT_S = 0.5  # by which a stream's clock and ours may differ
_LEAST_STEP_S = 0.001
_BEHIND_S = 0.25  # of a stream that is decoded too slowly; and how often a picture of it is shown all the same
_BREAK_S = 2.0  # a clock that jumps by more begins anew
_FORGOTTEN_S = 0.0001  # a frame, by which the clocks of two machines may drift apart


@dataclass(frozen=True)
class LiveFrame:
    """A decoded picture, BGR as it came, `index` counting the frames that were missed too; `arrived_s` by
    `time.monotonic`."""

    index: int
    time_s: float
    arrived_s: float
    bgr: Picture

    def rgb(self) -> Frame:
        """As all stages want it."""
        return Frame(self.index, self.time_s, cv2.cvtColor(self.bgr, cv2.COLOR_BGR2RGB))


class LiveReader:
    """The newest frames of a source until it ends, dies or `stop` is set; iterate once, in any thread.

    `InputError` on entering where no frame comes. Afterwards `ended` says why there are no more.
    """

    def __init__(self, source: LiveSource, stop: threading.Event) -> None:
        self._source, self._stop = source, stop
        self._slot: Newest[LiveFrame] = Newest()
        self._thread = threading.Thread(target=self._read, name="camera", daemon=True)
        self._refusal = ""
        self._rate = 0.0
        self.arrived = 0
        """Frames that came so far, used or not."""
        self.most_behind_s = 0.0
        """By how much decoding fell behind the stream at worst."""
        self.ended = ""

    def __enter__(self) -> Self:
        self._thread.start()
        first = self._wait(0)
        if first is None:
            raise InputError(
                f"{self._source.shown}: {self._refusal or 'stopped before its first frame'}"
            )
        height, width = first[1].bgr.shape[:2]
        self.info = VideoInfo(Path(self._source.name), width, height, self._rate, None, 0, None)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(2.0)  # a thread that waits for a dead camera's driver is left to itself

    def __iter__(self) -> Iterator[LiveFrame]:
        number = 0
        while not self._stop.is_set() and (item := self._wait(number)) is not None:
            number = item[0]
            yield item[1]
        self.ended = self.ended or "stopped"

    def _wait(self, number: int) -> tuple[int, LiveFrame] | None:
        """The frame after `number`; None when no more will come."""
        while not self._stop.is_set():
            try:
                return self._slot.after(number, timeout_s=0.2)
            except TimeoutError:
                continue
        return None

    def _read(self) -> None:
        """The thread."""
        try:
            with _opened(self._source, self._stop) as capture:
                if capture is not None:
                    self._decode(capture)
        except InputError as error:
            self._refusal = str(error)
        finally:
            self._slot.close()

    def _decode(self, capture: Any) -> None:
        rate = capture.get(cv2.CAP_PROP_FPS)
        self._rate = rate if 0 < rate <= 240 else 30.0
        clock, lag, size, stalled, kept = LiveClock(), Lag(), None, False, -math.inf
        while not self._stop.is_set():
            asked = time.monotonic()
            is_there = _grab(capture)
            arrived = time.monotonic()
            stalled = (
                stalled or arrived - asked >= STALLED_S
            )  # after which the decoder still gives what it held back
            if not is_there:
                self.ended = "stalled" if stalled else "ended"
                self._refusal = "opens, but no picture comes from it"
                return
            stamp_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            time_s, behind_s = clock.time_s(stamp_s, arrived), lag.behind_s(stamp_s, arrived)
            self.arrived += 1
            self.most_behind_s = max(self.most_behind_s, behind_s)
            if behind_s > _BEHIND_S and arrived - kept < _BEHIND_S:
                continue  # converting a picture takes as long as decoding it: catch up first
            ok, bgr = capture.retrieve()
            if not ok:
                continue
            kept = arrived
            size = size or (bgr.shape[1], bgr.shape[0])
            if (bgr.shape[1], bgr.shape[0]) != size:  # as calls do when the line is bad
                bgr = cv2.resize(bgr, size)
            self._slot.put(LiveFrame(self.arrived - 1, time_s, arrived, bgr))


class LiveClock:
    """Frame times from 0 on, strictly rising: a stream's own, which are even, while they keep up with ours."""

    def __init__(self) -> None:
        self._start_s: float | None = None
        self._shift_s, self._last_s = 0.0, -math.inf

    def time_s(self, stamp_s: float, arrived_s: float) -> float:
        """The time of a frame with a stream's time `stamp_s`, of any origin, that came at `arrived_s`."""
        if self._start_s is None:
            self._start_s, self._shift_s = arrived_s, -stamp_s
        since_start = arrived_s - self._start_s
        time_s = stamp_s + self._shift_s
        if not abs(time_s - since_start) <= _DRIFT_S:  # restarted, of another rate, or not a number
            time_s, self._shift_s = since_start, since_start - stamp_s
        self._last_s = max(time_s, self._last_s + _LEAST_STEP_S)
        return self._last_s


class Lag:
    """By how much frames come later, against the stream's own clock, than they came at best."""

    def __init__(self) -> None:
        self._offset_s, self._best_s, self._stamp_s = math.inf, math.inf, math.nan

    def behind_s(self, stamp_s: float, arrived_s: float) -> float:
        """For the next frame; 0 where the stream's times are missing or begin anew."""
        offset_s, before_s = arrived_s - stamp_s, self._offset_s
        is_next = stamp_s > self._stamp_s and abs(offset_s - before_s) < _BREAK_S
        self._offset_s, self._stamp_s = offset_s, stamp_s
        self._best_s = min(offset_s, self._best_s + _FORGOTTEN_S) if is_next else offset_s
        return offset_s - self._best_s


def _grab(capture: Any) -> bool:
    """Decode the next frame. OpenCV says False at a damaged packet too, so ask on until it is surely the end."""
    start = time.monotonic()
    for _ in range(REFUSED_AT_END):
        if capture.grab():
            return True
        if time.monotonic() - start >= STALLED_S:
            break
    return False


@contextmanager
def _opened(source: LiveSource, stop: threading.Event) -> Iterator[Any]:
    """OpenCV's capture; None where `stop` is set first. `InputError` where it cannot be opened."""
    limit_ms = int(1000 * STALLED_S)
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit_ms]
    one_thread = [cv2.CAP_PROP_N_THREADS, 1]  # more would each hold back a frame
    if source.kind == "camera":
        device = int(source.address) if source.address.isdecimal() else source.address
        with _released(
            cv2.VideoCapture(device), "no such camera, or another program has it"
        ) as capture:
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            yield capture
    elif source.kind == "network":
        with opencv_options(
            f"rtsp_transport;tcp|protocol_whitelist;{_WHITELIST['network']}|{_PROBE}"
        ):
            capture = cv2.VideoCapture(source.address, cv2.CAP_FFMPEG, limits + one_thread)
        with _released(capture, f"does not answer with a video within {STALLED_S:g} s") as capture:
            yield capture
    else:
        yield from _opened_pipe(source, stop, limits + one_thread)


def _opened_pipe(source: LiveSource, stop: threading.Event, settings: list[int]) -> Iterator[Any]:
    """A FIFO. Opened here and not by FFmpeg, which would sit in the system's open or read past every timeout."""
    try:
        pipe = os.open(source.address, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error
    try:
        while not select.select([pipe], [], [], 0.2)[0]:  # nobody writes yet
            if stop.is_set():
                yield None
                return
        with opencv_options(f"protocol_whitelist;{_WHITELIST['pipe']}|{_PROBE}"):
            capture = cv2.VideoCapture(f"pipe:{pipe}", cv2.CAP_FFMPEG, settings)
        with _released(
            capture, "what comes out of it is not a video that FFmpeg can read as it comes"
        ) as capture:
            yield capture
    finally:
        os.close(pipe)


@contextmanager
def _released(capture: Any, refusal: str) -> Iterator[Any]:
    try:
        if not capture.isOpened():
            raise InputError(f"cannot be opened: {refusal}")
        yield capture
    finally:
        capture.release()
