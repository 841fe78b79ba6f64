"""Which joints a file's keypoints are: the orders that `--keypoints-skeleton` names, and the
selection of COCO-17 from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.skeletons import BLAZEPOSE_33, BODY_25, BODY_25B, COCO_17, COCO_18, H36M_17, HALPE_26
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


LAYOUTS = {
    skeleton.name: Layout(skeleton.joints, len(skeleton))
    for skeleton in (COCO_17, COCO_18, BODY_25, BODY_25B, HALPE_26, BLAZEPOSE_33, H36M_17)
} | {"coco_wholebody_133": Layout(COCO_17.joints, 133), "halpe_136": Layout(HALPE_26.joints, 136)}
"""By the name a user gives."""


def to_coco(keypoints: Floats, joints: Sequence[str]) -> Floats:
    """Select COCO-17 by joint name.

    Args:
        keypoints: (R, K, 3) x px, y px, score.
        joints: The names of the first of the K keypoints, in COCO's or another spelling.

    Returns:
        (R, 17, 3) float32; a joint that is not there has NaN, NaN, 0.

    Raises:
        ValueError: Shoulders or hips are not among the names.
    """
    # Reversed, so that of a name given twice the first counts.
    indices = {_coco_name(name): index for index, name in reversed(list(enumerate(joints)))}
    missing = [name for name in TORSO if name not in indices]
    if missing:
        raise ValueError(f"no {missing[0]} among its joints {', '.join(joints)}")
    coco = np.full((len(keypoints), len(COCO_17), 3), (np.nan, np.nan, 0), np.float32)
    for joint, name in enumerate(COCO_17.joints):
        if name in indices:
            coco[:, joint] = keypoints[:, indices[name]]
    return coco


def _coco_name(name: str) -> str:
    """A joint's name as COCO spells it: `Left Hip`, `l_hip` → `left_hip`."""
    words = name.lower().replace("-", "_").replace(" ", "_").split("_")
    return "_".join([{"l": "left", "r": "right"}.get(words[0], words[0]), *words[1:]])
