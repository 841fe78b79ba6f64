"""Finite files on the web, `http://…` and `https://…`, as fsspec's file systems offer theirs.

By the standard library alone: fsspec's own wants aiohttp.
"""

import base64
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from core.errors import InputError
from pipeline.media.live.source import LiveSource

TIMEOUT_S = 10.0
"""How long a server may say nothing."""

_SCHEMES = ("http", "https")
_LISTS = (".m3u8", ".m3u", ".mpd", ".sdp")
"""Endings of what refers to a stream."""
_NOTHING_THERE = (404, 410)
_NO_FILES = ("text/", "application/dash", "application/json", "application/sdp")


def is_web(text: str) -> bool:
    """Whether a word is an address of the web."""
    return text.partition("://")[0].lower() in _SCHEMES and "://" in text


@dataclass(frozen=True)
class WebAnswer:
    """What a server answers at an address of the web.

    is_file: Whether that is a finite file: a stream has no length, or is a list of parts. body:
    Reads at most so many bytes of a stream, whose only connection this one may be; None for a
    file, for lists, and where no server answers.
    """

    is_file: bool
    body: Callable[[int], bytes] | None = None


def ask_web(text: str) -> WebAnswer:
    """Ask a server what there is at an address of the web.

    Raises:
        InputError: The server says that there is nothing.
    """
    if PurePosixPath(urlsplit(text).path).suffix.lower() in _LISTS:
        return WebAnswer(False)
    try:
        answer = _open(text, "GET")
    except urllib.error.HTTPError as error:
        if error.code in _NOTHING_THERE:
            shown = LiveSource(text, "network").shown
            raise InputError(f"{shown}: is not there, the server answers {error.code}") from error
        return WebAnswer(False)  # FFmpeg may be let in where we are not
    except (OSError, ValueError, HTTPException):
        return WebAnswer(False)
    kind = (answer.headers.get("Content-Type") or "").lower()
    is_list = "mpegurl" in kind or kind.startswith(_NO_FILES)
    is_file = _size(answer.headers) > 0 and not is_list and not kind.startswith("multipart/")
    if is_file or is_list:
        answer.close()
        return WebAnswer(is_file)
    return WebAnswer(False, answer.read1)


def web_name(text: str) -> str:
    """The name of a file on the web, without what follows `?`."""
    return PurePosixPath(unquote(urlsplit(text).path)).name or "video"


class WebFiles:
    """Files on the web, for reading, by the methods of an fsspec file system that are used here."""

    def info(self, url: str) -> dict[str, Any]:
        """The file's size in bytes.

        Raises:
            OSError: The server does not answer, or not with the file.
        """
        return {"size": _size(_headers(url))}

    def modified(self, url: str) -> datetime:
        """When the file was changed, by its server; the start of 1970 where it does not say."""
        date = _headers(url).get("Last-Modified")
        return parsedate_to_datetime(date) if date else datetime.fromtimestamp(0, UTC)

    def get_file(self, url: str, target: str) -> None:
        """Copy the file to this machine.

        Raises:
            OSError: It cannot be fetched, or not all of it came.
        """
        with _answer(url, "GET") as answer, Path(target).open("wb") as file:
            shutil.copyfileobj(answer, file)
            expected, size = _size(answer.headers), file.tell()
        if expected and size != expected:
            raise OSError(f"only {size} of its {expected} bytes came")

    def cat_file(self, url: str) -> bytes:
        """The file's content."""
        with _answer(url, "GET") as answer:
            content: bytes = answer.read()
            return content


def _headers(url: str) -> Message:
    """What a server says of a file; asked again as for the file where it knows no HEAD."""
    try:
        with _answer(url, "HEAD") as answer:
            return answer.headers  # type: ignore[no-any-return]
    except urllib.error.HTTPError as error:
        if error.code not in (400, 403, 405, 501):
            raise
    with _answer(url, "GET") as answer:
        return answer.headers  # type: ignore[no-any-return]


def _size(headers: Message) -> int:
    length = headers.get("Content-Length") or ""
    return int(length) if length.isdecimal() else 0


def _answer(url: str, method: str) -> Any:
    """A server's answer, closed at the end of its block."""
    return closing(_open(url, method))


def _open(url: str, method: str) -> Any:
    """A server's answer; a name and a password in the address go where they belong."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(parts._replace(netloc=host).geturl(), method=method)
    if at:
        request.add_header(
            "Authorization", f"Basic {base64.b64encode(unquote(user).encode()).decode()}"
        )
    return urllib.request.urlopen(request, timeout=TIMEOUT_S)
