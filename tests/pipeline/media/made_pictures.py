"""Pictures in files, for tests."""

import struct
import subprocess
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media.ffmpeg_program import ffmpeg_program

_TILE = 64  # px


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


def phone_picture(path: Path, rgb: NDArray[np.uint8]) -> Path:
    """Write HEIF as phones do: a picture (64, 64 N, 3) in tiles, shown turned counterclockwise."""
    tiles = np.split(np.ascontiguousarray(rgb), range(_TILE, rgb.shape[1], _TILE), axis=1)
    coded = [_coded(path.with_suffix(".mp4"), tile) for tile in tiles]
    count = len(coded)
    grid = count + 1  # the tiles are 1 … N
    sizes = [_full(b"ispe", struct.pack(">II", _TILE * n, _TILE)) for n in (1, count)]
    config, turned = coded[0][0], _box(b"irot", b"\1")
    properties = _box(b"ipco", config + sizes[0] + sizes[1] + turned)
    of_items = [(item, (0x81, 2)) for item in range(1, grid)] + [(grid, (3, 0x84))]
    used = b"".join(struct.pack(">HBBB", item, 2, *numbers) for item, numbers in of_items)
    properties += _full(b"ipma", struct.pack(">I", grid) + used)
    kinds = [b"hvc1"] * count + [b"grid"]
    entries = b"".join(
        _full(b"infe", struct.pack(">HH4sx", item, 0, kind), 2)
        for item, kind in enumerate(kinds, 1)
    )
    parts = struct.pack(f">HH{count}H", grid, count, *range(1, grid))

    def meta(at: int) -> bytes:
        """All that stands before the tiles, which begin at a byte of the file."""
        places = b""
        for item, (_, data) in enumerate(coded, 1):
            places += struct.pack(">HHHHII", item, 0, 0, 1, at, len(data))
            at += len(data)
        places += struct.pack(">HHHHII", grid, 1, 0, 1, 0, 8)  # in `idat`
        return _full(
            b"meta",
            _full(b"hdlr", struct.pack(">I4s13x", 0, b"pict"))
            + _full(b"pitm", struct.pack(">H", grid))
            + _full(b"iinf", struct.pack(">H", grid) + entries)
            + _full(b"iref", _box(b"dimg", parts))
            + _box(b"iprp", properties)
            + _box(b"idat", struct.pack(">BBBBHH", 0, 0, 0, count - 1, _TILE * count, _TILE))
            + _full(b"iloc", struct.pack(">HH", 0x4400, grid) + places, 1),
        )

    head = _box(b"ftyp", b"heic\0\0\0\0mif1heic")
    start = len(head) + len(meta(0)) + 8
    path.write_bytes(head + meta(start) + _box(b"mdat", b"".join(data for _, data in coded)))
    return path


def _coded(video: Path, rgb: NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """A tile as HEVC: the decoder's configuration, a box, and the picture."""
    size = f"{rgb.shape[1]}x{rgb.shape[0]}"
    subprocess.run(
        [ffmpeg_program(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size,
         "-i", "-", "-c:v", "libx265", "-crf", "4", "-pix_fmt", "yuv420p", "-tag:v", "hvc1",
         "-x265-params", "log-level=none", video],
        input=np.ascontiguousarray(rgb).tobytes(), check=True,
    )  # fmt: skip
    data = video.read_bytes()
    boxes = []
    for kind in (b"hvcC", b"mdat"):
        at = data.index(kind) - 4
        boxes.append(data[at : at + int.from_bytes(data[at : at + 4], "big")])
    return boxes[0], boxes[1][8:]


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def _full(kind: bytes, content: bytes, version: int = 0) -> bytes:
    """A box with a version and no flags."""
    return _box(kind, bytes((version, 0, 0, 0)) + content)
