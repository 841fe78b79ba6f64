"""What a picture says of who can decode it, and what it holds that no decoder must be given.

Chunks are those of PNG (ISO/IEC 15948), segments those of JPEG (ITU-T T.81), boxes those of HEIF
(ISO/IEC 23008-12) and JPEG 2000 (ISO/IEC 15444-1).
"""

import re
from collections.abc import Iterator

MAX_SCANS = 100
"""Scans of a JPEG: encoders make about ten, and each takes the time of a whole picture."""

_PNG = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf"})
_JPEG = b"\xff\xd8"
_EXIF = re.compile(rb"Exif\0\0(II\*\0|MM\0\*)")
_START_OF_SCAN, _END = 0xDA, 0xD9
_HEIF_BRANDS = frozenset({b"mif1", b"mif2", b"heic", b"heix", b"heim", b"heis"})
_JPEG_2000 = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")  # in a file, and bare
_STILL = re.compile(
    rb"\xff\xd8\xff|\x89PNG|RIFF....WEBP|BM|II[*+]\0|MM\0[*+]|II\0\*|MM\*\0"
    rb"|....ftyp(avif|avis|mif1|msf1)",
    re.DOTALL,
)
_IMAGE_SIZE = re.compile(rb"ispe\0{4}(.{4})(.{4})", re.DOTALL)
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
"""A marker; after FF, 00 is data and D0 to D7 restart the decoder inside a scan."""


def begins_still(head: bytes) -> bool:
    """Whether a file may be one picture, by its magic number (16 bytes).

    The kinds are JPEG, PNG, WebP, BMP, TIFF, AVIF and JPEG 2000.
    """
    return head.startswith(_JPEG_2000) or _STILL.match(head) is not None


def is_for_ffmpeg(data: bytes) -> bool:
    """Whether a picture is HEIF or JPEG 2000, which OpenCV's wheels don't know and ffmpeg does."""
    is_heif = data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS
    return is_heif or data.startswith(_JPEG_2000)


def heif_pixels(data: bytes) -> int:
    """How many pixels the largest picture of a HEIF file has, 0 in other files.

    Phones store one as a grid of tiles, each a picture of its own.
    """
    sizes = _IMAGE_SIZE.findall(data)
    return max((int.from_bytes(w, "big") * int.from_bytes(h, "big") for w, h in sizes), default=0)


def exif_data(data: bytes) -> bytes:
    """The first 64 KiB of a file's Exif data, as JPEG and HEIF hold them; nothing without."""
    found = _EXIF.search(data)
    return data[found.start() : found.start() + (1 << 16)] if found else b""


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
