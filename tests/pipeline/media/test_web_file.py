"""Finite files on the web, and streams that are none."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from core.errors import InputError
from pipeline.media.web_file import WebFiles, ask_web, is_web, web_name

CONTENT = bytes(range(256)) * 8


class Server(BaseHTTPRequestHandler):
    """Answers by path."""

    def do_HEAD(self) -> None:
        if "get_only" in self.path:
            self.send_error(405)
            return
        self._head()

    def do_GET(self) -> None:
        if self._head() and "live" not in self.path:
            self.wfile.write(CONTENT[: 100 if "broken" in self.path else None])

    def _head(self) -> bool:
        if "gone" in self.path:
            self.send_error(404)
            return False
        if "private" in self.path and self.headers["Authorization"] != "Basic bWU6c2VjcmV0":
            self.send_error(401)
            return False
        self.send_response(200)
        kind = "text/html" if "page" in self.path else "video/mp4"
        self.send_header("Content-Type", kind)
        if "live" not in self.path:
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        return True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "is_file"),
    [
        ("clip.mp4", True), ("clip.mp4?token=a*b", True), ("get_only.mp4", True),
        ("live", False), ("page", False), ("list.m3u8", False),
    ],
)  # fmt: skip
def test_a_file_has_a_length_and_a_stream_has_none(host: str, path: str, is_file: bool) -> None:
    answer = ask_web(f"http://{host}/{path}")
    assert answer.is_file == is_file
    assert (answer.body is not None) == (path == "live")


def test_a_server_that_has_no_such_file_is_heard(host: str) -> None:
    with pytest.raises(InputError, match=rf"^http://{host}/gone\.mp4: is not there, .* 404$"):
        ask_web(f"http://me:secret@{host}/gone.mp4?key=secret")
    assert not ask_web(f"http://{host}/private.mp4").is_file


def test_what_does_not_answer_is_no_file() -> None:
    assert not ask_web("http://127.0.0.1:9/clip.mp4").is_file
    assert not is_web("rtsp://127.0.0.1/clip.mp4")
    assert not is_web("clip.mp4")


def test_a_file_is_fetched_whole_or_not_at_all(host: str, tmp_path: Path) -> None:
    WebFiles().get_file(f"http://me:secret@{host}/private.mp4", str(tmp_path / "a.mp4"))
    assert (tmp_path / "a.mp4").read_bytes() == CONTENT
    with pytest.raises(OSError, match=r"only 100 of its 2048 bytes came"):
        WebFiles().get_file(f"http://{host}/broken.mp4", str(tmp_path / "b.mp4"))


def test_a_name_is_without_what_follows_it() -> None:
    assert web_name("https://example.org/a%20b/clip%201.mp4?token=x/y") == "clip 1.mp4"
    assert web_name("https://example.org/") == "video"
