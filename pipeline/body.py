"""A body's measures: bones that keep their length, how tall somebody is, and how tall they are said to be."""

import numpy as np

from core.skeletons import H36M_17
from core.types import CameraPoses, Floats

_ANKLE_SHARE = 0.039  # of stature that is below the ankle (Drillis and Contini, 1966)
_ADULT_M, _ADULT_SPREAD, _LIFTED_SPREAD = 1.68, 0.06, 0.10  # and how far adults and lifted people are off, as a share
_TRUNK = H36M_17.indices(("pelvis", "spine", "thorax", "neck_base", "head_top"))
_LEGS = [H36M_17.indices((f"{side}_hip", f"{side}_knee", f"{side}_ankle")) for side in "lr"]


def bone_spans(joints_m: Floats) -> Floats:
    """(T, 17) metres from each joint of (T, 17, 3) to its parent, frame by frame; 0 for the pelvis."""
    spans: Floats = np.zeros(joints_m.shape[:2])
    for parent, child in H36M_17.bones:
        spans[:, child] = np.linalg.norm(joints_m[:, child] - joints_m[:, parent], axis=-1)
    return spans


def bone_lengths(spans_m: Floats) -> Floats:
    """(17,) metres: medians over `bone_spans` (T, 17), left and right alike; NaN if the person is never seen."""
    if np.isnan(spans_m[:, 1:]).all():
        return np.full(len(H36M_17), np.nan)
    lengths = np.array([np.nanmedian(span) for span in spans_m.T])
    return np.asarray((lengths + lengths[H36M_17.flip_order]) / 2)


def rigid_bones(joints_m: Floats, lengths_m: Floats) -> Floats:
    """Joints (T, 17, 3) of one person with each bone as long in every frame as `bone_lengths` (17,) says.

    Every bone keeps its direction and the pelvis its place; NaN stays NaN.
    """
    rigid = joints_m.copy()
    for parent, child in H36M_17.bones:  # parents come before their children
        bone = joints_m[:, child] - joints_m[:, parent]
        length = np.maximum(np.linalg.norm(bone, axis=-1, keepdims=True), 1e-9)
        rigid[:, child] = rigid[:, parent] + bone / length * lengths_m[child]
    return rigid


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
