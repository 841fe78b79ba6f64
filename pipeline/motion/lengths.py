"""Lengths of body segments: distances of two joints, metres."""

import numpy as np

from core.types import Floats
from pipeline.motion.quantities import METRES, quantity

_SEGMENTS = {
    "upper_arm_length": ("shoulder", "elbow"), "forearm_length": ("elbow", "wrist"),
    "thigh_length": ("hip", "knee"), "shank_length": ("knee", "ankle"),
    "foot_length": ("heel", "toe"),
}  # fmt: skip
_MIDDLE = {
    "trunk_length": ("pelvis", "thorax"), "shoulder_width": ("l_shoulder", "r_shoulder"),
    "hip_width": ("l_hip", "r_hip"),
}  # fmt: skip


def _distance(points: Floats) -> Floats:
    return np.asarray(np.linalg.norm(points[..., 1, :] - points[..., 0, :], axis=-1))


for _name, (_near, _far) in _SEGMENTS.items():
    for _side in ("r", "l"):
        _ends = (f"{_side}_{_near}", f"{_side}_{_far}")
        quantity(f"{_side}_{_name}", METRES, _ends, f"from {_ends[0]} to {_ends[1]}")(_distance)
for _name, _ends in _MIDDLE.items():
    quantity(_name, METRES, _ends, f"from {_ends[0]} to {_ends[1]}")(_distance)
