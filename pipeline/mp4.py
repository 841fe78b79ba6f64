"""What decoders do not tell of an MP4 or QuickTime file. Boxes as in ISO/IEC 14496-12, encryption as in 23001-7."""

import struct
from pathlib import Path
from typing import BinaryIO

_PARENTS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
_MOST_BOXES = 1000
"""In one parent: a file with more of them was made to keep its readers busy."""


def is_encrypted(path: Path) -> bool:
    """Whether a video track's pictures are encrypted: decoded without the key they are noise, seldom an error."""
    with path.open("rb") as file:
        return file.read(8)[4:] == b"ftyp" and _has_encrypted(file, 0, path.stat().st_size)


def _has_encrypted(file: BinaryIO, start: int, end: int) -> bool:
    for _ in range(_MOST_BOXES):
        file.seek(start)
        head = file.read(16)
        if start + 8 > end or len(head) < 16:
            break
        size, kind = struct.unpack(">I4s", head[:8])
        header = 8
        if size == 1:  # the size is a long one, and follows
            size, header = int.from_bytes(head[8:], "big"), 16
        body, after = start + header, min(end, start + size) if size else end
        if after < body:
            break
        if kind == b"stsd":  # version, count, and the first entry's size before its kind
            file.seek(body + 12)
            return file.read(4) == b"encv"
        if kind in _PARENTS and _has_encrypted(file, body, after):
            return True
        start = after
    return False
