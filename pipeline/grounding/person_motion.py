"""One person's motion before one camera: what all estimates of this package are made from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import CameraPoses, Floats
from pipeline.grounding.contacts import ANKLES, Bools, foot_speeds


@dataclass(frozen=True)
class PersonMotion:
    """One person in T frames of one camera.

    poses of T frames, NaN where the person's position is unknown; frames (T,) of the video;
    feet_seen (T, 2) bool, left and right: a foot that is only guessed has no contacts.
    """

    poses: CameraPoses
    frames: NDArray[np.int64]
    feet_seen: Bools

    @property
    def is_known(self) -> Bools:
        """(T,): whether all joints and the root are known."""
        return np.asarray(np.isfinite(self.poses.root_m.sum(1) + self.poses.joints_m.sum((1, 2))))

    @property
    def known(self) -> "PersonMotion":
        """The rows in which the person's position is known."""
        rows, poses = self.is_known, self.poses
        known = CameraPoses(poses.joints_m[rows], poses.root_m[rows], poses.skeleton)
        return PersonMotion(known, self.frames[rows], self.feet_seen[rows])

    @property
    def ankles_m(self) -> Floats:
        """(T, 2, 3) metres in camera space."""
        return self.poses.root_m[:, None] + self.poses.joints_m[:, ANKLES]

    def foot_speeds(self, fps: float) -> Floats:
        """(T, 2) m/s across the line of sight; infinite where a foot is not seen."""
        return foot_speeds(self.ankles_m, self.feet_seen, fps)
