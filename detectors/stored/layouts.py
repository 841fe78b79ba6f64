"""Which joints a file's keypoints are: the orders that `--keypoints-skeleton` names, and the
selection of COCO-21 from them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.skeletons import (
    BLAZEPOSE_33,
    BODY_25,
    BODY_25B,
    COCO_17,
    COCO_18,
    COCO_21,
    H36M_17,
    HALPE_26,
)
from core.types import Floats

TORSO = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
"""Without these, nothing can be lifted."""


@dataclass(frozen=True)
class Layout:
    """An order of keypoints.

    joints: The names of the first keypoints; any further ones (face, hands) are left out.
    count: The number of keypoints of a person.
    """

    joints: tuple[str, ...]
    count: int


_WHOLE_BODY = (
    *COCO_17.joints, "left_big_toe", "left_small_toe", "left_heel", "right_big_toe",
    "right_small_toe", "right_heel",
)  # fmt: skip
"""https://github.com/jin-s13/COCO-WholeBody: the first 23 of 133."""

LAYOUTS = {
    skeleton.name: Layout(skeleton.joints, len(skeleton))
    for skeleton in (COCO_17, COCO_18, BODY_25, BODY_25B, HALPE_26, BLAZEPOSE_33, H36M_17)
} | {"coco_wholebody_133": Layout(_WHOLE_BODY, 133), "halpe_136": Layout(HALPE_26.joints, 136)}
"""By the name a user gives."""


def to_coco(keypoints: Floats, joints: Sequence[str]) -> Floats:
    """Select COCO-21 by joint name.

    Args:
        keypoints: (R, K, 3) x px, y px, score.
        joints: The names of the first of the K keypoints, in COCO's or another spelling.

    Returns:
        (R, 21, 3) float32; a joint that is not there has NaN, NaN, 0.

    Raises:
        ValueError: Shoulders or hips are not among the names.
    """
    # Reversed, so that of a name given twice the first counts.
    indices = {_coco_name(name): index for index, name in reversed(list(enumerate(joints)))}
    missing = [name for name in TORSO if name not in indices]
    if missing:
        raise ValueError(f"no {missing[0]} among its joints {', '.join(joints)}")
    coco = np.full((len(keypoints), len(COCO_21), 3), (np.nan, np.nan, 0), np.float32)
    for joint, name in enumerate(COCO_21.joints):
        if name in indices:
            coco[:, joint] = keypoints[:, indices[name]]
    return coco


def _coco_name(name: str) -> str:
    """A joint's name as COCO spells it: `Left Hip`, `l_hip`, `LHip` → `left_hip`.

    BlazePose's foot index is the tip of the big toe.
    """
    name = re.sub("^([LR])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", r"\1_", name)
    words = name.lower().replace("-", "_").replace(" ", "_").split("_")
    name = "_".join([{"l": "left", "r": "right"}.get(words[0], words[0]), *words[1:]])
    return name.replace("foot_index", "big_toe")


_LIMBS_M = {
    ("shoulder", "elbow"): 0.28,
    ("elbow", "wrist"): 0.25,
    ("shoulder", "hip"): 0.5,
    ("hip", "knee"): 0.42,
    ("knee", "ankle"): 0.42,
}
"""About how long an adult's limbs and the sides of the torso are."""
_CLEARLY_ODDER = 0.2


def disproportion(coco: Floats) -> float:
    """How far the limbs of people are from a human body's proportions.

    Mean over the limbs i of |log lᵢ - log eᵢ - s| with their median lengths lᵢ in the picture,
    an adult's eᵢ, and the mean s of log lᵢ - log eᵢ.

    Args:
        coco: (R, 21, 3) px and score of people, COCO-21.

    Returns:
        Some 0.1 to 0.3 of people, more where joints are mixed up; NaN where no limb is seen.
    """
    logs = []
    for (near, far), metres in _LIMBS_M.items():
        for side in ("left", "right"):
            ends = coco[:, COCO_21.indices((f"{side}_{near}", f"{side}_{far}")), :2]
            lengths = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=-1)
            lengths = lengths[np.isfinite(lengths)]
            if len(lengths):
                logs.append(np.log(max(float(np.median(lengths)), 0.1) / metres))
    return float(np.abs(np.array(logs) - np.mean(logs)).mean()) if logs else float("nan")


def likelier_layout(keypoints: Floats, chosen: str) -> str | None:
    """Find a layout of as many keypoints in which people have far better proportions.

    Args:
        keypoints: (R, K, 3) px and score.
        chosen: The name of the layout that they are said to have.

    Returns:
        Its name, None where there is none.
    """
    fitting = [name for name, layout in LAYOUTS.items() if layout.count == keypoints.shape[1]]
    oddness = {name: disproportion(to_coco(keypoints, LAYOUTS[name].joints)) for name in fitting}
    best = min(fitting, key=lambda name: oddness[name])
    return best if oddness[best] < oddness[chosen] - _CLEARLY_ODDER else None
