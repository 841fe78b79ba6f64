"""Live sources: a camera's number or device, an address on the network, a FIFO."""

import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from core.files import result_name, result_stem

_SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "udp", "srt", "tcp")

Kind = Literal["camera", "network", "pipe"]


@dataclass(frozen=True)
class LiveSource:
    """Where live pictures come from.

    address: As the user gave it, passwords included. body: Reads at most so many bytes of what the
    server that was asked for it sends already; None where it was not asked.
    """

    address: str
    kind: Kind
    body: Callable[[int], bytes] | None = None

    @property
    def shown(self) -> str:
        """The address without passwords: for messages, reports and receivers."""
        if self.kind != "network":
            return self.address
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def name(self) -> str:
        """A name for files and folders."""
        if self.kind == "camera" and self.address.isdecimal():
            return f"camera{self.address}"
        if self.kind == "network":
            host_and_path = self.shown.partition("://")[2]
            words = re.sub(r"[^\w.-]+", "_", host_and_path).strip("_.")[:100]
            return result_name(words) or "stream"
        return result_stem(Path(self.address))


def parse_live_source(text: str) -> LiveSource | None:
    """The live source that a word of the command line names; None where it names a file.

    A number is a camera unless a file has that name.
    """
    if text.partition("://")[0].lower() in _SCHEMES and "://" in text:
        return LiveSource(text, "network")
    try:
        mode = Path(text).stat().st_mode
    except (OSError, ValueError):
        return LiveSource(text, "camera") if re.fullmatch(r"[0-9]{1,3}", text) else None
    if stat.S_ISFIFO(mode):
        return LiveSource(text, "pipe")
    is_camera = stat.S_ISCHR(mode) and Path(text).name.startswith("video")
    return LiveSource(text, "camera") if is_camera else None
