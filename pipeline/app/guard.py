"""Who may ask: only pages of this server, opened by someone who has its token.

The token stands in the address that the program prints; a cookie has it from then on. A request
under another host's name comes of a name that was pointed at this machine (DNS rebinding); one
with another origin, of another page in the same browser, which another port on 127.0.0.1 is, too.
"""

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

_READING = ("GET", "HEAD")


class Guard:
    """ASGI middleware that lets the bearer of a token through.

    Args:
        app: What is guarded.
        token: The secret.
        port: Of 127.0.0.1; cookies are shared by all ports, so it is in the cookie's name.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app, self._token = app, token
        self._cookie = f"video3d_{port}"
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = self._refusal(scope)
        await (self._app if answer is None else answer)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host not in self._hosts:
            return PlainTextResponse("This page is for this machine alone.\n", 421)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and given and self._is_token(given):
            entered = RedirectResponse("/", 303)
            entered.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
            return entered
        if not self._is_token(self._cookie_in(headers)):
            text = "Open the address that the program printed: it has a token, new at each start.\n"
            return PlainTextResponse(text, 403)
        origin = headers.get("origin")
        if scope["method"] not in _READING and origin not in (None, f"http://{host}"):
            return PlainTextResponse("Not from another page.\n", 403)
        return None

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _cookie_in(self, headers: Headers) -> str:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return ""
        return "" if found is None else found.value
