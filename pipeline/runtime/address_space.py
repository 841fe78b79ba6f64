"""Whether `ulimit -v` leaves room for the networks' libraries.

Where it does not, loading them ends the process, without an exception and without a word.
"""

import resource
from pathlib import Path

_LIBRARIES_BYTES = 900 << 20
"""What a clip of a few frames needs besides. The libraries and networks are a third of it; the rest
is what the C library sets aside for each thread."""


def check_address_space() -> None:
    """Check, before the networks' libraries are loaded, that they can be.

    Raises:
        MemoryError: The limit on this process' address space is too near.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    used = pages * resource.getpagesize()
    if limit - used < _LIBRARIES_BYTES:
        raise MemoryError(
            f"of the {limit >> 20} MiB that `ulimit -v` allows, {used >> 20} are taken and the"
            f" networks need {_LIBRARIES_BYTES >> 20} more"
        )
