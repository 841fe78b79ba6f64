"""A body's bones keep their lengths; what is lifted frame by frame does not quite."""

import numpy as np

from core.skeletons import H36M_17
from core.types import Floats


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


def rigid_bones(joints_m: Floats, lengths_m: Floats, share: float = 1.0) -> Floats:
    """Joints (T, 17, 3) of one person, each bone brought to the length (17,) of its lower joint, by `share` of the way.

    Every bone keeps its direction and the pelvis its place; NaN stays NaN.
    """
    rigid = joints_m.copy()
    for parent, child in H36M_17.bones:  # parents come before their children
        bone = joints_m[:, child] - joints_m[:, parent]
        length = np.maximum(np.linalg.norm(bone, axis=-1, keepdims=True), 1e-9)
        rigid[:, child] = rigid[:, parent] + bone * (1 + share * (lengths_m[child] / length - 1))
    return rigid


def even_bones(joints_m: Floats) -> Floats:
    """Joints (T, 17, 3) of one person with bones half way to their median length, left and right alike.

    Not the whole way: where a bone seems short, its direction is in doubt too, and the true joint lies between.
    """
    return rigid_bones(joints_m, bone_lengths(bone_spans(joints_m)), share=0.5)
