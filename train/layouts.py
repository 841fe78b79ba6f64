"""The layouts of 2D keypoints that archives name, and HumanEva's skeletons."""

from collections.abc import Mapping
from typing import Any

from core.errors import InputError
from core.skeletons import COCO_17, H36M_17, Skeleton

# The MPII order of stacked hourglass archives after Martinez et al. (ICCV 2017).
MPII_16 = Skeleton(
    "mpii_16",
    (
        "r_ankle", "r_knee", "r_hip", "l_hip", "l_knee", "l_ankle", "pelvis", "thorax",
        "neck_base", "head_top", "r_wrist", "r_elbow", "r_shoulder", "l_shoulder", "l_elbow",
        "l_wrist",
    ),
    (1, 2, 6, 6, 3, 4, -1, 6, 7, 8, 11, 12, 7, 7, 13, 14),
)  # fmt: skip

# The joints that HumanEva-I's own evaluation averages from its limbs' ends.
HUMANEVA_15 = Skeleton(
    "humaneva_15",
    (
        "pelvis", "thorax", "l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow", "r_wrist",
        "l_hip", "l_knee", "l_ankle", "r_hip", "r_knee", "r_ankle", "head_top",
    ),
    (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1),
)  # fmt: skip

# All ends of HumanEva-I's limbs: two wherever two limbs meet.
HUMANEVA_20 = Skeleton(
    "humaneva_20",
    (
        "pelvis", "thorax", "neck_base", "l_shoulder", "l_elbow_upper", "l_elbow_lower", "l_wrist",
        "r_shoulder", "r_elbow_upper", "r_elbow_lower", "r_wrist", "l_hip", "l_knee_upper",
        "l_knee_lower", "l_ankle", "r_hip", "r_knee_upper", "r_knee_lower", "r_ankle", "head_top",
    ),
    (-1, 0, 1, 1, 3, 4, 5, 1, 7, 8, 9, 0, 11, 12, 13, 0, 15, 16, 17, 2),
)  # fmt: skip

LAYOUTS = {
    "h36m": H36M_17,
    "coco": COCO_17,
    "mpii": MPII_16,
    "humaneva15": HUMANEVA_15,
    "humaneva20": HUMANEVA_20,
}
"""By the names that archives give them."""


def keypoint_skeleton(metadata: Mapping[str, Any], keypoints: str) -> Skeleton:
    """The skeleton of an archive's keypoints.

    Args:
        metadata: The archive's `metadata`: `keypoints_symmetry` (left, right), `num_joints` and,
            in newer archives, `layout_name`.
        keypoints: The name of the detections, from which the layout of older archives follows.

    Returns:
        One of `LAYOUTS`. For other layouts a skeleton whose joints are named by number and side
        (`joint_0`, the pair `l_1` and `r_1`) and hang on the first.

    Raises:
        InputError: The metadata lacks `keypoints_symmetry`.
    """
    if "keypoints_symmetry" not in metadata:
        raise InputError(
            f"2D keypoints {keypoints}: their metadata doesn't say which are left and right"
        )
    name = str(metadata.get("layout_name") or layout_name(keypoints))
    if name in LAYOUTS:
        return LAYOUTS[name]
    joints = [f"joint_{joint}" for joint in range(metadata["num_joints"])]
    for left, right in zip(*metadata["keypoints_symmetry"], strict=True):
        # One number for both, so that the skeleton recognises them as a pair.
        joints[left] = f"l_{left}"
        joints[right] = f"r_{left}"
    return Skeleton(name, tuple(joints), (-1,) + (0,) * (len(joints) - 1))


def layout_name(keypoints: str) -> str:
    """The layout that a name of detections implies, such as coco for `detectron_pt_coco`."""
    if keypoints.startswith("sh_"):
        return "mpii"  # stacked hourglass, also where it was fine-tuned on Human3.6M
    return next((name for name in LAYOUTS if name in keypoints), "h36m")


def flip_order(metadata: Mapping[str, Any], joints: int) -> list[int]:
    """The permutation that mirrors an archive's keypoints, `mirrored[k] = original[order[k]]`.

    It follows `keypoints_symmetry` and not the skeleton: the published stacked hourglass archives
    pair hips with ankles. Networks were trained so and reach their published errors only so.
    """
    order = list(range(joints))
    for left, right in zip(*metadata["keypoints_symmetry"], strict=True):
        order[left] = right
        order[right] = left
    return order


def keypoint_metadata(layout: str) -> dict[str, Any]:
    """The `metadata` of an archive whose keypoints have one of `LAYOUTS`."""
    skeleton = LAYOUTS[layout]
    sides = [list(skeleton.left), list(skeleton.right)]
    return {"layout_name": layout, "num_joints": len(skeleton), "keypoints_symmetry": sides}
