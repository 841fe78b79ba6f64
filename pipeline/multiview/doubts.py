"""Set-ups from which cameras or joints cannot be had well: refused, or said."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from core.errors import InputError
from core.rotations import unit_vectors
from core.types import Floats
from pipeline.grounding.standing import Standing, in_words
from pipeline.multiview.scene import Camera

_SAME_DEG, _NEAR_DEG = 6.0, 15.0  # between two lines of sight: no depth, little depth
_OPPOSITE_DEG = 172.0
_STILL_M = 0.05  # median over joints of the spread of their positions over time
_POOR, _WRONG = 1.6, 2.0  # median distance of keypoints from images, in their usual errors


def check_angles(cameras: Sequence[Camera], people: Sequence[Floats]) -> list[str]:
    """What the angles between lines of sight to people allow.

    Args:
        cameras: The cameras.
        people: Joints (T, J, 3) metres of each, in shared axes.

    Returns:
        Doubts, a line each.

    Raises:
        InputError: Two cameras, no third one, look from nearly the same side.
    """
    middle = np.median(np.concatenate([joints.reshape(-1, 3) for joints in people]), axis=0)
    sights = unit_vectors(np.stack([middle - camera.position for camera in cameras]))
    doubts = []
    for a, b in combinations(range(len(cameras)), 2):
        angle = float(np.degrees(np.arccos(np.clip(sights[a] @ sights[b], -1, 1))))
        names = f"{cameras[a].name} and {cameras[b].name}"
        if angle < _SAME_DEG and len(cameras) == 2:
            raise InputError(
                f"{names} look from nearly the same side ({angle:.0f}°), which says nothing of "
                "depth; film from sides 40° to 140° apart"
            )
        if angle < _NEAR_DEG:
            doubts.append(f"{names} look from nearly the same side ({angle:.0f}°): depth is unsure")
        elif angle > _OPPOSITE_DEG and len(cameras) == 2:
            doubts.append(
                f"{names} look at each other ({angle:.0f}°): what is nearer to which is unsure"
            )
    return doubts


def check_motion(people: Sequence[Floats]) -> list[str]:
    """Whether people, (T, J, 3) metres each, move enough: one pose says little of cameras."""
    moved = [float(np.median(np.linalg.norm(joints.std(0), axis=-1))) for joints in people]
    if max(moved) < _STILL_M:
        return ["people hardly move: cameras found from one pose are unsure"]
    return []


def check_fit(cameras: Sequence[Camera], misfits: Floats) -> list[str]:
    """Whether views fit together.

    Args:
        cameras: The cameras.
        misfits: (V,) median distance of keypoints from the joints' images, in their usual errors.

    Returns:
        Doubts, a line each.

    Raises:
        InputError: A view fits the others nowhere.
    """
    doubts = []
    for camera, misfit in zip(cameras, misfits, strict=True):
        if misfit > _WRONG:
            raise InputError(
                f"{camera.name}: its people do not fit the other views; check that the camera "
                "stands still, that all show the same moment, and the calibration if one is given"
            )
        if misfit > _POOR:
            doubts.append(
                f"{camera.name}: its people fit the other views poorly; does the camera move?"
            )
    return doubts


def check_standing(name: str, standing: Standing) -> list[str]:
    """Whether a view's camera stands still.

    Args:
        name: The view's.
        standing: What its background says.

    Returns:
        Doubts, a line each.

    Raises:
        InputError: It does not, for most of the time.
    """
    away = in_words(standing.away_s)
    if not standing.is_standing:
        raise InputError(
            f"{name}: its camera moves ({', '.join(away[:3])}); views are worked out from cameras "
            "that stand still: film from a tripod, or lean the phone against something solid"
        )
    return [f"{name}: its camera moves from {each}: what it sees then is wrong" for each in away]
