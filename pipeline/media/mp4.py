"""What decoders do not say of an MP4 or QuickTime file.

Boxes are those of ISO/IEC 14496-12, encryption that of ISO/IEC 23001-7.
"""

import struct
from pathlib import Path
from typing import BinaryIO

_BOX_PATH = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
"""From the file down to the codecs of its tracks, each box inside the one before."""
_MAX_BOXES = 1000
"""In one parent: a file with more of them was made to keep its readers busy."""


def is_encrypted(path: Path) -> bool:
    """Whether a video track is encrypted: decoded without the key it is noise, seldom an error."""
    try:
        with path.open("rb") as file:
            return file.read(8)[4:] == b"ftyp" and _has_encrypted(file, 0, path.stat().st_size)
    except OSError:  # decoding it says so too
        return False


def _has_encrypted(file: BinaryIO, start: int, end: int, depth: int = 0) -> bool:
    """Whether the boxes between two offsets, which lie at `depth` of the path, hold `encv`."""
    for _ in range(_MAX_BOXES):
        file.seek(start)
        head = file.read(16)
        if start + 8 > end or len(head) < 16:
            break
        size, kind = struct.unpack(">I4s", head[:8])
        header = 8
        if size == 1:  # a 64-bit size follows
            size, header = int.from_bytes(head[8:], "big"), 16
        body = start + header
        after = min(end, start + size) if size else end
        if after < body:
            break
        if kind == _BOX_PATH[depth]:
            if kind == _BOX_PATH[-1]:  # version, count, and the first entry's size before its kind
                file.seek(body + 12)
                return file.read(4) == b"encv"
            if _has_encrypted(file, body, after, depth + 1):
                return True
        start = after
    return False
