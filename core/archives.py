"""Read `.npz` archives, also VideoPose3D's, which keep dictionaries as pickled object arrays.

numpy would run any code that such a pickle names; here only arrays, numbers and plain containers
come out of one.
"""

import lzma
import pickle
import sys
import tokenize
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from core.errors import InputError, one_line
from core.files import open_input
from core.types import Array

_DAMAGED = (
    OSError, ValueError, EOFError, MemoryError, NotImplementedError, RuntimeError,
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError,
)  # fmt: skip
"""What damaged archives raise."""
_NO_DATA = (
    AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError,
)  # fmt: skip
"""What pickles of other things than arrays, and headers that numpy believes, raise."""
_MAX_REPEATED = 10_000_000
"""Entries that a pickle's shared lists add to those that it holds, each of a byte at least."""


def read_archive(
    path: Path, *needed: str, encoding: str = "ASCII", max_bytes: int | None = None
) -> dict[str, Any]:
    """Read all members of an archive.

    Args:
        path: The archive.
        needed: Members that must be there.
        encoding: Of text in pickles; Python 2's archives want "latin1".
        max_bytes: The most that it may unpack to; None for any size.

    Returns:
        Arrays by name; a pickled dictionary comes out as one.

    Raises:
        InputError: The file is missing, damaged or too large, lacks a member, or its pickle names
            more than data.
    """
    try:
        with open_input(path) as file, zipfile.ZipFile(file) as archive:
            _check_members(path, archive.infolist(), max_bytes)
            members = {
                name.removesuffix(".npy"): _read_member(archive, name, encoding)
                for name in archive.namelist()
            }
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except pickle.UnpicklingError as error:
        raise InputError(f"{path}: refused, {one_line(error)}") from error
    except (*_DAMAGED, *_NO_DATA) as error:
        raise InputError(f"{path}: not a readable .npz archive ({one_line(error)})") from error
    for name in needed:
        if name not in members:
            raise InputError(
                f"{path}: {name} is missing, it holds {', '.join(members) or 'nothing'}"
            )
    return members


def _check_members(path: Path, members: list[zipfile.ZipInfo], max_bytes: int | None) -> None:
    """`InputError` where members share the file's bytes, or unpack to more than `max_bytes`."""
    if sum(member.compress_size for member in members) > path.stat().st_size:
        raise InputError(f"{path}: not a readable .npz archive (its members overlap)")
    if max_bytes is not None and sum(member.file_size for member in members) > max_bytes:
        raise InputError(
            f"{path}: unpacks to more than {max_bytes >> 20} MiB, which no such file needs"
        )


