"""Libraries that only some formats need."""

from importlib import import_module
from typing import Any

from core.errors import OutputError, how_to_install


def library(name: str) -> Any:
    """Import a library of the extra `export`.

    Raises:
        OutputError: It is not installed; the text says how it is.
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise OutputError(
            f"it needs {package}, which is not installed: {how_to_install('export')}"
        ) from error
