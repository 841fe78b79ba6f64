"""How many threads the libraries that compute may use in this process."""

import ctypes
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

_OPENBLAS = ("scipy_openblas_set_num_threads64_", "openblas_set_num_threads64_")
"""What the function is called in NumPy's wheels, newer and older ones."""


def limit_threads(count: int) -> None:
    """Let OpenCV and NumPy use `count` threads each, for the rest of the process.

    LiteRT's threads are an option of its detector; torch follows the variable OMP_NUM_THREADS,
    which a worker is started with.
    """
    cv2.setNumThreads(count)
    limit_numpy(count)


def limit_numpy(count: int) -> None:
    """Let NumPy's matrix products use `count` threads; nothing is done where it has no OpenBLAS.

    Between products OpenBLAS's threads wait by spinning, and take a core from others meanwhile.
    """
    for path in Path(np.__file__).parents[1].glob("numpy.libs/*openblas*"):
        library = ctypes.CDLL(str(path))
        for name in _OPENBLAS:
            with suppress(AttributeError):
                getattr(library, name)(count)
