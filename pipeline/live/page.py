"""The picture of a live run as a web page on this machine: MJPEG, which every browser shows in an <img>.

Bound to 127.0.0.1, and answering to names of this machine alone, so that no web page elsewhere can read a camera by
giving its own name this address. Every viewer has a thread and takes the newest picture when ready for it.
"""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import cv2

from core.errors import OutputError
from pipeline.render.draw import Picture
from pipeline.runtime.latest_value import Newest

_HOST = "127.0.0.1"
_QUALITY = 80
_PATIENCE_S = 10.0  # with a viewer who takes nothing, and with a picture that does not come
_BOUNDARY = "picture"
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>video3d live</title>
<style>body{margin:0;background:#16191f;display:grid;place-items:center;height:100vh}img{max-width:100%;max-height:100vh}
</style><img src="/stream.mjpg" alt="Left the camera's picture, right the same moment in 3D"></html>
"""


class Page:
    """Serves from the moment it is made until `close`; `OutputError` where the port is taken."""

    def __init__(self, port: int) -> None:
        self._pictures: Newest[bytes] = Newest()
        self._watching = 0
        self._lock = threading.Lock()
        try:
            self._server = _Server((_HOST, port), _Handler, self)
        except OSError as error:
            raise OutputError(f"--serve {port}: {error.strerror}; give another port") from error
        self.url = f"http://{_HOST}:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, name="page", daemon=True).start()

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks: pictures need be made for nobody else."""
        return self._watching > 0

    def show(self, picture: Picture) -> None:
        """Let viewers have (H, W, 3) RGB."""
        if self.is_watched:
            bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
            self._pictures.put(
                cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
            )

    def close(self) -> None:
        """End all viewers' streams and let go of the port."""
        self._pictures.close()
        self._server.shutdown()
        self._server.server_close()

    def watch(self, handler: "_Handler", forever: bool) -> None:
        """Send pictures to one viewer: the next one, or all until either side ends."""
        with self._lock:
            self._watching += 1
        try:
            newest = self._pictures.latest_number()
            while (item := self._pictures.after(newest, _PATIENCE_S)) is not None:
                newest, jpeg = item
                handler.picture(jpeg, part=forever)
                if not forever:
                    return
        finally:
            with self._lock:
                self._watching -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a viewer's thread may wait for its socket

    def __init__(self, address: tuple[str, int], handler: Any, page: Page) -> None:
        super().__init__(address, handler)
        self.page = page

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Viewers come and go; nobody wants a traceback of it."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE_S

    def do_GET(self) -> None:
        """The page, its stream, or one picture."""
        if urlsplit(f"//{self.headers.get('Host')}").hostname not in (_HOST, "localhost"):
            self.send_error(HTTPStatus.FORBIDDEN)
        elif self.path == "/":
            self._begin("text/html; charset=utf-8")
            self.wfile.write(_PAGE.encode())
        elif self.path == "/stream.mjpg":
            self._begin(f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
            self.server.page.watch(self, forever=True)
        elif self.path == "/picture.jpg":
            self._begin("image/jpeg")
            self.server.page.watch(self, forever=False)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def picture(self, jpeg: bytes, part: bool) -> None:
        """Write one picture, as a part of many or alone."""
        head = (
            f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            if part
            else ""
        )
        self.wfile.write(head.encode() + jpeg + (b"\r\n" if part else b""))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: stderr is for the run."""

    def _begin(self, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
