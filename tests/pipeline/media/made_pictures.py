"""Pictures in files, for tests."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def save(path: Path, rgb: NDArray[np.uint8], orientation: int = 1) -> Path:
    """Write a JPEG or PNG; `orientation` is what a camera writes into EXIF (6: turn clockwise)."""
    _, data = cv2.imencode(
        path.suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 98]
    )
    tags = struct.pack(">HHHIHHI", 1, 0x112, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + tags
    marker = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif if orientation > 1 else b""
    path.write_bytes(data.tobytes()[:2] + marker + data.tobytes()[2:])
    return path


def shots(folder: Path, *numbers: int) -> Path:
    """Grey pictures, each as bright as its number."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        save(folder / f"shot_{number}.png", np.full((48, 64, 3), number, np.uint8))
    return folder


def chunked(path: Path, side: int, kind: bytes, content: bytes) -> Path:
    """Write a black PNG, `side` px wide and high, with one more chunk before its pixels."""
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(side // 8 + 1)) for _ in range(side)) + rows.flush()
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)),
        (kind, content),
        (b"IDAT", packed),
        (b"IEND", b""),
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, *zip(*chunks, strict=True))))
    return path


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )
