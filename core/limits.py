"""A limit on the memory of this process, for readers that nothing else bounds."""

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