def _read_member(archive: zipfile.ZipFile, name: str, encoding: str) -> Any:
    """An array, or what a pickled one holds."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read_header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        _, _, dtype = read_header(file)
        if dtype.hasobject:
            return _unpickle(file, encoding, archive.getinfo(name).file_size)
    with archive.open(name) as file:
        return _readable(np.lib.format.read_array(file, allow_pickle=False))


def _unpickle(file: IO[bytes], encoding: str, size: int) -> Any:
    """The array in a pickle of `size` bytes, or its value where it has no axes."""
    try:
        value = _plain(_DataUnpickler(file, encoding=encoding).load(), {})
        if _expanded_size(value, {}) > size + _MAX_REPEATED:
            raise pickle.UnpicklingError("its lists hold each other over and over")
    except _NO_DATA as error:
        raise pickle.UnpicklingError(f"its pickle is none of numpy's ({error})") from error
    if not isinstance(value, np.ndarray):
        raise pickle.UnpicklingError("its pickle holds no array")
    return value.item() if value.shape == () else value


class _DataUnpickler(pickle.Unpickler):
    """Builds arrays and plain containers only; any other name in a pickle is refused.

    Arrays and types are built as stand-ins, because numpy's own believe a pickle: a crafted shape
    or type makes them read memory that is not theirs.
    """

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        super().__init__(file, encoding=encoding)

    def find_class(self, module: str, name: str) -> Any:
        known = NUMPY_STAND_INS.get((module.replace("numpy.core", "numpy._core"), name))
        if known is None:
            raise pickle.UnpicklingError(
                f"its pickle names {module}.{name}, and only arrays and containers are data"
            )
        return known


class _Type:
    """Stands in for `numpy.dtype`: a plain type by its name, with the byte order of its state."""

    def __init__(self, name: str, *_flags: Any) -> None:
        self.dtype = np.dtype(str(name))

    def __setstate__(self, state: Any) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class StoredArray:
    """Stands in for an array, which a pickle makes empty first and then fills."""

    def __init__(self, *_arguments: Any) -> None:
        self.array: Array = np.zeros(0)

    def __setstate__(self, state: Any) -> None:
        _version, shape, kind, fortran, data = state
        self.array = _filled(data, kind.dtype, shape, "F" if fortran else "C")


def _filled(
    data: Any, dtype: np.dtype[Any], shape: tuple[int, ...], order: Literal["C", "F"]
) -> Array:
    """An array of exactly the data.

    Args:
        data: A list of objects, always in C order, or raw bytes, which are text in Python 2.
        dtype: The array's type.
        shape: The array's shape; a `ValueError` where the data do not fill it.
        order: The order of raw bytes.
    """
    if dtype.kind == "O":
        objects = np.empty(len(data), object)
        for index, value in enumerate(data):
            objects[index] = value
        return objects.reshape(shape)
    raw = data.encode("latin1") if isinstance(data, str) else memoryview(data).tobytes()
    return _readable(np.frombuffer(raw, dtype).copy()).reshape(shape, order=order)


def _readable(array: Array) -> Array:
    """The array; `ValueError` where its text has characters that Python's strings cannot hold."""
    if array.dtype.kind == "U":
        codes = np.frombuffer(
            array.tobytes(), np.dtype(np.uint32).newbyteorder(array.dtype.byteorder)
        )
        if codes.max(initial=0) > sys.maxunicode:
            raise ValueError("text with characters that do not exist")
    return array


def _plain(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """The value with arrays instead of stand-ins.

    `done` maps the ids of objects to themselves and what was made of them: a shared object is
    converted once and stays shared.
    """
    if id(value) in done:
        return done[id(value)][1]
    plain = value
    if isinstance(value, StoredArray):
        plain = value.array
        for index in np.ndindex(plain.shape) if plain.dtype.kind == "O" else ():
            plain[index] = _plain(plain[index], done)
    elif isinstance(value, dict):
        plain = {key: _plain(one, done) for key, one in value.items()}
    elif isinstance(value, list | tuple):
        plain = type(value)(_plain(one, done) for one in value)
    done[id(value)] = value, plain  # kept alive, so that no other object gets its id
    return plain


def _expanded_size(value: Any, sizes: dict[int, int]) -> int:
    """How many entries a value would have if every shared container in it were copied.

    `sizes` are those of the containers seen so far, by id; all of them are parts of the value.
    """
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "O":
            return value.size + 1
        parts: Any = value.ravel()
    elif isinstance(value, dict):
        parts = value.values()
    elif isinstance(value, list | tuple):
        parts = value
    else:
        return 1
    if id(value) not in sizes:
        sizes[id(value)] = 0  # of a container that holds itself
        sizes[id(value)] = 1 + sum(_expanded_size(part, sizes) for part in parts)
    return sizes[id(value)]


def _scalar(kind: _Type, data: Any) -> Any:
    """Stands in for numpy's private `scalar`."""
    return _filled(data, kind.dtype, (1,), "C")[0]


def _frombuffer(
    data: bytes, kind: _Type, shape: tuple[int, ...], order: Any, axes: Any = None
) -> StoredArray:
    """Stands in for numpy's private function of that name, which builds arrays in protocol 5."""
    made = StoredArray()
    made.array = _filled(data, kind.dtype, shape, "F" if order == "F" else "C")
    if axes is not None:
        made.array = made.array.transpose(axes)
    return made


def _latin1(text: str, encoding: str) -> bytes:
    """Stands in for `_codecs.encode`, which builds bytes in old protocols."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"its pickle asks for the codec {encoding!r}")
    return text.encode("latin1")


NUMPY_STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): "numpy.ndarray",  # named as the first argument of _reconstruct only
    ("numpy", "dtype"): _Type,
    ("numpy._core.multiarray", "_reconstruct"): StoredArray,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _frombuffer,
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _latin1,
}
