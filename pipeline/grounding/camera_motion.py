"""How a moving camera travels, read off the feet: whatever standing feet seem to do, the camera does.

Only level travel is told this way, and as if the camera did not turn: a camera that pans with a walker and one that
walks beside them see nearly the same. Tilting is left to what people stand on.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from core.types import CameraPoses, Floats
from pipeline.grounding.contacts import ANKLES, Bools

_SMOOTH_S = 0.15  # hands and gimbals do not move a camera faster
_LOWER_M = 0.04  # by how much a foot must be above the other to be held less likely to stand
_DISAGREE_M_S = 0.5  # feet that move so differently from the others do not stand
_PASSES = 4


@dataclass(frozen=True)
class Travel:
    """The way of a camera: gone_m (L, 3), in its own axes, since frame `first` of the video, one row a frame."""

    first: int
    gone_m: Floats

    def undone(self, person: CameraPoses, frames: NDArray[np.int64]) -> CameraPoses:
        """The person of `frames` (T,) as a camera would see them that stays where it was in the first frame."""
        at = np.clip(frames - self.first, 0, len(self.gone_m) - 1)
        return CameraPoses(person.joints_m, person.root_m + self.gone_m[at], person.skeleton)


def find_travel(
    people: Iterable[tuple[CameraPoses, NDArray[np.int64], Bools]], up: Floats, fps: float
) -> Travel:
    """How the camera of a video travels.

    Each person comes with their frames (T,) of the video and guessed (T, 2), feet that are not seen; up (3,) in camera
    axes.
    """
    level = np.eye(3) - np.outer(up, up)
    at, velocities, weights = [], [], []
    for person, own, hidden in people:
        if len(own) < 2:
            continue
        ankles = person.root_m[:, None] + person.joints_m[:, ANKLES]
        heights = ankles @ up
        lower = np.exp(-(heights - heights.min(1, keepdims=True)) / _LOWER_M)
        at.append(np.repeat(own, 2))
        velocities.append((np.gradient(ankles, own / fps, axis=0) @ level).reshape(-1, 3))
        weights.append(np.where(hidden, 1e-6, lower).ravel())
    if not at:
        return Travel(0, np.zeros((1, 3)))
    together = np.concatenate(at)
    first, length = int(together.min()), int(np.ptp(together)) + 1
    travel = _agreed(
        together - first, np.concatenate(velocities), np.concatenate(weights), length, fps
    )
    gone = np.cumsum(travel, axis=0) / fps
    return Travel(first, gone - gone[0])


def _agreed(
    at: NDArray[np.int64], velocities: Floats, weights: Floats, length: int, fps: float
) -> Floats:
    """(length, 3) m/s of the camera on which most feet, at frames `at` (M,), agree that they stand."""
    trust = weights
    travel = np.zeros((length, 3))
    for _ in range(_PASSES):
        total = np.zeros((length, 4))
        np.add.at(total, at, trust[:, None] * np.column_stack([velocities, np.ones(len(at))]))
        total = gaussian_filter1d(total, _SMOOTH_S * fps, axis=0, mode="constant", truncate=20.0)
        travel = -total[:, :3] / np.maximum(total[:, 3:], 1e-12)
        off = np.linalg.norm(velocities + travel[at], axis=-1) / _DISAGREE_M_S
        trust = weights / (1 + off**2) ** 2
    return travel
