"""What a picture's bytes hold that its decoder must not be given, or must not be given unbounded.

Chunks are those of PNG (ISO/IEC 15948), segments those of JPEG (ITU-T T.81).
"""

import re
from collections.abc import Iterator

MAX_SCANS = 100
"""Scans of a JPEG: encoders make about ten, and each takes the time of a whole picture."""

_PNG = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf"})
_JPEG = b"\xff\xd8"
_START_OF_SCAN, _END = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
"""A marker; after FF, 00 is data and D0 to D7 restart the decoder inside a scan."""


def plain_png(data: bytes) -> bytes:
    """A PNG with the chunks that its pixels and its orientation need; other files as they are.

    libpng writes what it dislikes of others to stderr, in the file's own words.
    """
    return _PNG + b"".join(_kept_chunks(data)) if data.startswith(_PNG) else data


def _kept_chunks(data: bytes) -> Iterator[bytes]:
    start = len(_PNG)
    while start + 8 <= len(data):
        size, kind = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8]
        after = start + 12 + size
        if kind in _KEPT:
            yield data[start:after]
        start = after


def scans(data: bytes) -> int:
    """How many scans a JPEG has, at most `MAX_SCANS` + 1; 0 for other files."""
    count, start = 0, len(_JPEG)
    if not data.startswith(_JPEG):
        return 0
    while count <= MAX_SCANS and (marker := _MARKER.search(data, start)):
        kind = marker[1][0]
        if kind == _END:
            break
        count += kind == _START_OF_SCAN
        start = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    return count
