"""`poses.npz`: the rows of a result as plain arrays, and `metadata_json`, which says what they are.

One row per person and frame, by frame, then track; readable with `allow_pickle=False`. Written and
read a field at a time, in constant memory.
"""

import json
import math
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import numpy as np

from core.errors import InputError, one_line
from core.files import open_input
from core.skeletons import BY_NAME, COCO_21, Skeleton
from core.types import Array
from pipeline.results.rows import COLUMNS, pose_row
from pipeline.results.spool import Spool

POSES, POSES_FORMAT = "poses.npz", "npz"
"""The file, and what `--export` calls its format."""
TRACKS = "tracks.npz"
"""What pass 1 found, from which people are lifted again: `pipeline.tracks_file`."""
FORMAT_VERSION = 2
_CHUNK_ROWS = 2000
_SINCE_VERSION_2 = frozenset({"joint_sigma_m", "contacts"})
DAMAGED = (
    OSError, KeyError, ValueError, EOFError, MemoryError, NotImplementedError, RuntimeError,
    BadZipFile, zlib.error,
)  # fmt: skip
"""What Python raises at a damaged archive."""


class PoseTable(Protocol):
    """The R rows of a result, a column at a time; the fields of `pose_row` are its columns."""

    keypoints: Skeleton
    joints: Skeleton

    def __len__(self) -> int: ...

    def chunks(self, name: str) -> Iterator[Array]:
        """A column's rows in order, some thousand at a time: arrays (n, …)."""

    def column(self, name: str) -> Array:
        """A whole column (R, …)."""


class SpoolTable:
    """A `PoseTable` of rows on disk that have at least the fields of `pose_row`.

    Args:
        rows: The rows; their keypoints are COCO-21.
        joints: The skeleton of their joints.
    """

    keypoints = COCO_21

    def __init__(self, rows: Spool, joints: Skeleton) -> None:
        self._rows, self.joints = rows, joints

    def __len__(self) -> int:
        return len(self._rows)

    def chunks(self, name: str) -> Iterator[Array]:
        """See `PoseTable`."""
        return self._rows.chunks(name)

    def column(self, name: str) -> Array:
        """See `PoseTable`."""
        return self._rows.column(name)


class ArchiveTable:
    """A `PoseTable` read from `poses.npz`, each column when it is asked for.

    Format version 1 says neither how sure joints are nor when feet are on the ground: they are NaN
    and False there.
    """

    def __init__(self, path: Path) -> None:
        """Open an archive.

        Raises:
            InputError: It cannot be read, or is no `poses.npz`.
        """
        self._path = path
        try:
            metadata = json.loads(str(self._read("metadata_json")))
            self._version = int(metadata["format_version"])
            self.keypoints = _skeleton(metadata["skeletons"]["keypoints"])
            self.joints = _skeleton(metadata["skeletons"]["joints"])
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise InputError(f"{path}: its metadata cannot be read ({one_line(error)})") from error

    def __len__(self) -> int:
        return len(self._read("frame_index"))

    def chunks(self, name: str) -> Iterator[Array]:
        """See `PoseTable`."""
        if self._version < 2 and name in _SINCE_VERSION_2:
            values = self.column(name)
            for start in range(0, len(values), _CHUNK_ROWS):
                yield values[start : start + _CHUNK_ROWS]
            return
        try:
            with ZipFile(self._path) as archive, archive.open(f"{name}.npy") as file:
                yield from array_chunks(file)
        except DAMAGED as error:
            raise self._damaged(error) from error

    def column(self, name: str) -> Array:
        """See `PoseTable`."""
        if self._version < 2 and name == "joint_sigma_m":
            return np.full((len(self), len(self.joints)), np.nan, np.float32)
        if self._version < 2 and name == "contacts":
            return np.zeros((len(self), 4), bool)
        return self._read(name)

    def _read(self, name: str) -> Array:
        try:
            with (
                open_input(self._path) as opened,
                ZipFile(opened) as archive,
                archive.open(f"{name}.npy") as file,
            ):
                return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
        except DAMAGED as error:
            raise self._damaged(error) from error

    def _damaged(self, error: BaseException) -> InputError:
        return InputError(f"{self._path}: not a result's {POSES} ({one_line(error)})")


def array_chunks(file: IO[bytes]) -> Iterator[Array]:
    """The rows of an array in numpy's format, some thousand at a time."""
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    row_bytes = dtype.itemsize * math.prod(shape[1:])
    for start in range(0, shape[0], _CHUNK_ROWS):
        count = min(_CHUNK_ROWS, shape[0] - start)
        content = bytearray(file.read(count * row_bytes))
        yield np.frombuffer(content, dtype).reshape(count, *shape[1:])


def write_poses(path: Path, table: PoseTable, metadata: dict[str, Any]) -> None:
    """Write a table as `numpy.savez_compressed` would, a chunk at a time.

    Args:
        path: The file; the caller renames it when whole.
        table: R rows.
        metadata: Plain values that `metadata_json` says beside the format's version and skeletons.

    Raises:
        OSError: The disk refuses.
    """
    keypoints, joints = table.keypoints, table.joints
    skeletons = {
        "keypoints": {"name": keypoints.name, "joints": keypoints.joints},
        "joints": {"name": joints.name, "joints": joints.joints, "parents": joints.parents},
    }
    described = {"format_version": FORMAT_VERSION, "skeletons": skeletons, **metadata}
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name in COLUMNS:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                dtype = pose_row(keypoints, joints)[name]
                write_chunks(file, dtype, len(table), table.chunks(name))
        with archive.open("metadata_json.npy", "w") as file:
            np.lib.format.write_array(file, np.array(json.dumps(described)), allow_pickle=False)


def write_chunks(
    file: IO[bytes], dtype: np.dtype[Any], count: int, chunks: Iterable[Array]
) -> None:
    """Write an array in numpy's format, some rows at a time.

    Args:
        file: Where to.
        dtype: Of a row; its shape is that of the array but the first axis.
        count: How many rows there are.
        chunks: Their values, as they are to be written.
    """
    header = {"descr": dtype.base.str, "fortran_order": False, "shape": (count, *dtype.shape)}
    np.lib.format.write_array_header_1_0(file, header)
    for rows in chunks:
        file.write(rows.tobytes())


def _skeleton(described: dict[str, Any]) -> Skeleton:
    """The skeleton that metadata names; the parents of keypoints are not stored."""
    known = BY_NAME.get(described["name"])
    if known is not None and known.joints == tuple(described["joints"]):
        return known
    raise ValueError(f"skeleton {described['name']} is not known to this version")
