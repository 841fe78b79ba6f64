"""COCO's keypoints as a network wants them: in its own skeleton, none missing."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_17, COCO_21, H36M_17, Skeleton
from core.types import Floats, LifterInput, joints_of

CONVERTIBLE = (COCO_17, H36M_17)
"""The skeletons of networks' keypoints that can be made of COCO-17."""

_TRUNK = {
    "spine": (0.45, 0.03, -0.16),
    "thorax": (0.07, 0.38, -0.05),
    "neck_base": (0.03, 0.90, -0.17),
    "head_top": (-0.05, 1.34, 0.04),
}
"""(a, b, c) of Human3.6M's trunk and head: s + a (p - s) + b (e - s) + c (n - s) with the middles s
of the shoulders, p of the hips and e of the ears, and the nose n. Least squares over 61 clips of
the CMU motion capture with the COCO points of `train.wild.synthesis.keypoints`; leaves 21 to
28 mm."""
_OF_TRUNK = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
_TRUNK_WITHOUT_FACE = {"spine": 0.49, "thorax": -0.06, "neck_base": -0.25, "head_top": -0.55}
"""a, where no part of the face is known; leaves 36 to 129 mm."""


def network_keypoints(sequence: LifterInput, skeleton: Skeleton) -> Floats:
    """Give a network that takes no confidence the keypoints that it was trained on.

    Args:
        sequence: T frames, of `skeleton`, COCO-17 or COCO-21.
        skeleton: What the network takes.

    Returns:
        (T, K, 2) px of `skeleton`, without NaN.

    Raises:
        ValueError: The one cannot be made of the other.
    """
    if skeleton == H36M_17 and sequence.skeleton != H36M_17:
        return fill_unseen(h36m_from_coco(with_keypoints_of(sequence, COCO_17).keypoints), skeleton)
    return fill_unseen(with_keypoints_of(sequence, skeleton).keypoints, skeleton)


def with_keypoints_of(sequence: LifterInput, skeleton: Skeleton) -> LifterInput:
    """Leave the keypoints of feet out, or add them as never seen.

    Args:
        sequence: T frames of COCO-17 or COCO-21, or of `skeleton`.
        skeleton: Which of the two is wanted.

    Raises:
        ValueError: The one cannot be made of the other.
    """
    if sequence.skeleton == skeleton:
        return sequence
    if {sequence.skeleton, skeleton} != {COCO_17, COCO_21}:
        raise ValueError(f"expected {skeleton.name} keypoints, got {sequence.skeleton.name}")

    def selected(values: Floats, missing: float) -> Floats:
        return joints_of(skeleton, values.astype(np.float64), sequence.skeleton, missing)

    return replace(
        sequence,
        keypoints=selected(sequence.keypoints, np.nan),
        scores=selected(sequence.scores, 0.0),
        keypoints_3d=selected(sequence.keypoints_3d, np.nan),
        skeleton=skeleton,
    )


def h36m_from_coco(keypoints: Floats) -> Floats:
    """Make Human3.6M's 17 keypoints of COCO's.

    Limbs are the same joints, the pelvis is the middle of the hips. Trunk and head are linear in
    shoulders, hips, ears and nose (`_TRUNK`), in the picture as they are in space.

    Args:
        keypoints: (T, 17, 2) px, COCO-17, NaN = never seen.

    Returns:
        (T, 17, 2) px, H36M-17, NaN where a joint's limb or torso was never seen.
    """
    points = {name: keypoints[:, index] for index, name in enumerate(COCO_17.joints)}
    middles = {
        joint: (points[f"left_{joint}"] + points[f"right_{joint}"]) / 2
        for joint in ("shoulder", "hip", "eye")
    }
    shoulders, hips = middles["shoulder"], middles["hip"]
    ears = _mean_of_known(np.stack([points["left_ear"], points["right_ear"]]))
    nose = np.where(np.isnan(points["nose"]), middles["eye"], points["nose"])
    # Of ears and nose, each stands in for the other.
    ears, nose = np.where(np.isnan(ears), nose, ears), np.where(np.isnan(nose), ears, nose)
    points["pelvis"] = hips
    for name, (of_hips, of_ears, of_nose) in _TRUNK.items():
        whole = shoulders + of_hips * (hips - shoulders)
        whole = whole + of_ears * (ears - shoulders) + of_nose * (nose - shoulders)
        without = shoulders + _TRUNK_WITHOUT_FACE[name] * (hips - shoulders)
        points[name] = np.where(np.isnan(whole), without, whole)
    return np.stack([points[_coco_name(name)] for name in H36M_17.joints], 1)


def _coco_name(name: str) -> str:
    """`l_hip` → `left_hip`; names of the trunk stay."""
    side, _, joint = name.partition("_")
    return {"l": f"left_{joint}", "r": f"right_{joint}"}.get(side, name)


def _mean_of_known(points: Floats) -> Floats:
    """(N, T, 2) → (T, 2), NaN where all N are."""
    known = ~np.isnan(points)
    count = known.sum(0)
    return np.asarray(np.where(known, points, 0).sum(0) / np.where(count > 0, count, np.nan))


def fill_unseen(keypoints: Floats, skeleton: Skeleton) -> Floats:
    """Put keypoints that were never seen beside those that were.

    Networks without a confidence take every position for sure, and 0 for the picture's corner.

    Args:
        keypoints: (T, K, 2) px, NaN = never seen. It isn't changed.
        skeleton: Theirs.

    Returns:
        (T, K, 2) px without NaN: a missing keypoint lies in the middle of its neighbours in the
        skeleton's tree, which are filled in first where they are nearer to a known one. 0 in
        frames without any.
    """
    filled = np.array(keypoints, dtype=np.float64)
    neighbours: list[list[int]] = [[] for _ in range(len(skeleton))]
    for parent, child in skeleton.bones:
        neighbours[parent].append(child)
        neighbours[child].append(parent)
    for _ in range(len(skeleton)):  # each round reaches one bone farther
        missing = np.isnan(filled)
        if not missing.any():
            break
        known = filled.copy()
        for joint in np.flatnonzero(missing.any((0, 2))):
            middle = _mean_of_known(known[:, neighbours[joint]].swapaxes(0, 1))
            filled[:, joint] = np.where(missing[:, joint], middle, known[:, joint])
    return np.nan_to_num(filled)


def seen_joints(observed: NDArray[np.bool_], joints: Skeleton) -> NDArray[np.bool_]:
    """Which joints were seen.

    Args:
        observed: (T, 21) or (T, 17) which keypoints of COCO-21 or COCO-17 were; toes and heels that
            it lacks were not.
        joints: H36M_17 or H36M_21.

    Returns:
        (T, J) whether the joint's keypoint was seen; for joints of the trunk and head, whether
        shoulders and hips were.
    """
    trunk = observed[:, COCO_17.indices(_OF_TRUNK)].all(1)
    seen = np.zeros((len(observed), len(joints)), bool)
    for joint, name in enumerate(joints.joints):
        keypoint = _coco_name(name).replace("_toe", "_big_toe")
        if keypoint not in COCO_21.joints:
            seen[:, joint] = trunk
        elif (row := COCO_21.index(keypoint)) < observed.shape[1]:
            seen[:, joint] = observed[:, row]
    return seen
