"""Where the results of a live source go, besides its files."""

import re
from dataclasses import dataclass

from core.errors import UsageError
from core.options import option

_UDP_ADDRESS = re.compile(r"(?:udp|vmc)://([^/@:]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})")


@dataclass(frozen=True)
class LiveOptions:
    """Outlets of a live run; `serve` 0 takes any free port.

    Raises:
        UsageError: `serve` is not a port, or `stream` neither `-` nor a receiver of UDP.
    """

    serve: int | None = option(None, "live: a page on 127.0.0.1", metavar="PORT", const=8080)
    stream: str | None = option(
        None,
        "live: send poses as JSON, to stdout or as datagrams, or bone rotations by VMC",
        metavar="-|udp://HOST:PORT|vmc://HOST:PORT",
    )

    def __post_init__(self) -> None:
        if self.serve is not None and not 0 <= self.serve <= 65535:
            raise UsageError(f"`serve` must be a port, 0 to 65535, got {self.serve}")
        udp = _UDP_ADDRESS.fullmatch(self.stream or "")
        if self.stream not in (None, "-") and not (udp and 0 < int(udp[2]) <= 65535):
            raise UsageError(
                f"`stream` must be -, udp://HOST:PORT or vmc://HOST:PORT, got {self.stream}"
            )
