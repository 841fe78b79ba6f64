"""The backend of BlazePose with a second look by MoveNet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from detectors.blazepose.backend import HeavyBlazePoseBackend

if TYPE_CHECKING:
    from core.types import Picture
    from detectors.blazepose.models import Landmarks


@dataclass(frozen=True)
class MoveNetBackend(HeavyBlazePoseBackend):
    """BlazePose with its largest landmark model, its points averaged with MoveNet Thunder's."""

    name = "blazepose-movenet"
    about = "the same, averaged with MoveNet Thunder: the best points on a CPU, and the slowest"
    weights = (*HeavyBlazePoseBackend.weights, "movenet-graph", "movenet-constants")

    def look_again(
        self, files: Sequence[Path], num_threads: int
    ) -> "Callable[[Picture, Landmarks], Landmarks]":
        """MoveNet's look, of its two files."""
        from detectors.movenet.model import MoveNet
        from detectors.movenet.second_look import SecondLook

        graph, constants = files
        return SecondLook(MoveNet(graph, constants, num_threads))
