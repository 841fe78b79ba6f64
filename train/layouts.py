"""The layouts of 2D keypoints that archives name, and HumanEva's skeletons."""

from collections.abc import Mapping
from typing import Any

from core.errors import InputError
from core.skeletons import COCO_17, H36M_17, Skeleton

# The MPII order that stacked hourglass archives have after Martinez et al. (ICCV 2017).
MPII_16 = Skeleton(
    "mpii_16",
    (
        "r_ankle", "r_knee", "r_hip", "l_hip", "l_knee", "l_ankle", "pelvis", "thorax", "neck_base", "head_top",
        "r_wrist", "r_elbow", "r_shoulder", "l_shoulder", "l_elbow", "l_wrist",
    ),
    (1, 2, 6, 6, 3, 4, -1, 6, 7, 8, 11, 12, 7, 7, 13, 14),
)  # fmt: skip

# The joints that HumanEva-I's own evaluation averages from its limbs' ends.
HUMANEVA_15 = Skeleton(
    "humaneva_15",
    (
        "pelvis", "thorax", "l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow", "r_wrist", "l_hip", "l_knee",
        "l_ankle", "r_hip", "r_knee", "r_ankle", "head_top",
    ),
    (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1),
)  # fmt: skip

# All of its limbs' ends: where two limbs meet there are two.
HUMANEVA_20 = Skeleton(
    "humaneva_20",
    (
        "pelvis", "thorax", "neck_base", "l_shoulder", "l_elbow_upper", "l_elbow_lower", "l_wrist", "r_shoulder",
        "r_elbow_upper", "r_elbow_lower", "r_wrist", "l_hip", "l_knee_upper", "l_knee_lower", "l_ankle", "r_hip",
        "r_knee_upper", "r_knee_lower", "r_ankle", "head_top",
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


def layout_of(metadata: Mapping[str, Any], keypoints: str) -> Skeleton:
    """The skeleton of an archive's keypoints; joints of an unknown layout are named by side alone.

    Archives older than the entry `layout_name` are known by `keypoints`, the name of the detections.
    """
    if "keypoints_symmetry" not in metadata:
        raise InputError(
            f"2D keypoints {keypoints}: their metadata doesn't say which are left and right"
        )
    name = str(metadata.get("layout_name") or layout_in(keypoints))
    if name in LAYOUTS:
        return LAYOUTS[name]
    joints = [f"joint_{joint}" for joint in range(metadata["num_joints"])]
    for left, right in zip(*metadata["keypoints_symmetry"], strict=True):
        joints[left], joints[right] = f"l_{left}", f"r_{left}"
    return Skeleton(name, tuple(joints), (-1,) + (0,) * (len(joints) - 1))


def layout_in(keypoints: str) -> str:
    """The layout that the name of some detections stands for, such as coco in `detectron_pt_coco`."""
    if keypoints.startswith("sh_"):
        return "mpii"  # stacked hourglass, also where it was tuned on Human3.6M
    return next((name for name in LAYOUTS if name in keypoints), "h36m")


def flip_order(metadata: Mapping[str, Any], joints: int) -> list[int]:
    """How to mirror an archive's keypoints, by its own word.

    The published stacked hourglass archives pair hips with ankles; networks were trained so, and only so get their
    published errors.
    """
    order = list(range(joints))
    for left, right in zip(*metadata["keypoints_symmetry"], strict=True):
        order[left], order[right] = right, left
    return order


def metadata_of(layout: str) -> dict[str, Any]:
    """What an archive says of its keypoints."""
    skeleton = LAYOUTS[layout]
    sides = [list(skeleton.left), list(skeleton.right)]
    return {"layout_name": layout, "num_joints": len(skeleton), "keypoints_symmetry": sides}
