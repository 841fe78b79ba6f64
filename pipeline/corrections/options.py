"""The option of corrections: a file for those who run the program, its content in reports."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError, UsageError
from core.options import check_options, option
from pipeline.corrections.edits import Corrections, read_corrections


@dataclass(frozen=True)
class CorrectionOptions:
    """What was corrected by hand; the content counts, not the file, when results are compared.

    corrections: a file is read at once, and its content is the value.

    Raises:
        UsageError: The file cannot be read, or says no corrections.
    """

    corrections: Corrections | Path | None = option(
        None,
        "what you corrected by hand, of one video: points, sides, people, contacts",
        metavar="FILE",
        parse=Path,
    )

    def __post_init__(self) -> None:
        check_options(self)
        if isinstance(self.corrections, Path):
            try:
                content = read_corrections(self.corrections)
            except InputError as error:
                raise UsageError(str(error)) from error
            object.__setattr__(self, "corrections", content)

    @property
    def edits(self) -> Corrections:
        """What was corrected; empty where nothing was."""
        assert not isinstance(self.corrections, Path)  # once made
        return self.corrections or Corrections()

    def as_dict(self) -> dict[str, Any]:
        """The option by its name, as plain values."""
        return {"corrections": self.edits.as_dict() if self.edits else None}
