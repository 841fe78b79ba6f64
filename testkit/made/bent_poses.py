"""Captured people made to crouch or to sit: hips and knees bent, the rest moves as it was captured.

World axes: z up, metres. Joints are those of `MOCAP_JOINTS`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from core.types import Floats
from train.wild.motion.mocap import MOCAP_JOINTS

_LEG = ("knee", "ankle", "heel", "toe")
_ARM = ("elbow", "wrist")


@dataclass(frozen=True)
class Bend:
    """By how many degrees a body is bent beyond what was captured.

    hips, knees: of the left and the right leg; lean: of what is above the hips, forwards. The feet
    keep their direction, and the arms hang as they did.
    """

    hips: tuple[float, float]
    knees: tuple[float, float]
    lean: float


CROUCHED = Bend((75.0, 110.0), (120.0, 125.0), 55.0)
"""As before a sprint: one foot before the other, the chest low."""
SEATED = Bend((85.0, 85.0), (85.0, 85.0), 5.0)


def bent(joints: Floats, bend: Bend) -> Floats:
    """Bend a captured performance.

    Args:
        joints: (T, 22, 3) of people on their feet.
        bend: By how much.

    Returns:
        (T, 22, 3) with the pelvis where it was: the feet are above the floor.
    """
    row = {name: index for index, name in enumerate(MOCAP_JOINTS)}
    across = joints[:, row["l_hip"]] - joints[:, row["r_hip"]]
    across[:, 2] = 0.0
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    moved = joints.copy()

    def turn(names: tuple[str, ...], about: str, degrees: float) -> None:
        """Turn joints about one of them, forwards and upwards where positive."""
        rotation = Rotation.from_rotvec(-np.radians(degrees) * across)
        centre = moved[:, row[about]]
        for name in names:
            moved[:, row[name]] = centre + rotation.apply(moved[:, row[name]] - centre)

    upper = tuple(name for name in MOCAP_JOINTS if not name.endswith(("hip", *_LEG)))
    turn(tuple(name for name in upper if name != "pelvis"), "pelvis", -bend.lean)
    for side, hip, knee in zip("lr", bend.hips, bend.knees, strict=True):
        leg = tuple(f"{side}_{name}" for name in _LEG)
        turn(leg, f"{side}_hip", hip)
        turn(leg[1:], f"{side}_knee", -knee)
        turn(leg[2:], f"{side}_ankle", knee - hip)
        turn(tuple(f"{side}_{name}" for name in _ARM), f"{side}_shoulder", bend.lean)
    return moved
