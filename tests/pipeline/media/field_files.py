"""Files as users have them, which lie beside the checkout where tests of this project are kept."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "field"


def field_file(name: str) -> Path:
    """The path of a file; the test is skipped where it is not there."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"no {path.name} in ../shared/data/field")
    return path
