import socket
import threading
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest

from core.errors import OutputError
from pipeline.live.page import Page


def test_a_foreign_page_cannot_read_the_camera_through_its_own_host_name() -> None:
    page = Page(0)
    with pytest.raises(HTTPError, match="403"):
        urlopen(Request(page.url, headers={"Host": "evil.example"}))
    with urlopen(page.url) as answer:
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    with pytest.raises(OutputError, match="give another port"):
        Page(int(page.url.rstrip("/").rpartition(":")[2]))
    page.close()


def test_a_viewer_that_takes_nothing_holds_up_neither_the_run_nor_another_viewer() -> None:
    page = Page(0)
    port = int(page.url.rstrip("/").rpartition(":")[2])
    noise = np.random.default_rng(0).integers(0, 255, (720, 2000, 3), np.uint8)
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            page.show(noise)

    with socket.create_connection(("127.0.0.1", port)) as stuck:
        stuck.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        running = threading.Thread(target=run)
        running.start()
        pictures = [urlopen(f"{page.url}picture.jpg").read() for _ in range(3)]
        stop.set()
        running.join()
    page.close()
    assert all(picture.startswith(b"\xff\xd8") for picture in pictures)


def test_a_page_without_viewers_is_not_watched() -> None:
    page = Page(0)
    assert not page.is_watched
    page.close()
