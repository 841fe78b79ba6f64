"""Files that appear under their names whole or not at all."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Write a file beside its name, and rename it when the block ends well.

    Args:
        path: The file's final path; its folder must exist.

    Yields:
        A path in the same folder, hidden, with the same ending, that nothing else writes to. What
        lies at `path` stays as it was until the rename; after an exception the new file is gone.

    Raises:
        OSError: The system refuses to write or to rename.
    """
    partial = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
