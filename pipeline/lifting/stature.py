"""How tall somebody is, and how tall they are said to be."""

import numpy as np

from core.skeletons import H36M_17
from core.types import CameraPoses, Floats

_ANKLE_SHARE = 0.039  # of stature that is below the ankle (Drillis and Contini, 1966)
_ADULT_M, _ADULT_SPREAD, _LIFTED_SPREAD = (
    1.68,
    0.06,
    0.10,
)  # and how far adults and lifted people are off, as a share
_TRUNK = H36M_17.indices(("pelvis", "spine", "thorax", "neck_base", "head_top"))
_LEGS = [H36M_17.indices((f"{side}_hip", f"{side}_knee", f"{side}_ankle")) for side in "lr"]


def stature_m(lengths_m: Floats) -> float:
    """How tall a person of `bone_lengths` (17,) would stand."""
    legs = np.mean([lengths_m[leg[1:]].sum() for leg in _LEGS])
    return float((legs + lengths_m[_TRUNK[1:]].sum()) / (1 - _ANKLE_SHARE))


def scaled(poses: CameraPoses, factor: float) -> CameraPoses:
    """The person grown or shrunk by `factor`, and moved away or nearer, so that the camera sees the same."""
    return CameraPoses(poses.joints_m * factor, poses.root_m * factor, poses.skeleton)


def likely_height_m(lifted_m: float) -> float:
    """How tall a person of stature `lifted_m` probably is: as lifted, weighed with what adults are.

    A lifter cannot tell a child from an adult farther away, and shortens bones whose direction it is unsure of.
    """
    said = 1 / _LIFTED_SPREAD**2
    share = said / (said + 1 / _ADULT_SPREAD**2)
    return float(_ADULT_M * (lifted_m / _ADULT_M) ** share)
