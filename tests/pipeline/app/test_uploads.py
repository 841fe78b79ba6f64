"""What is uploaded goes to the disk as it comes, and no further than it may."""

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from pipeline.app.store import safe_name
from tests.pipeline.app.conftest import App

MB = 1_000_000


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, Path]]:
    output = tmp_path_factory.mktemp("bounded")
    app = App(output, "--app-upload-gb", "0.3")
    yield app, output / "app"
    app.close()


def zeros(megabytes: int) -> Iterator[bytes]:
    return (bytes(MB) for _ in range(megabytes))


def test_3_gb_are_refused_before_they_are_sent(app: App) -> None:
    """Above the default limit of 2 GB; nothing of it is read."""
    connection = HTTPConnection("127.0.0.1", app.port, timeout=30)
    connection.putrequest("POST", "/api/clips?name=long.mp4")
    connection.putheader("Cookie", app.cookie)
    connection.putheader("Content-Length", str(3000 * MB))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert b"clips of more than 2 GB are not taken" in answer.read()
    connection.close()
    assert app.clips() == []


def test_one_that_does_not_say_how_large_it_is_ends_at_the_limit(
    bounded: tuple[App, Path],
) -> None:
    app, folder = bounded
    before = app.memory_mb()
    try:
        status = app.ask("/api/clips?name=long.mp4", "POST", zeros(400))[0]
    except OSError:  # the server has hung up, which a client that still sends may see first
        status = 413
    assert status == 413
    assert list(folder.iterdir()) == []
    assert app.memory_mb() - before < 30


def test_a_large_one_is_taken_in_little_memory(bounded: tuple[App, Path]) -> None:
    app, folder = bounded
    before = app.memory_mb()
    status, said, _ = app.ask("/api/clips?name=long.mp4", "POST", zeros(250))
    assert status == 201
    clip = json.loads(said)
    assert app.memory_mb() - before < 30
    assert (folder / clip["id"] / "source" / "long.mp4").stat().st_size == 250 * MB
    assert app.until(clip["id"], "failed")["reason"]
    assert app.ask(f"/api/clips/{clip['id']}", "DELETE")[0] == 204


def test_one_that_breaks_off_leaves_nothing(bounded: tuple[App, Path]) -> None:
    app, folder = bounded
    connection = HTTPConnection("127.0.0.1", app.port, timeout=30)
    connection.putrequest("POST", "/api/clips?name=half.mp4")
    connection.putheader("Cookie", app.cookie)
    connection.putheader("Content-Length", str(5 * MB))
    connection.endheaders()
    connection.send(bytes(MB))
    connection.close()
    assert app.clips() == []  # the server has gone on
    for _ in range(600):
        if not any(folder.iterdir()):
            break
        time.sleep(0.05)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("name=a.mp4&options=%7B%22height_m%22%3A%229%22%7D", 400, "`height_m` must"),
        (
            "name=a.mp4&options=%7B%22height_m%22%3A%22tall%22%7D",
            400,
            "must be a number",
        ),
        ("name=a.mp4&options=%7B%22overwrite%22%3Atrue%7D", 400, "there is no option `overwrite`"),
        ("name=a.mp4&options=%7B%22rigid_bones%22%3A%22x%22%7D", 400, "`rigid_bones` is 'x'"),
        ("name=a.mp4&options=%5B%5D", 400, "no object"),
        ("name=a.mp4&options=%7B", 400, "no JSON"),
        ("name=a.mp4", 400, "the file is empty"),
    ],
)
def test_what_is_wrong_is_said(app: App, query: str, status: int, said: str) -> None:
    body = b"" if said == "the file is empty" else b"x"
    got, text, _ = app.ask(f"/api/clips?{query}", "POST", body)
    assert (got, said in text.decode()) == (status, True), text
    assert app.clips() == []


def test_names_are_made_safe_and_keep_their_endings() -> None:
    names = {
        "a/../../b.mp4": "b.mp4", "C:\\clips\\x.MOV": "x.MOV", ".hidden": "hidden", "": "clip",
        "..": "clip", "a\nb\x00.mp4": "a_b_.mp4", "läufer 1.mp4": "läufer 1.mp4",
    }  # fmt: skip
    assert {name: safe_name(name) for name in names} == names
    assert len(safe_name("ü" * 300 + ".mp4").encode()) < 200
    assert safe_name("ü" * 300 + ".mp4").endswith(".mp4")


def test_what_the_disk_refuses_is_said(bounded: tuple[App, Path]) -> None:
    app, folder = bounded
    away = folder.rename(folder.with_name("away"))
    status, said, _ = app.ask("/api/clips?name=short.mp4", "POST", b"x")
    away.rename(folder)
    assert status == 500
    assert said.decode() == f"{folder}: No such file or directory\n"
