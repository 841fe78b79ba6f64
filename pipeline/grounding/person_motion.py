"""One person's motion before one camera: what all estimates of this package are made from."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.types import CameraPoses, Floats
from pipeline.grounding.feet.soles import Bools, Soles, foot_speeds, soles


@dataclass(frozen=True)
class PersonMotion:
    """One person in T frames of one camera.

    poses of T frames, NaN where the person's position is unknown; frames (T,) of the video;
    feet_seen (T, 2) bool, left and right: a foot that is only guessed has no contacts. marked
    (T, 4) int8: contacts that are known beforehand, left heel, left toe, right heel, right toe: 1
    on, -1 off the ground, 0 not known; None for none.
    """

    poses: CameraPoses
    frames: NDArray[np.int64]
    feet_seen: Bools
    marked: NDArray[np.int8] | None = None

    @property
    def is_known(self) -> Bools:
        """(T,): whether all joints and the root are known."""
        return np.asarray(np.isfinite(self.poses.root_m.sum(1) + self.poses.joints_m.sum((1, 2))))

    @property
    def known(self) -> "PersonMotion":
        """The rows in which the person's position is known."""
        rows, poses = self.is_known, self.poses
        known = replace(
            poses,
            joints_m=poses.joints_m[rows],
            root_m=poses.root_m[rows],
            sigma_m=poses.sigma_m[rows],
        )
        marked = None if self.marked is None else self.marked[rows]
        return PersonMotion(known, self.frames[rows], self.feet_seen[rows], marked)

    @property
    def soles(self) -> Soles:
        """By which joints the feet touch the ground."""
        return soles(self.poses.skeleton)

    @property
    def soles_m(self) -> Floats:
        """(T, P, 3) where these joints are, metres in camera space."""
        return self.poses.root_m[:, None] + self.poses.joints_m[:, self.soles.joints]

    @property
    def soles_seen(self) -> Bools:
        """(T, P) whether the feet of these joints are seen."""
        return self.soles.feet(self.feet_seen)

    def foot_speeds(self, fps: float) -> Floats:
        """(T, P) m/s as limits of contacts take them; infinite where a foot is not seen."""
        return foot_speeds(self.soles_m, self.poses.root_m, self.soles_seen, fps, self.soles)
