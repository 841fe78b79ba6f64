"""What is known of one moment of a live run."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import CameraPoses, Frame
from pipeline.render.person import PersonInFrame


@dataclass(frozen=True)
class LiveBody:
    """One person now: as the pictures want them, and in camera space (one row).

    contacts: (4,) what is on the ground: left heel, left toe, right heel, right toe.
    """

    in_frame: PersonInFrame
    camera: CameraPoses
    contacts: NDArray[np.bool_]


@dataclass(frozen=True)
class Moment:
    """One frame and everyone in it; `arrived_s` is when it came, by `time.monotonic`."""

    frame: Frame
    arrived_s: float
    people: list[LiveBody]
