"""Poses for other programs as they happen: JSON lines on stdout, or a JSON object a UDP datagram."""

import json
import math
import os
import socket
import sys
import threading
import time
from typing import Any, Protocol

from core.errors import OutputError
from core.skeletons import COCO_17, H36M_17
from core.types import Floats
from pipeline.live.moment import Moment
from pipeline.runtime.latest_value import Newest
from pipeline.runtime.logs import LOG

FORMAT_VERSION = 1
_HEADER_EVERY_S = 5.0  # by UDP: who listens from now on must learn the names, too
_MAX_DATAGRAM = 65507
_LAST_WORD_S = 1.0


class Stream(Protocol):
    """Sends the header first, then every moment; never waits for a receiver."""

    def header(self, described: dict[str, Any]) -> None:
        """What the moments will be about."""

    def send(self, moment: Moment) -> None:
        """One moment."""

    def close(self) -> None:
        """No more will come."""


def open_stream(target: str) -> Stream:
    """`-` for stdout, `udp://HOST:PORT`; `OutputError` where there is no such host."""
    if target == "-":
        return LineStream(sys.stdout.fileno())
    host, _, port = target.removeprefix("udp://").rpartition(":")
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_DGRAM
        )[0]
    except OSError as error:
        raise OutputError(f"--stream {target}: no such receiver ({error.strerror})") from error
    return DatagramStream(socket.socket(family, kind), address)


def describe(source: str, width: int, height: int, intrinsics: dict[str, Any]) -> dict[str, Any]:
    """The header."""
    return {
        "type": "header",
        "format_version": FORMAT_VERSION,
        "source": source,
        "width": width,
        "height": height,
        "intrinsics": intrinsics,
        "joints": H36M_17.joints,
        "parents": H36M_17.parents,
        "keypoints": COCO_17.joints,
        "world": "metres, z up, floor at 0, x to the camera's right, y away from it",
        "camera": "metres, x right, y down, z forward; joints relative to the pelvis, which is at root_camera_m",
    }


def as_json(moment: Moment) -> dict[str, Any]:
    """One moment, to the millimetre and the tenth of a pixel; null where nothing is known."""
    return {
        "type": "frame",
        "frame": moment.frame.index,
        "time_s": round(moment.frame.time_s, 6),
        "people": [
            {
                "id": one.in_frame.track_id,
                "joints_world_m": _plain(one.in_frame.joints_world_m, 3),
                "joints_camera_m": _plain(one.camera.joints_m[0], 3),
                "root_camera_m": _plain(one.camera.root_m[0], 3),
                "keypoints_px": _plain(one.in_frame.keypoints_xy, 1),
                "keypoint_scores": _plain(one.in_frame.keypoint_scores, 3),
            }
            for one in moment.people
        ],
    }


class LineStream:
    """One object a line. A thread writes; where the reader does not keep up, lines are left out, never late."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._first = b""
        self._slot: Newest[bytes] = Newest()
        self._thread = threading.Thread(target=self._write, name="stream", daemon=True)

    def header(self, described: dict[str, Any]) -> None:
        """Starts the thread with the header."""
        self._first = _line(described)
        self._thread.start()

    def send(self, moment: Moment) -> None:
        """Hand over to the thread."""
        self._slot.put(_line(as_json(moment)))

    def close(self) -> None:
        """Wait a moment for the last line."""
        self._slot.close()
        if self._thread.is_alive():
            self._thread.join(_LAST_WORD_S)

    def _write(self) -> None:
        try:
            self._write_all(self._first)
            number = 0
            while (item := self._slot.after(number)) is not None:
                number, line = item
                self._write_all(line)
        except OSError:
            LOG.warning("--stream: nobody reads stdout any more")

    def _write_all(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._file, data) :]


class DatagramStream:
    """One object a datagram; the header again every few seconds."""

    def __init__(self, sender: socket.socket, address: Any) -> None:
        self._sender, self._address = sender, address
        self._sender.setblocking(False)
        self._header = b""
        self._next_header = 0.0

    def header(self, described: dict[str, Any]) -> None:
        """Sent now and again."""
        self._header = _line(described)
        self._announce()

    def send(self, moment: Moment) -> None:
        """Sent at once."""
        if time.monotonic() >= self._next_header:
            self._announce()
        self._datagram(_line(as_json(moment)))

    def close(self) -> None:
        """Let go of the socket."""
        self._sender.close()

    def _announce(self) -> None:
        self._next_header = time.monotonic() + _HEADER_EVERY_S
        self._datagram(self._header)

    def _datagram(self, data: bytes) -> None:
        if len(data) <= _MAX_DATAGRAM:
            try:
                self._sender.sendto(data, self._address)
            except OSError:  # a full buffer, no route: datagrams get lost, that is their nature
                return


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _plain(values: Floats, digits: int) -> Any:
    """Nested lists; None for NaN."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(one) for one in value]
        return round(value, digits) if math.isfinite(value) else None

    return plain(values.astype(float).tolist())
