"""Skeletons: named joints, their parents, left/right pairs; the flip order is derived from names.

Left and right are the person's own. A skeleton is identified by its name and joint names, never by
a joint count.
"""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Skeleton:
    """A tree of named joints.

    name; joints (J,) their names; parents (J,) the index of each joint's parent, -1 at the root. A
    joint whose name starts with `l_` or `left_` is paired with the one that has `r_` or `right_`
    instead.

    Raises:
        ValueError: Lengths differ, names repeat, or a left joint has no right one.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.joints) != len(self.parents):
            raise ValueError(
                f"{self.name}: {len(self.joints)} joints but {len(self.parents)} parents"
            )
        if len(set(self.joints)) != len(self.joints):
            raise ValueError(f"{self.name}: joint names repeat: {self.joints}")
        _ = self.pairs  # a left joint without a right one fails here

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """The index of a joint.

        Raises:
            ValueError: There is none of that name.
        """
        if joint not in self.joints:
            raise ValueError(
                f"skeleton {self.name} has no joint {joint!r}; it has {', '.join(self.joints)}"
            )
        return self.joints.index(joint)

    def indices(self, joints: tuple[str, ...]) -> list[int]:
        """The indices of several joints, in the given order."""
        return [self.index(joint) for joint in joints]

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(left, right) index pairs."""
        pairs = []
        for left, name in enumerate(self.joints):
            for prefix, other in (("l_", "r_"), ("left_", "right_")):
                if name.startswith(prefix):
                    pairs.append((left, self.index(other + name.removeprefix(prefix))))
        return tuple(pairs)

    @cached_property
    def left(self) -> tuple[int, ...]:
        """Joints of the person's left side."""
        return tuple(left for left, _ in self.pairs)

    @cached_property
    def right(self) -> tuple[int, ...]:
        """Joints of the person's right side, in the order of `left`."""
        return tuple(right for _, right in self.pairs)

    @cached_property
    def flip_order(self) -> list[int]:
        """`mirrored[j] = original[flip_order[j]]`: swaps every left joint with its right one."""
        order = list(range(len(self)))
        for left, right in self.pairs:
            order[left], order[right] = right, left
        return order

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) index pairs."""
        return tuple((parent, child) for child, parent in enumerate(self.parents) if parent >= 0)


# https://cocodataset.org/#keypoints-2020, in published order; the tree hangs on the nose.
COCO_17 = Skeleton(
    "coco_17",
    (
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder",
        "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
        "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    ),
    (-1, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
)  # fmt: skip

# The 17 of Human3.6M's 32 joints that the literature evaluates, in VideoPose3D's order.
H36M_17 = Skeleton(
    "h36m_17",
    (
        "pelvis", "r_hip", "r_knee", "r_ankle", "l_hip", "l_knee", "l_ankle", "spine", "thorax",
        "neck_base", "head_top", "l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow",
        "r_wrist",
    ),
    (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
)  # fmt: skip

# The feet follow the 17, so that rows of COCO-17 and Human3.6M-17 are the first 17 of these. A heel
# is the foot's rearmost point, a toe the tip of the big one; joints lie on the sole, keypoints
# where they are seen.
COCO_21 = Skeleton(
    "coco_21",
    (*COCO_17.joints, "left_big_toe", "left_heel", "right_big_toe", "right_heel"),
    (*COCO_17.parents, 15, 15, 16, 16),
)
H36M_21 = Skeleton(
    "h36m_21",
    (*H36M_17.joints, "r_heel", "r_toe", "l_heel", "l_toe"),
    (*H36M_17.parents, 3, 3, 6, 6),
)
FOOT_BONES = H36M_21.bones[len(H36M_17.bones) :]
"""(ankle, heel or toe) index pairs of `H36M_21`, by heel or toe."""

FOOT_KEYPOINTS = COCO_17.indices(("left_ankle", "right_ankle"))
"""The keypoints of `COCO_17`, and so of `COCO_21`, that say whether a foot is seen."""

# https://ai.google.dev/edge/mediapipe/solutions/vision/pose_landmarker
BLAZEPOSE_33 = Skeleton(
    "blazepose_33",
    (
        "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye",
        "right_eye_outer", "left_ear", "right_ear", "left_mouth", "right_mouth", "left_shoulder",
        "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky",
        "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb", "left_hip",
        "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel",
        "right_heel", "left_foot_index", "right_foot_index",
    ),
    (
        -1, 0, 1, 2, 0, 4, 5, 3, 6, 0, 0, 0, 0, 11, 12, 13, 14, 15, 16, 15, 16, 15, 16, 11, 12,
        23, 24, 25, 26, 27, 28, 29, 30,
    ),
)  # fmt: skip

# BODY_25 and COCO: https://github.com/CMU-Perceptual-Computing-Lab/openpose, doc/02_output.md.
BODY_25 = Skeleton(
    "body_25",
    (
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
        "left_elbow", "left_wrist", "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip",
        "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear", "left_big_toe",
        "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel",
    ),
    (1, 8, 1, 2, 3, 1, 5, 6, -1, 8, 9, 10, 8, 12, 13, 0, 0, 15, 16, 14, 19, 14, 11, 22, 11),
)  # fmt: skip
COCO_18 = Skeleton(
    "coco_18",
    (
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
        "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip",
        "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear",
    ),
    (1, -1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 1, 11, 12, 0, 0, 14, 15),
)  # fmt: skip

# As many joints as BODY_25, in another order:
# https://github.com/CMU-Perceptual-Computing-Lab/openpose_train.
BODY_25B = Skeleton(
    "body_25b",
    (
        *COCO_17.joints, "neck", "head_top", "left_big_toe", "left_small_toe", "left_heel",
        "right_big_toe", "right_small_toe", "right_heel",
    ),
    (17, 0, 0, 1, 2, 17, 17, 5, 6, 7, 8, 17, 17, 11, 12, 13, 14, -1, 17, 15, 19, 15, 16, 22, 16),
)  # fmt: skip

# https://github.com/Fang-Haoshu/Halpe-FullBody, the body of its 136.
HALPE_26 = Skeleton(
    "halpe_26",
    (
        *COCO_17.joints, "head", "neck", "hip", "left_big_toe", "right_big_toe", "left_small_toe",
        "right_small_toe", "left_heel", "right_heel",
    ),
    (
        18, 0, 0, 1, 2, 18, 18, 5, 6, 7, 8, 19, 19, 11, 12, 13, 14, 18, 19, -1, 15, 16, 20, 21,
        15, 16,
    ),
)  # fmt: skip

BY_NAME = {
    skeleton.name: skeleton
    for skeleton in (
        COCO_17,
        H36M_17,
        COCO_21,
        H36M_21,
        BLAZEPOSE_33,
        BODY_25,
        BODY_25B,
        COCO_18,
        HALPE_26,
    )
}
"""All skeletons by name."""
