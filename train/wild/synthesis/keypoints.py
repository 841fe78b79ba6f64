"""Where annotators and detectors put COCO-17 keypoints on a body, and which of them it hides."""

import torch
from torch import Tensor

from core.skeletons import COCO_17
from train.wild.motion.mocap import MOCAP_JOINTS
from train.wild.synthesis.tensors import apply_matrices

KEYPOINT_OFFSETS_M = {"hip": (0.015, 0.0, 0.02), "shoulder": (0.01, 0.0, 0.0)}
"""Keypoints that lie beside their joints: metres outwards, forwards and upwards of them."""
_BIAS_M = {"hip": 0.025, "shoulder": 0.02, "ear": 0.015}
_OTHER_BIAS_M = 0.012
_TORSO_RADIUS_M = 0.28
_BEHIND_TORSO_M = 0.08
_BEHIND_EARS_M = 0.03


def coco_points(joints: Tensor, torso: Tensor, bias: Tensor) -> Tensor:
    """COCO-17 points of captured joints, as annotators mark them.

    Hips are marked above and outside the hip joints, shoulders outside the shoulder joints; eyes
    and ears lie in a frame of the head that the neck, the crown and the nose span.

    Args:
        joints: (B, T, 18, 3) metres, in the order of `MOCAP_JOINTS`.
        torso: (B, T, 3, 3) the torso's axes, columns right, forward and up.
        bias: (B, 1, 17, 3) standard normal; a keypoint is moved by this many standard deviations
            of `keypoint_bias_m` in the torso's axes, all the time.

    Returns:
        (B, T, 17, 3) metres, in the axes of `joints`.
    """
    named = {name: joints[:, :, row] for row, name in enumerate(MOCAP_JOINTS)}
    base, nose = named["neck_base"], named["nose"]
    up = named["head_top"] - base
    size = up.norm(dim=-1, keepdim=True)
    # Forward: the nose's direction without its part along `up`, as long as the head.
    front = nose - base
    front = front - up * (front * up).sum(-1, keepdim=True) / size.square()
    front = front * (size / front.norm(dim=-1, keepdim=True).clamp(min=1e-4))
    left = torch.linalg.cross(up, front) / size
    points = {
        "nose": nose,
        "left_eye": base + 0.55 * up + 0.50 * front + 0.18 * left,
        "right_eye": base + 0.55 * up + 0.50 * front - 0.18 * left,
        "left_ear": base + 0.42 * up + 0.05 * front + 0.43 * left,
        "right_ear": base + 0.42 * up + 0.05 * front - 0.43 * left,
    }
    for side, sign in (("left", -1.0), ("right", 1.0)):
        for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
            points[f"{side}_{joint}"] = named[f"{side[0]}_{joint}"]
        for joint, (outward, forward, upward) in KEYPOINT_OFFSETS_M.items():
            offset = torso.new_tensor((sign * outward, forward, upward))
            points[f"{side}_{joint}"] = points[f"{side}_{joint}"] + apply_matrices(torso, offset)
    marked = torch.stack([points[name] for name in COCO_17.joints], 2)
    return marked + apply_matrices(torso[:, :, None], bias * keypoint_bias_m(marked.device))


def keypoint_bias_m(device: torch.device) -> Tensor:
    """(17, 1) metres by which a keypoint's position differs between people and detectors."""
    return torch.tensor(
        [[_BIAS_M.get(name.split("_")[-1], _OTHER_BIAS_M)] for name in COCO_17.joints],
        device=device,
    )


def self_occluded(points: Tensor) -> Tensor:
    """Which keypoints the body itself hides.

    Args:
        points: (B, T, 17, 3) COCO-17 points in camera axes, metres.

    Returns:
        (B, T, 17) 1 for limb points behind the torso and face points behind the ears, else 0.
    """
    torso = points[
        :, :, COCO_17.indices(("left_shoulder", "right_shoulder", "left_hip", "right_hip"))
    ]
    centre = torso.mean(2, keepdim=True)
    away = points - centre
    near = away[..., :2].square().sum(-1) < _TORSO_RADIUS_M**2
    behind = near & (away[..., 2] > _BEHIND_TORSO_M)
    ears = points[:, :, COCO_17.indices(("left_ear", "right_ear"))].mean(2, keepdim=True)
    depth = points[..., 2] - ears[..., 2]
    face = torch.arange(points.shape[2], device=points.device) < COCO_17.index("left_shoulder")
    hidden: Tensor = torch.where(face, depth > _BEHIND_EARS_M, behind)
    return hidden.to(points.dtype)
