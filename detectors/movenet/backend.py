"""The backend of BlazePose with a second look by MoveNet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from detectors.blazepose.backend import BlazePoseBackend

if TYPE_CHECKING:
    from core.types import Picture
    from detectors.blazepose.models import Landmarks


@dataclass(frozen=True)
class MoveNetBackend(BlazePoseBackend):
    """BlazePose, and MoveNet Thunder's points where both agree."""

    name = "blazepose-movenet"
    about = "BlazePose with a second look by MoveNet Thunder, fetched on first use"
    weights = (*BlazePoseBackend.weights, "movenet-graph", "movenet-constants")

    def look_again(
        self, files: Sequence[Path], num_threads: int
    ) -> "Callable[[Picture, Landmarks], Landmarks]":
        """MoveNet's look, of its two files."""
        from detectors.movenet.model import MoveNet
        from detectors.movenet.second_look import SecondLook

        graph, constants = files
        return SecondLook(MoveNet(graph, constants, num_threads))
