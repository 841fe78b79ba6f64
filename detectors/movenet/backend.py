"""The backend of BlazePose with second looks by MoveNet."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from core.options import option
from detectors.blazepose.backend import BlazePoseBackend

if TYPE_CHECKING:
    from detectors.blazepose.turns import Look


@dataclass(frozen=True)
class MoveNetBackend(BlazePoseBackend):
    """BlazePose, whose points MoveNet Thunder moves where both agree."""

    name = "blazepose-movenet"
    about = "BlazePose with second looks by MoveNet Thunder, fetched on first use"
    weights: ClassVar[tuple[str, ...]] = (
        *BlazePoseBackend.weights, "movenet-graph", "movenet-constants",
    )  # fmt: skip

    look_every: int = option(
        1, "blazepose-movenet: frames from one second look at a person to the next"
        " (default: %(default)s)", metavar="N", at_least=1,
    )  # fmt: skip

    def second_looks(self, files: Sequence[Path], num_threads: int) -> "tuple[Look | None, int]":
        """MoveNet's, of its two files."""
        from detectors.movenet.second_look import second_look

        graph, constants = files
        return second_look(graph, constants, num_threads, self.look_every), self.look_every
