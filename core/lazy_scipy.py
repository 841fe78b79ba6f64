"""SciPy's filters and solvers, loaded when first used: they take longer than all other libraries.

from core.lazy_scipy import linalg, ndimage
smoothed = ndimage.gaussian_filter1d(values, 2.0, axis=0)
"""

import importlib
import threading
from contextlib import suppress
from typing import Any


class _Later:
    """A module that is imported when something of it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


linalg: Any = _Later("scipy.linalg")
ndimage: Any = _Later("scipy.ndimage")


def load_meanwhile() -> None:
    """Load both in a thread, while this one has other work."""

    def load() -> None:
        with suppress(ImportError, MemoryError):  # who uses them will say so
            _ = linalg.solveh_banded, ndimage.correlate1d

    with suppress(RuntimeError, MemoryError):  # no room for a thread
        threading.Thread(target=load, name="scipy", daemon=True).start()
