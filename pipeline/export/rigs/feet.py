"""Feet on the ground stay where they are, in spite of bones whose lengths do not change."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from core.kinematics import BONES, RestPose, rigid_joints
from core.rotations import bend_two_bones, shortest_arcs, unit_vectors
from core.skeletons import Skeleton
from core.types import Floats

_FEET = ("l_heel", "l_toe", "r_heel", "r_toe")
_ANKLES = ("l_ankle", "l_ankle", "r_ankle", "r_ankle")
_SIGMA_S = 0.04
_PRIOR = 0.02  # weight of "not moved", as a share of a contact's
_NO_BEND_M = 1e-4
_STRAIGHTEST = 0.9999  # of a leg's length, to which it is stretched


def plant_feet(
    rotations: Floats,
    joints_m: Floats,
    contacts: NDArray[np.bool_],
    rest: RestPose,
    skeleton: Skeleton,
    fps: float,
) -> tuple[Floats, Floats]:
    """Move a person so that their feet are where they were while in contact with the ground.

    First the whole person by the mean error e of the points in contact, then each leg by what
    remains of its own, its knee staying in its plane. With w = 1 in contact, else 0, and G a
    Gaussian in time, the way is G(w e) / (G(w) + ε): before and after a contact it fades.

    Args:
        rotations: (T, B, 3, 3) of `core.kinematics.BONES`.
        joints_m: (T, J, 3) metres, y up.
        contacts: (T, 4) left heel, left toe, right heel, right toe.
        rest: The person's rest pose.
        skeleton: Of the joints; one without feet has its ankles in contact.
        fps: Frames per second.

    Returns:
        Rotations (T, B, 3, 3) and the pelvis (T, 3).
    """
    has_feet = "l_heel" in skeleton.joints
    points = skeleton.indices(_FEET if has_feet else _ANKLES)
    root = joints_m[:, 0]
    rigid = rigid_joints(rotations, root, rest, skeleton)[:, points]
    error = np.where(contacts[..., None], joints_m[:, points] - rigid, 0.0)
    whole = _held(error, contacts, fps)
    error = np.where(contacts[..., None], error - whole[:, None], 0.0)
    turned = rotations.copy()
    for side, own in (("l", slice(0, 2)), ("r", slice(2, 4))):
        thigh, shin, foot, toes = (
            BONES.index(f"{side}_{bone}") for bone in ("thigh", "shin", "foot", "toes")
        )
        way = _held(error[:, own], contacts[:, own], fps)
        knee, ankle = rest.offsets_m[shin], rest.offsets_m[foot]
        turned[:, [thigh, shin]] = _reach(turned[:, thigh], turned[:, shin], knee, ankle, way)
        if not has_feet:
            turned[:, [foot, toes]] = turned[:, [shin]]
    return turned, root + whole


def _held(error: Floats, contacts: NDArray[np.bool_], fps: float) -> Floats:
    """The way (T, 3) that makes up for the errors (T, P, 3) of points in contact (T, P)."""
    count = contacts.sum(1)[:, None]
    mean = error.sum(1) / np.maximum(count, 1)
    sigma = max(_SIGMA_S * fps, 0.1)
    both = np.concatenate([mean, np.minimum(count, 1)], 1)
    both = gaussian_filter1d(both, sigma, axis=0, mode="constant", truncate=3)
    return np.asarray(both[:, :3] / (both[:, 3:] + _PRIOR))


def _reach(thigh: Floats, shin: Floats, knee_m: Floats, ankle_m: Floats, way_m: Floats) -> Floats:
    """Two-bone inverse kinematics: rotations (T, 2, 3, 3) that move the ankle by a way.

    Args:
        thigh: (T, 3, 3).
        shin: (T, 3, 3).
        knee_m: (3,) from the hip, at rest.
        ankle_m: (3,) from the knee, at rest.
        way_m: (T, 3).
    """
    upper, lower = thigh @ knee_m, shin @ ankle_m
    a, b = float(np.linalg.norm(knee_m)), float(np.linalg.norm(ankle_m))
    leg = upper + lower + way_m
    # The knee's side of the line from hip to ankle; of a straight leg, the front
    bend = np.linalg.norm(np.cross(upper, unit_vectors(leg)), axis=1, keepdims=True)
    side = np.where(bend > _NO_BEND_M, upper, thigh[..., 2])
    new_upper, end = bend_two_bones(a, b, leg, (a + b) * _STRAIGHTEST, side)
    new_lower = end - new_upper
    arcs = shortest_arcs(upper / a, new_upper / a), shortest_arcs(lower / b, new_lower / b)
    return np.stack([arcs[0] @ thigh, arcs[1] @ shin], 1)
