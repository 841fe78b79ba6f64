"""What is a live source: a camera's number or device, an address on the network, a FIFO."""

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

_SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "udp", "srt", "tcp")

Kind = Literal["camera", "network", "pipe"]


@dataclass(frozen=True)
class LiveSource:
    """Where live pictures come from, `address` as the user gave it."""

    address: str
    kind: Kind

    @property
    def shown(self) -> str:
        """The address without passwords: for messages, reports and receivers."""
        if self.kind != "network":
            return self.address
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def name(self) -> str:
        """A name for files."""
        if self.kind == "camera" and self.address.isdecimal():
            return f"camera{self.address}"
        if self.kind == "network":
            return (
                re.sub(r"[^\w.-]+", "_", self.shown.partition("://")[2]).strip("_.")[:100]
                or "stream"
            )
        return Path(self.address).stem


def find_live(text: str) -> LiveSource | None:
    """The live source that a word of the command line means: a camera's number or device, an address, a FIFO."""
    if text.partition("://")[0].lower() in _SCHEMES and "://" in text:
        return LiveSource(text, "network")
    try:
        mode = Path(text).stat().st_mode
    except (OSError, ValueError):
        return LiveSource(text, "camera") if re.fullmatch(r"[0-9]{1,3}", text) else None
    if stat.S_ISFIFO(mode):
        return LiveSource(text, "pipe")
    return (
        LiveSource(text, "camera")
        if stat.S_ISCHR(mode) and Path(text).name.startswith("video")
        else None
    )
