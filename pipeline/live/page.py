"""The picture of a live run as a web page on this machine: MJPEG, which browsers show in an <img>.

The server is bound to 127.0.0.1 and answers to names of this machine alone, so that no web page
elsewhere can read a camera by giving its own name this address (DNS rebinding). Each viewer has a
thread and takes the latest picture when ready for it.
"""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import cv2

from core.errors import OutputError
from core.types import Picture
from pipeline.runtime.latest_value import LatestValue

_HOST = "127.0.0.1"
_JPEG_QUALITY = 80
_TIMEOUT_S = 10.0  # for a viewer that takes nothing, and for a picture that does not come
_BOUNDARY = "picture"
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>video3d live</title>
<style>
body{margin:0;background:#16191f;display:grid;place-items:center;height:100vh}
img{max-width:100%;max-height:100vh}
</style><img src="/stream.mjpg" alt="Left the camera's picture, right the same moment in 3D"></html>
"""


class Page:
    """Serves pictures from when it is made until it is closed.

    Args:
        port: Of 127.0.0.1; 0 for any that is free.

    Attributes:
        url: The page's address.

    Raises:
        OutputError: The port is taken.
    """

    def __init__(self, port: int) -> None:
        self._pictures: LatestValue[bytes] = LatestValue()
        self._viewers = 0
        self._lock = threading.Lock()
        try:
            self._server = _Server((_HOST, port), _Viewer, self)
        except OSError as error:
            raise OutputError(f"--serve {port}: {error.strerror}; give another port") from error
        self.url = f"http://{_HOST}:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, name="page", daemon=True).start()

    @property
    def is_watched(self) -> bool:
        """Whether there is a viewer; else pictures need not be made."""
        return self._viewers > 0

    def show(self, picture: Picture) -> None:
        """Hand a picture (H, W, 3) RGB to the viewers, without waiting for them."""
        if self.is_watched:
            bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
            _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
            self._pictures.put(jpeg.tobytes())

    def close(self) -> None:
        """End all viewers' streams and release the port."""
        self._pictures.close()
        self._server.shutdown()
        self._server.server_close()

    def send_to(self, viewer: "_Viewer", forever: bool) -> None:
        """Send pictures to one viewer: the next one, or all until either side ends."""
        with self._lock:
            self._viewers += 1
        try:
            number = self._pictures.latest_number()
            while (item := self._pictures.after(number, _TIMEOUT_S)) is not None:
                number, jpeg = item
                viewer.send_picture(jpeg, is_part=forever)
                if not forever:
                    return
        finally:
            with self._lock:
                self._viewers -= 1


class _Server(ThreadingHTTPServer):
    """The page's server: a thread for each request, none of which outlives the program."""

    daemon_threads = True
    block_on_close = False  # a viewer's thread may wait for its socket

    def __init__(self, address: tuple[str, int], handler: Any, page: Page) -> None:
        super().__init__(address, handler)
        self.page = page

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print no traceback: viewers come and go."""


class _Viewer(BaseHTTPRequestHandler):
    """One request, in a thread of its own."""

    server: _Server
    timeout = _TIMEOUT_S

    def do_GET(self) -> None:
        """Answer with the page, its stream, or one picture."""
        if urlsplit(f"//{self.headers.get('Host')}").hostname not in (_HOST, "localhost"):
            self.send_error(HTTPStatus.FORBIDDEN)
        elif self.path == "/":
            self._send_head("text/html; charset=utf-8")
            self.wfile.write(_PAGE.encode())
        elif self.path == "/stream.mjpg":
            self._send_head(f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
            self.server.page.send_to(self, forever=True)
        elif self.path == "/picture.jpg":
            self._send_head("image/jpeg")
            self.server.page.send_to(self, forever=False)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def send_picture(self, jpeg: bytes, is_part: bool) -> None:
        """Write one picture, as a part of a stream or alone."""
        if is_part:
            headers = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}"
            jpeg = f"--{_BOUNDARY}\r\n{headers}\r\n\r\n".encode() + jpeg + b"\r\n"
        self.wfile.write(jpeg)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: stderr is for the run."""

    def _send_head(self, content_type: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
