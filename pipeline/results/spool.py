"""What grows with a video lies on disk: rows in files that have no name and end with the run.

They are read and written, not mapped: mapped pages would count as the process's memory.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.types import Array

_CHUNK_ROWS = 2000  # of a column that are read at once


class Spool:
    """A list of rows of one type, in a nameless file."""

    def __init__(self, dtype: np.dtype[np.void], folder: Path | None = None) -> None:
        """Make an empty spool.

        Args:
            dtype: The structured type of its rows.
            folder: Where the file lies; None for where temporary files go.
        """
        self.dtype = dtype
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - `close` closes it
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def close(self) -> None:
        """Delete the rows and close the file."""
        self._file.close()

    def append(self, rows: Array) -> None:
        """Add rows (N,) at the end; `OSError` where the disk refuses."""
        self.write(self._length, rows)

    def write(self, start: int, rows: Array) -> None:
        """Write rows (N,) over those from index `start` on; `OSError` where the disk refuses."""
        self._file.seek(start * self.dtype.itemsize)
        self._file.write(rows.tobytes())
        self._length = max(self._length, start + len(rows))

    def read(self, start: int, stop: int) -> Array:
        """Rows `start` to `stop` - 1 as a new array (N,), as many of them as there are."""
        self._file.seek(start * self.dtype.itemsize)
        size = max(min(stop, self._length) - start, 0) * self.dtype.itemsize
        return np.frombuffer(bytearray(self._file.read(size)), self.dtype)

    def chunks(self, name: str) -> Iterator[Array]:
        """A field of all rows in order, some thousand at a time: arrays (n, …)."""
        for start in range(0, len(self), _CHUNK_ROWS):
            yield self.read(start, start + _CHUNK_ROWS)[name]

    def column(self, name: str) -> Array:
        """A field of all rows (N, …)."""
        dtype = self.dtype[name]
        return np.concatenate([np.zeros((0, *dtype.shape), dtype.base), *self.chunks(name)])
