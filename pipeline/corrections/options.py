"""The option of corrections: the file on the command line, its content in Python and reports."""

from dataclasses import dataclass
from typing import Any

from core.errors import InputError, UsageError
from core.options import check_options, option
from pipeline.corrections.edits import Corrections, read_corrections


def _read(text: str) -> Corrections:
    """The value of `--corrections` from its text."""
    try:
        return read_corrections(text)
    except InputError as error:
        raise UsageError(str(error)) from error


@dataclass(frozen=True)
class CorrectionOptions:
    """What was corrected by hand; the content counts, not the file, when results are compared."""

    corrections: Corrections | None = option(
        None,
        "what you corrected by hand, of one video: points, sides, people, contacts",
        metavar="FILE",
        parse=_read,
    )

    def __post_init__(self) -> None:
        check_options(self)

    def as_dict(self) -> dict[str, Any]:
        """The option by its name, as plain values."""
        return {"corrections": self.corrections.as_dict() if self.corrections else None}
