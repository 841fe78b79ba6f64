"""A file to fetch, its entry in a manifest, and a server that has it."""

import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from weights.store import Entry, Source

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def entry(source: Source | str | None, name: str = "model", sha256: str | None = SHA256) -> Entry:
    """An entry whose file is `CONTENT`."""
    return Entry(name, f"{name}.bin", sha256, len(CONTENT), "MIT", "made for a test", source)


class Server(ThreadingHTTPServer):
    """Serves `content`; breaks off the first `breaks` answers half-way; keeps the asked ranges."""

    content = CONTENT
    breaks = 0
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/model.bin"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if self.server.status != 200 or start >= len(self.server.content):
            self.send_response(self.server.status if self.server.status != 200 else 416)
            self.send_header("Content-Range", f"bytes */{len(self.server.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = self.server.content[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.breaks > 0:
            self.server.breaks -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass
