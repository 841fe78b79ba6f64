"""What decoders do not say of an MP4 or QuickTime file.

Boxes are those of ISO/IEC 14496-12, encryption that of ISO/IEC 23001-7.
"""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

MOV_BOXES = frozenset({b"ftyp", b"mdat", b"moov", b"free", b"skip", b"wide"})
"""The boxes that an mp4 or QuickTime file begins with, after four bytes of length."""

_CODECS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
"""From the file down to the codecs of its tracks, each box inside the one before."""
_MATRICES = ((b"moov", b"mvhd"), (b"moov", b"trak", b"tkhd"))
"""The boxes that say how the film, and how a track, is turned."""
_MATRIX_AT = {b"mvhd": 36, b"tkhd": 40}  # bytes before it in version 0; times are longer in 1
_LONGER_TIMES = {b"mvhd": 12, b"tkhd": 12}
_SEQUENCES = frozenset({b"avis", b"msf1", b"hevc"})
_PARENTS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex"})
"""Boxes that hold others; tables are looked for in all of them, as FFmpeg does."""
MAX_SAMPLES = 10_000_000
"""Samples of a file, a day of picture and sound: FFmpeg keeps 40 to 60 bytes of each."""
_COUNT_AT = {b"trun": 4, b"stsz": 8, b"stz2": 8}
"""Boxes that announce samples → where their number stands in them."""
_MAX_BRANDS = 1024
_MAX_BOXES = 1000
"""In one parent: a file with more of them was made to keep its readers busy."""


def is_mov(path: Path) -> bool:
    """Whether a file begins as MP4 and QuickTime files do."""
    with path.open("rb") as file:
        return file.read(8)[4:] in MOV_BOXES


def is_image_sequence(path: Path) -> bool:
    """Whether a file is an animation of the formats AVIF or HEIF, by its brands."""
    try:
        with path.open("rb") as file:
            size, kind = struct.unpack(">I4s", file.read(8).ljust(8, b"\0"))
            brands = file.read(min(max(size - 8, 0), _MAX_BRANDS)) if kind == b"ftyp" else b""
    except OSError:  # a folder of pictures, too
        return False
    return any(brands[at : at + 4] in _SEQUENCES for at in range(0, len(brands), 4))


def is_encrypted(path: Path) -> bool:
    """Whether a video track is encrypted: decoded without the key it is noise, seldom an error."""
    return any(kind == b"encv" for _, kind in _codings(path))


def is_of_parts(path: Path) -> bool:
    """Whether a track has parts that are coded in ways of their own, with a header each."""
    return any(count > 1 for count, _ in _codings(path))


def _codings(path: Path) -> list[tuple[int, bytes]]:
    """Of each track, in how many ways it is coded, and the kind of the first; [] in other files."""
    try:
        with path.open("rb") as file:
            if file.read(8)[4:] not in MOV_BOXES:
                return []
            codings = []
            for body, _ in _boxes(file, _CODECS, 0, path.stat().st_size):
                file.seek(body + 4)  # after the version
                count, _, kind = struct.unpack(">II4s", file.read(12).ljust(12, b"\0"))
                codings.append((count, kind))
            return codings
    except OSError:  # decoding it says so too
        return []


def is_mirrored(path: Path) -> bool:
    """Whether players show the pictures mirrored: FFmpeg tells the angle of the turn alone."""
    try:
        with path.open("rb") as file:
            if file.read(8)[4:] not in MOV_BOXES:
                return False
            end = path.stat().st_size
            film, *tracks = [
                [_determinant(file, body, names[-1]) for body, _ in _boxes(file, names, 0, end)]
                for names in _MATRICES
            ]
    except OSError:
        return False
    is_film_mirrored = any(value < 0 for value in film)
    return any((value < 0) != is_film_mirrored for track in tracks for value in track if value)


def announces_too_many(path: Path) -> bool:
    """Whether a file announces more than `MAX_SAMPLES`, which a few bytes can do."""
    samples, at = 0, 0
    with path.open("rb") as file:
        ends = [path.stat().st_size]  # of the boxes around what is read
        while ends and samples <= MAX_SAMPLES:
            file.seek(at)
            head = file.read(16)
            size, kind = struct.unpack(">I4s", head[:8].ljust(8, b"\0"))
            body = at + 8
            if size == 1:  # a 64-bit size follows
                size, body = int.from_bytes(head[8:], "big"), at + 16
            after = min(ends[-1], at + size) if size else ends[-1]
            if body > after:
                at = ends.pop()
            elif kind in _PARENTS:
                ends.append(after)
                at = body
            else:
                if kind in _COUNT_AT:
                    file.seek(body + _COUNT_AT[kind])
                    samples += int.from_bytes(file.read(4), "big")
                at = after
    return samples > MAX_SAMPLES


def _determinant(file: BinaryIO, body: int, kind: bytes) -> int:
    """That of the matrix in a header: negative for a mirror, 0 where it is cut off."""
    file.seek(body)
    version = file.read(1)
    file.seek(body + _MATRIX_AT[kind] + (_LONGER_TIMES[kind] if version == b"\1" else 0))
    data = file.read(20)
    if len(data) < 20:
        return 0
    a, b, _, c, d = struct.unpack(">5i", data)
    return int(a * d - b * c)


def _boxes(
    file: BinaryIO, names: Sequence[bytes], start: int, end: int
) -> Iterator[tuple[int, int]]:
    """Where the boxes of a path of names begin, after their headers, and end."""
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
        if kind == names[0]:
            if len(names) == 1:
                yield body, after
            else:
                yield from _boxes(file, names[1:], body, after)
        start = after
