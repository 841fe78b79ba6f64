"""Lengths of bones: what a network lifts frame by frame does not quite keep them."""

import numpy as np

from core.skeletons import H36M_17
from core.types import Floats


def bone_spans(joints_m: Floats) -> Floats:
    """Measure each joint's distance from its parent, frame by frame.

    Args:
        joints_m: (T, 17, 3) metres.

    Returns:
        (T, 17) metres, by the lower joint of each bone; 0 for the pelvis, NaN for missing joints.
    """
    spans: Floats = np.zeros(joints_m.shape[:2])
    for parent, child in H36M_17.bones:
        spans[:, child] = np.linalg.norm(joints_m[:, child] - joints_m[:, parent], axis=-1)
    return spans


def bone_lengths(spans_m: Floats) -> Floats:
    """Estimate a person's bone lengths: medians over time, averaged over left and right.

    Args:
        spans_m: (T, 17) metres of `bone_spans`.

    Returns:
        (17,) metres; NaN if no frame has the joints.
    """
    if np.isnan(spans_m[:, 1:]).all():
        return np.full(len(H36M_17), np.nan)
    lengths = np.array([np.nanmedian(span) for span in spans_m.T])
    return np.asarray((lengths + lengths[H36M_17.flip_order]) / 2)


def rigid_bones(joints_m: Floats, lengths_m: Floats, share: float = 1.0) -> Floats:
    """Bring the bones of one person to given lengths; directions and the pelvis stay.

    Args:
        joints_m: (T, 17, 3) metres.
        lengths_m: (17,) metres, by the lower joint of each bone.
        share: How much of the way, from 0 for unchanged to 1 for rigid bones.

    Returns:
        (T, 17, 3) metres; NaN stays NaN.
    """
    rigid = joints_m.copy()
    for parent, child in H36M_17.bones:  # parents come before their children
        bone = joints_m[:, child] - joints_m[:, parent]
        length = np.maximum(np.linalg.norm(bone, axis=-1, keepdims=True), 1e-9)
        rigid[:, child] = rigid[:, parent] + bone * (1 + share * (lengths_m[child] / length - 1))
    return rigid


def half_rigid_bones(joints_m: Floats) -> Floats:
    """Bring the bones of one person (T, 17, 3) half way to their median lengths.

    Not the whole way: where a bone seems short, its direction is uncertain too, and the true joint
    lies between the lifted one and that of a rigid bone.
    """
    return rigid_bones(joints_m, bone_lengths(bone_spans(joints_m)), share=0.5)
