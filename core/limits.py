"""What this process may use: cores, and memory, for readers that nothing else bounds."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager


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
