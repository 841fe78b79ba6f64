"""Lengths of bones: what a network lifts frame by frame does not quite keep them."""

import numpy as np

from core.skeletons import H36M_17, Skeleton
from core.types import Floats, check_shape


def bone_spans(joints_m: Floats, skeleton: Skeleton = H36M_17) -> Floats:
    """Measure each joint's distance from its parent, frame by frame.

    Args:
        joints_m: (T, J, 3) metres.
        skeleton: Theirs.

    Returns:
        (T, J) metres, by the lower joint of each bone; 0 for the pelvis, NaN for missing joints.
    """
    check_shape("joints_m", joints_m, (None, len(skeleton), 3))
    parents, children = np.array(skeleton.bones).T
    spans: Floats = np.zeros(joints_m.shape[:2])
    spans[:, children] = np.linalg.norm(joints_m[:, children] - joints_m[:, parents], axis=-1)
    return spans


def bone_lengths(spans_m: Floats, skeleton: Skeleton = H36M_17) -> Floats:
    """Estimate a person's bone lengths: medians over time, averaged over left and right.

    Args:
        spans_m: (T, J) metres of `bone_spans`.
        skeleton: The joints'.

    Returns:
        (J,) metres; NaN if no frame has the joints.
    """
    check_shape("spans_m", spans_m, (None, len(skeleton)))
    missing = np.isnan(spans_m[:, 1:])
    if missing.all():
        return np.full(len(skeleton), np.nan)
    if missing.any():
        lengths = np.array([np.nanmedian(span) for span in spans_m.T])
    else:
        lengths = np.median(spans_m, axis=0)
    return np.asarray((lengths + lengths[skeleton.flip_order]) / 2)


def rigid_bones(
    joints_m: Floats, lengths_m: Floats, share: float = 1.0, skeleton: Skeleton = H36M_17
) -> Floats:
    """Bring the bones of one person to given lengths; directions and the pelvis stay.

    Args:
        joints_m: (T, J, 3) metres.
        lengths_m: (J,) metres, by the lower joint of each bone.
        share: How much of the way, from 0 for unchanged to 1 for rigid bones.
        skeleton: The joints'.

    Returns:
        (T, J, 3) metres; NaN stays NaN.
    """
    check_shape("joints_m", joints_m, (None, len(skeleton), 3))
    parents, children = np.array(skeleton.bones).T
    bones = joints_m[:, children] - joints_m[:, parents]
    spans = np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)
    bones *= 1 + share * (lengths_m[children, None] / spans - 1)
    rigid = joints_m.copy()
    for i, (parent, child) in enumerate(skeleton.bones):  # parents come before their children
        rigid[:, child] = rigid[:, parent] + bones[:, i]
    return rigid


def half_rigid_bones(joints_m: Floats, skeleton: Skeleton = H36M_17) -> Floats:
    """Bring the bones of one person (T, J, 3) half way to their median lengths.

    Not the whole way: where a bone seems short, its direction is uncertain too, and the true joint
    lies between the lifted one and that of a rigid bone.
    """
    lengths = bone_lengths(bone_spans(joints_m, skeleton), skeleton)
    return rigid_bones(joints_m, lengths, 0.5, skeleton)
