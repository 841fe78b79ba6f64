"""The backend of BlazePose with a second look by MoveNet in each frame."""

from dataclasses import dataclass
from typing import ClassVar

from detectors.blazepose.backend import MOVENET, BlazePoseBackend


@dataclass(frozen=True)
class MoveNetBackend(BlazePoseBackend):
    """BlazePose, and a second look at everyone in each frame."""

    name = "blazepose-movenet"
    about = "BlazePose with MoveNet Thunder's second look at everyone in each frame, not in some"
    weights: ClassVar[tuple[str, ...]] = (*BlazePoseBackend.weights, *MOVENET)
    look_every: ClassVar[int] = 1
