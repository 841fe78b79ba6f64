"""Poses for other programs, frame by frame: JSON lines on stdout, JSON objects by UDP, or VMC."""

import json
import os
import socket
import stat
import sys
import threading
import time
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Any, Protocol

import numpy as np

from core.errors import OutputError
from core.skeletons import COCO_21, Skeleton
from core.types import Floats
from pipeline.live.moment import Moment
from pipeline.live.vmc import VmcStream
from pipeline.runtime.logs import LOG

FORMAT_VERSION = 1
_HEADER_EVERY_S = 5.0  # by UDP: a receiver that starts late must learn the names too
_MAX_DATAGRAM = 65507
_LAST_LINE_S = 1.0
_LAST_LINES_OF_FILE_S = 10.0
_MAX_LINES = 64
_MAX_AGE_S = 0.5  # of a line for a reader that does not keep up
_ROOM_S = 0.5  # after which a full queue is tried again


class Stream(Protocol):
    """Sends a header, then one object a frame; waits for no receiver but a file on disk."""

    def send_header(self, header: dict[str, Any]) -> None:
        """Send what `stream_header` makes; once, before the first frame."""

    def send(self, moment: Moment) -> None:
        """Send the people of one frame."""

    def close(self) -> None:
        """End the stream."""


def open_stream(target: str) -> Stream:
    """Open a stream.

    Args:
        target: `-` for stdout, `udp://HOST:PORT` or `vmc://HOST:PORT`.

    Raises:
        OutputError: There is no such host, or a library is missing.
    """
    if target == "-":
        return LineStream(sys.stdout.fileno())
    scheme, _, receiver = target.partition("://")
    host, _, port = receiver.rpartition(":")
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_DGRAM
        )[0]
    except OSError as error:
        raise OutputError(f"--stream {target}: no such receiver ({error.strerror})") from error
    make = VmcStream if scheme == "vmc" else DatagramStream
    return make(socket.socket(family, kind), address)


def stream_header(
    source: str, width: int, height: int, intrinsics: dict[str, Any], joints: Skeleton
) -> dict[str, Any]:
    """The header as plain values for JSON: what the numbers of each frame mean.

    Args:
        source: The source's address, without passwords.
        width: Of its pictures, px.
        height: Likewise.
        intrinsics: The fields of an `Intrinsics`.
        joints: The skeleton of the joints.
    """
    return {
        "type": "header",
        "format_version": FORMAT_VERSION,
        "source": source,
        "width": width,
        "height": height,
        "intrinsics": intrinsics,
        "joints": joints.joints,
        "parents": joints.parents,
        "keypoints": COCO_21.joints,
        "contacts": ("left_heel", "left_toe", "right_heel", "right_toe"),
        "world": "metres, z up, floor at 0, x to the camera's right, y away from it",
        "camera": "metres, x right, y down, z forward; joints relative to the pelvis, "
        "which is at root_camera_m",
    }


def stream_frame(moment: Moment) -> dict[str, Any]:
    """One frame as plain values for JSON: to a millimetre and a tenth of a pixel, None for NaN."""
    return {
        "type": "frame",
        "frame": moment.frame.index,
        "time_s": round(moment.frame.time_s, 6),
        "people": [
            {
                "id": body.in_frame.track_id,
                "joints_world_m": _plain(body.in_frame.joints_world_m, 3),
                "joints_camera_m": _plain(body.camera.joints_m[0], 3),
                "root_camera_m": _plain(body.camera.root_m[0], 3),
                "joint_sigma_m": _plain(body.in_frame.joint_sigma_m, 3),
                "contacts": body.contacts.tolist(),
                "keypoints_px": _plain(body.in_frame.keypoints_xy, 1),
                "keypoint_scores": _plain(body.in_frame.keypoint_scores, 3),
            }
            for body in moment.people
        ],
    }


class LineStream:
    """One object a line, written by a thread from a bounded queue.

    A file gets every line: where the disk is slow, frames wait for it. Other readers get every line
    while they keep up; where they do not, lines older than half a second are left out, so that what
    they read is never late.

    Args:
        descriptor: The file descriptor to write to; it stays open.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._header = b""
        self._is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._lines: Queue[tuple[float, bytes] | None] = Queue(_MAX_LINES)
        self._thread = threading.Thread(target=self._write, name="stream", daemon=True)

    def send_header(self, header: dict[str, Any]) -> None:
        """Start the thread, which writes the header first."""
        self._header = _line(header)
        self._thread.start()

    def send(self, moment: Moment) -> None:
        """Hand a frame to the thread."""
        if self._thread.is_alive():
            self._put((time.monotonic(), _line(stream_frame(moment))))

    def close(self) -> None:
        """Give the thread time for the last lines: a second, and for a file longer."""
        if self._thread.is_alive():
            self._put(None)
            self._thread.join(_LAST_LINES_OF_FILE_S if self._is_file else _LAST_LINE_S)

    def _put(self, item: tuple[float, bytes] | None) -> None:
        """Put an item behind the others; into a full queue in place of the oldest, or for a file
        when there is room."""
        while self._thread.is_alive():
            try:
                self._lines.put(
                    item, timeout=_ROOM_S if self._is_file else None, block=self._is_file
                )
                return
            except Full:
                if not self._is_file:
                    with suppress(Empty):
                        self._lines.get_nowait()

    def _write(self) -> None:
        try:
            self._write_all(self._header)
            while (item := self._lines.get()) is not None:
                put_s, line = item
                is_late = time.monotonic() - put_s > _MAX_AGE_S and not self._lines.empty()
                if self._is_file or not is_late:
                    self._write_all(line)
        except OSError as error:
            if self._is_file:
                LOG.warning("--stream: cannot be written (%s)", error.strerror)
            else:
                LOG.warning("--stream: stdout is no longer read")

    def _write_all(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]


class DatagramStream:
    """One object a datagram, the header again every few seconds.

    Args:
        sender: A UDP socket; closed with the stream.
        address: The receiver, as `socket.sendto` takes it.
    """

    def __init__(self, sender: socket.socket, address: Any) -> None:
        self._sender, self._address = sender, address
        self._sender.setblocking(False)
        self._header = b""
        self._next_header_s = 0.0

    def send_header(self, header: dict[str, Any]) -> None:
        """Send the header, and keep it to be sent again."""
        self._header = _line(header)
        self._repeat_header()

    def send(self, moment: Moment) -> None:
        """Send a frame, behind the header where that is due."""
        if time.monotonic() >= self._next_header_s:
            self._repeat_header()
        self._send_datagram(_line(stream_frame(moment)))

    def close(self) -> None:
        """Close the socket."""
        self._sender.close()

    def _repeat_header(self) -> None:
        self._next_header_s = time.monotonic() + _HEADER_EVERY_S
        self._send_datagram(self._header)

    def _send_datagram(self, data: bytes) -> None:
        if len(data) <= _MAX_DATAGRAM:
            try:
                self._sender.sendto(data, self._address)
            except OSError:  # a full buffer, no route: datagrams may get lost
                return


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _plain(values: Floats, digits: int) -> Any:
    """Nested lists; None for NaN."""
    rounded = np.round(values.astype(float), digits).astype(object)
    rounded[~np.isfinite(values)] = None
    return rounded.tolist()
