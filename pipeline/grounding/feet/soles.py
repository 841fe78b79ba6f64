"""By which joints feet touch the ground, and how fast those move."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.rotations import unit_vectors
from core.skeletons import FOOT_KEYPOINTS, H36M_17, H36M_21, Skeleton
from core.types import Floats

Bools = NDArray[np.bool_]

ANKLES = H36M_17.indices(("l_ankle", "r_ankle"))
"""Joints of the feet; axes of length 2 are left, right everywhere in this package."""

ANKLE_HEIGHT_M = 0.08
"""How far an ankle is above the sole of a flat foot."""


@dataclass(frozen=True)
class Soles:
    """The joints by which feet touch the ground, P of them, and how they do.

    joints (P,) those of the left foot, then as many of the right one; height_m of such a joint
    above the ground in contact. A contact begins where a low joint is slower than enter_m_s in one
    frame and lasts as far, both ways, as it is slower than leave_m_s; a joint more than low_m above
    the lowest one nearby in time is in the air. Where the body travels, the limits are as much
    higher as makes the second one travel_share of the body's speed.
    """

    joints: list[int]
    height_m: float
    enter_m_s: float
    leave_m_s: float
    low_m: float
    travel_share: float

    def feet(self, of_feet: Bools) -> Bools:
        """(…, P) of (…, 2): what is true of a foot is true of its joints."""
        return np.repeat(of_feet, len(self.joints) // 2, axis=-1)

    def four(self, of_joints: Bools) -> Bools:
        """(…, 4) left heel, left toe, right heel, right toe, of (…, P)."""
        return np.repeat(of_joints, 4 // len(self.joints), axis=-1)

    @property
    def four_joints(self) -> list[int]:
        """The joints that stand for left heel, left toe, right heel, right toe."""
        return np.repeat(self.joints, 4 // len(self.joints)).tolist()

    def of_four(self, heels_and_toes: Bools) -> Bools:
        """(T, P) of (T, 4): what is true of a heel or toe is true of the ankle in its place."""
        of_joints = heels_and_toes.reshape(len(heels_and_toes), len(self.joints), -1)
        return np.asarray(of_joints.any(-1))


_ANKLE_SOLES = Soles(ANKLES, ANKLE_HEIGHT_M, 0.35, 0.6, 0.15, 0.0)
HEELS_AND_TOES = Soles(
    H36M_21.indices(("l_heel", "l_toe", "r_heel", "r_toe")), 0.0, 0.5, 0.6, 0.13, 0.75
)

_FASTEST_M_S = 1.5  # `leave_m_s` of the fastest body
_DEPTH_SHARE = 0.35  # share of the speed along the line of sight that counts: depth is noisier


def soles(skeleton: Skeleton) -> Soles:
    """The joints by which a skeleton's feet touch the ground: heels and toes, else ankles."""
    return HEELS_AND_TOES if "l_heel" in skeleton.joints else _ANKLE_SOLES


def seen_feet(keypoint_scores: Floats) -> Bools:
    """Tell which feet a detector saw.

    Args:
        keypoint_scores: (…, K) scores of keypoints, COCO-17's first; 0 where one was filled in.

    Returns:
        (…, 2) bool, left and right.
    """
    return np.asarray(keypoint_scores[..., FOOT_KEYPOINTS] > 0)


def foot_speeds(points_m: Floats, root_m: Floats, seen: Bools, fps: float, soles: Soles) -> Floats:
    """Compute the speeds of joints of the feet, for the limits of a body that stands.

    With a joint's velocity v and line of sight s (unit), its speed is |v - (1 - k) (v·s) s|, where
    k is the share of the speed in depth that counts. A foot that pushes off turns about the tip of
    its toes, faster where the body travels faster: the toe has left when it is as fast as the body
    (Zeni et al., Gait & Posture 27, 2008, who read toe-off from where it is farthest behind). So
    speeds are divided by what limits are raised by, see `Soles`.

    Args:
        points_m: (T, P, 3) metres in camera space.
        root_m: (T, 3) the pelvis, likewise.
        seen: (T, P) bool.
        fps: Frames a second.
        soles: What the joints are.

    Returns:
        (T, P) m/s; infinite where a joint is not seen, so that it has no contact there.
    """
    points_m = np.concatenate([points_m, root_m[:, None]], axis=1)
    velocity = np.gradient(points_m, axis=0) * fps if len(points_m) > 1 else 0.0 * points_m
    return np.where(seen, relative_speeds(velocity, points_m, soles), np.inf)


def relative_speeds(
    velocity: Floats, points_m: Floats, soles: Soles, tolerance: float = 1.0
) -> Floats:
    """(…, P) speeds of soles for limits of a body that stands; inputs (…, P + 1, 3), root last."""
    speeds = _apparent_speeds(velocity, points_m)
    travel = np.minimum(soles.travel_share * speeds[..., -1:], _FASTEST_M_S)
    return np.asarray(speeds[..., :-1] / np.maximum(travel / soles.leave_m_s, tolerance))


def _apparent_speeds(velocity: Floats, points_m: Floats) -> Floats:
    """|v - (1 - k) (v·s) s| of velocities v (…, 3) m/s at points (…, 3) in camera space."""
    sight = unit_vectors(points_m)
    along = (velocity * sight).sum(-1, keepdims=True) * sight  # (v·s) s
    return np.asarray(np.linalg.norm(velocity - (1 - _DEPTH_SHARE) * along, axis=-1))
