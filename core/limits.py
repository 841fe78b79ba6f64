"""What this process may use: cores, and memory, for readers that nothing else bounds.

And how glibc's `malloc` keeps that memory; other C libraries are left as they are.
"""

import ctypes
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8  # of glibc's malloc.h
_ARENAS = 2


@contextmanager
def memory_limited(size: int) -> Iterator[None]:
    """Let this process take no more than `size` bytes inside the block; more is a `MemoryError`.

    It is for programs whose own process this is: all threads share the limit. Systems that know no
    such limit go without.
    """
    before = resource.getrlimit(resource.RLIMIT_DATA)
    hard = before[1]
    resource.setrlimit(
        resource.RLIMIT_DATA, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard)
    )
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def usable_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_arenas() -> None:
    """Let all threads that begin from here on take their memory from two arenas.

    glibc gives each thread an arena of its own, up to eight a core, and what is freed in one serves
    no other. At 1080p the peak is a twentieth lower so, at the same speed. It has to be early: an
    arena that is there stays.
    """
    _adjust_malloc({_M_ARENA_MAX: _ARENAS})


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, for the next step of a training.

    glibc returns large blocks to the system, which then clears every page anew: a third of the time
    of steps whose activations fill megabytes.
    """
    # no block is a mapping of its own, which ends when it is freed
    _adjust_malloc({_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: 2**31 - 1})


def _adjust_malloc(options: dict[int, int]) -> None:
    """Set options of `malloc` where it is glibc's."""
    if sys.platform != "linux":
        return
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:
        for option, value in options.items():
            adjust(option, value)
