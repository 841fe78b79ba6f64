"""The option of corrections: the file on the command line, its content in Python and reports."""

from dataclasses import dataclass
from typing import Any

from core.options import check_options, option
from pipeline.corrections.edits import Corrections, read_corrections


@dataclass(frozen=True)
class CorrectionOptions:
    """What was corrected by hand; the content counts, not the file, when results are compared."""

    corrections: Corrections | None = option(
        None,
        "what you corrected by hand, of one video: points, sides, people, contacts",
        metavar="FILE",
        parse=read_corrections,
    )

    def __post_init__(self) -> None:
        check_options(self)

    def as_dict(self) -> dict[str, Any]:
        """The option by its name, as plain values."""
        return {"corrections": self.corrections.as_dict() if self.corrections else None}
