"""Frames out of a running ffmpeg: pictures by a socket, what `showinfo` says by a pipe."""

import math
import queue
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from core.types import Picture
from pipeline.media.ffmpeg_program import (
    BOUNDED,
    ffmpeg_program,
    frame_sync_option,
    limit_memory,
)
from pipeline.media.files import MAX_PIXELS
from pipeline.media.video.ffmpeg_text import ShowinfoReader, ShownFrame
from pipeline.media.video.fitting import Size

SHOWINFO = "showinfo=checksum=0"
"""The filter that must be the first one."""

_BUFFER_BYTES = 4 << 20  # of pictures, where the system allows so many
_POLL_S = 0.2
_LOG_AHEAD = 10000  # frames that are described and not read yet


class FramePipe:
    """An ffmpeg that decodes, and the frames that it gives.

    Args:
        source: Its words on the input, up to the stream that is mapped.
        filters: Its filters; the first one is `SHOWINFO`.
        size: Of the picture that the filters make of a frame.
        timeout_s: How long to wait for a picture; None for ever.
        stdin: A descriptor that the program reads as `pipe:0`; None for nothing.
        stop: Ends the waiting, where there is a limit to it.
        max_pixels: Of a frame, for which there is memory.
    """

    def __init__(
        self,
        source: Sequence[str],
        filters: Sequence[str],
        size: Callable[[ShownFrame], Size],
        timeout_s: float | None = None,
        stdin: int | None = None,
        stop: threading.Event | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self._size, self._timeout_s = size, timeout_s
        self._stop = stop or threading.Event()
        self.text = ShowinfoReader()
        """What was read of ffmpeg's log so far."""
        self._frames: queue.Queue[ShownFrame | None] = queue.Queue(_LOG_AHEAD)
        inputs = [*BOUNDED, *source]
        self._pictures, given = socket.socketpair()
        given.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        self._pictures.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        if timeout_s is not None:
            limit = struct.pack("ll", int(timeout_s), round(timeout_s % 1 * 1e6))
            self._pictures.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        outputs = ["-vf", ",".join(filters), f"-{frame_sync_option()}", "passthrough"]
        with given:
            self._process = subprocess.Popen(
                [
                    *(ffmpeg_program(), "-hide_banner", "-nostdin", "-nostats", *inputs, *outputs),
                    *("-pix_fmt", "rgb24", "-noautoscale", "-flush_packets", "1"),
                    *("-f", "rawvideo", "pipe:1"),
                ],
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=given.fileno(),
                stderr=subprocess.PIPE,
                bufsize=0,
                process_group=0,  # a terminal's Ctrl-C must not end it as if the video did
            )
        limit_memory(self._process, max_pixels)
        self.is_stalled = False
        """Whether a picture did not come in time."""
        self._thread = threading.Thread(target=self._read_log, name="ffmpeg", daemon=True)
        self._thread.start()

    def next(self) -> tuple[ShownFrame, Picture] | None:
        """The next frame, and its picture (H, W, 3) RGB; None at the end, or where it is late."""
        end_s = math.inf if self._timeout_s is None else time.monotonic() + self._timeout_s
        while True:
            try:
                shown = self._frames.get(timeout=None if self._timeout_s is None else _POLL_S)
                break
            except queue.Empty:
                self.is_stalled = time.monotonic() >= end_s
                if self._stop.is_set() or self.is_stalled:
                    return None
        if shown is None:
            self._frames.put(None)  # for the next call
            return None
        size = self._size(shown)
        picture = np.empty((size.height, size.width, 3), np.uint8)
        return (shown, picture) if self._fill(picture.data.cast("B")) else None

    def _fill(self, rest: memoryview) -> bool:
        """Read a picture; False where the program ends or stalls before.

        A whole picture is one call, in which other threads run: after each part of it, this one
        would wait for Python again.
        """
        try:
            while rest:
                count = self._pictures.recv_into(rest, len(rest), socket.MSG_WAITALL)
                if not count:
                    return False
                rest = rest[count:]
        except BlockingIOError:
            self.is_stalled = True
            return False
        return True

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        while self._thread.is_alive():
            self._drain()
            self._thread.join(0.05)
        self._process.wait()
        self._pictures.close()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def _drain(self) -> None:
        """Make room for the thread that would wait for it."""
        while True:
            try:
                self._frames.get_nowait()
            except queue.Empty:
                return

    def _read_log(self) -> None:
        """What the thread does: a line a frame comes before the frame's picture."""
        assert self._process.stderr is not None
        pending = b""
        try:
            while data := self._process.stderr.read(1 << 16):
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    if frame := self.text.frame(line.decode(errors="replace")):
                        self._frames.put(frame)
        finally:
            self._frames.put(None)
