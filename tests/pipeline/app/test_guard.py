"""Nobody but this machine's own browser, which has the token, gets anything."""

import socket

import pytest

from tests.pipeline.app.conftest import App

PATHS = ["/", "/api/clips", "/api/options", "/static/app.js", "/clips/0123456789abcdef/"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("cookie", ["", "video3d_{port}=wrong", "video3d_1={token}", "\x80;;=,"])
def test_without_the_token_there_is_nothing(app: App, path: str, cookie: str) -> None:
    given = cookie.format(port=app.port, token=app.token)
    status, said, _ = app.ask(path, Cookie=given)
    assert status == 403
    assert said.startswith(b"Open the address that the program printed")
    assert app.ask("/api/clips", "POST", b"x", Cookie=given)[0] == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "[::1]"])
def test_another_hosts_name_gets_nothing(app: App, host: str) -> None:
    """As a page elsewhere would send whose name was pointed at 127.0.0.1."""
    for path in (*PATHS, f"/?token={app.token}"):
        status, _, headers = app.ask(path, Host=host.format(port=app.port))
        assert status == 421
        assert "set-cookie" not in headers
    assert app.ask("/api/clips", Host=f"localhost:{app.port}")[0] == 200


def test_the_token_leaves_the_address_and_becomes_a_cookie(app: App) -> None:
    status, _, headers = app.ask(f"/?token={app.token}", Cookie="")
    assert (status, headers["location"]) == (303, "/")
    cookie = headers["set-cookie"]
    assert cookie.startswith(app.cookie)
    assert {"httponly", "samesite=strict"} <= {part.strip().lower() for part in cookie.split(";")}
    assert app.ask("/?token=wrong", Cookie="")[0] == 403


def test_another_page_of_the_same_browser_changes_nothing(app: App) -> None:
    """Cookies go along from pages on other ports of 127.0.0.1: they are the same site."""
    for origin in ("http://127.0.0.1:1", "https://evil.example", "null"):
        assert app.ask("/api/clips?name=a.mp4", "POST", b"x", Origin=origin)[0] == 403
    assert app.clips() == []


def test_it_listens_on_this_machine_alone(app: App) -> None:
    for found in socket.getaddrinfo(socket.gethostname(), app.port, type=socket.SOCK_STREAM):
        if found[4][0] not in ("127.0.0.1", "::1"):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection(found[4][:2], timeout=5)


def test_paths_lead_nowhere_else(app: App) -> None:
    for path in (
        "/static/../server.py", "/static/..%2fserver.py", "/static/index.html", "/clips/../../x/",
        "/clips/..%2f..%2f/", "/clips/0123456789abcdef/files/..%2f..%2fclip.json",
    ):  # fmt: skip
        assert app.ask(path)[0] == 404
