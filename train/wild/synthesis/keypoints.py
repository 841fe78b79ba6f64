"""Where annotators and detectors put COCO-21 keypoints on a body, and which of them it hides."""

import torch
from torch import Tensor

from core.skeletons import COCO_21
from train.wild.motion.mocap import MOCAP_JOINTS
from train.wild.synthesis.tensors import apply_matrices, cross, lengths

KEYPOINT_OFFSETS_M = {
    "hip": (0.015, 0.0, 0.02), "shoulder": (0.01, 0.0, 0.0),
    "heel": (0.0, 0.0, 0.025), "toe": (0.0, -0.01, 0.02),
}  # fmt: skip
"""Keypoints that lie beside their joints: metres outwards, forwards and upwards of them; of the
torso, and of the foot for those of the foot."""
_BIAS_M = {"hip": 0.025, "shoulder": 0.02, "ear": 0.015}
_OTHER_BIAS_M = 0.012
_TORSO_RADIUS_M = 0.28
_BEHIND_TORSO_M = 0.08
_BEHIND_EARS_M = 0.03


def coco_points(joints: Tensor, torso: Tensor, bias: Tensor) -> Tensor:
    """COCO-21 points of captured joints, as annotators mark them.

    Hips are marked above and outside the hip joints, shoulders outside the shoulder joints, heels
    and toes above the sole; eyes and ears lie in a frame of the head that the neck, the crown and
    the nose span.

    Args:
        joints: (B, T, 22, 3) metres, in the order of `MOCAP_JOINTS`.
        torso: (B, T, 3, 3) the torso's axes, columns right, forward and up.
        bias: (B, 1, 21, 3) standard normal; a keypoint is moved by this many standard deviations
            of `keypoint_bias_m` in the torso's axes, all the time.

    Returns:
        (B, T, 21, 3) metres, in the axes of `joints`.
    """
    named = {name: joints[:, :, row] for row, name in enumerate(MOCAP_JOINTS)}
    base, nose = named["neck_base"], named["nose"]
    up = named["head_top"] - base
    size = lengths(up)
    # Forward: the nose's direction without its part along `up`, as long as the head.
    front = nose - base
    front = front - up * (front * up).sum(-1, keepdim=True) / size.square()
    front = front * (size / lengths(front).clamp(min=1e-4))
    left = cross(up, front) / size
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
        foot = foot_axes(*(named[f"{side[0]}_{joint}"] for joint in ("ankle", "heel", "toe")))
        for joint, (outward, forward, upward) in KEYPOINT_OFFSETS_M.items():
            axes = foot if joint in ("heel", "toe") else torso.unbind(-1)
            point = named[f"{side[0]}_{joint}"]
            for axis, by in zip(axes, (sign * outward, forward, upward), strict=True):
                point = point.add(axis, alpha=by) if by else point
            points[f"{side}_big_toe" if joint == "toe" else f"{side}_{joint}"] = point
    marked = apply_matrices(torso[:, :, None], bias * keypoint_bias_m(joints.device))
    for row, name in enumerate(COCO_21.joints):
        marked[:, :, row] += points[name]
    return marked


def foot_axes(ankle: Tensor, heel: Tensor, toe: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The axes of a foot.

    Args:
        ankle, heel, toe: (B, T, 3).

    Returns:
        Right, forward and up, (B, T, 3) each, orthonormal.
    """
    sole = toe - heel
    forward = sole / lengths(sole).clamp(min=1e-12)
    across = cross(forward, ankle - heel)
    right = across / lengths(across).clamp(min=1e-12)
    return right, forward, cross(right, forward)


def keypoint_bias_m(device: torch.device) -> Tensor:
    """(21, 1) metres by which a keypoint's position differs between people and detectors."""
    return torch.tensor(
        [[_BIAS_M.get(name.split("_")[-1], _OTHER_BIAS_M)] for name in COCO_21.joints],
        device=device,
    )


def self_occluded(points: Tensor) -> Tensor:
    """Which keypoints the body itself hides.

    Args:
        points: (B, T, 21, 3) COCO-21 points in camera axes, metres.

    Returns:
        (B, T, 21) 1 for limb points behind the torso and face points behind the ears, else 0.
    """
    x, y, z = points.unbind(-1)
    body = slice(COCO_21.index("left_shoulder"), None)
    trunk = "left_shoulder", "right_shoulder", "left_hip", "right_hip"
    aside, below, behind = (axis[..., body] - _mean(axis, trunk) for axis in (x, y, z))
    hidden = torch.empty_like(z)
    near = aside.square_().addcmul_(below, below) < _TORSO_RADIUS_M**2
    hidden[..., body] = near.logical_and_(behind > _BEHIND_TORSO_M)
    face = slice(body.start)
    hidden[..., face] = z[..., face] - _mean(z, ("left_ear", "right_ear")) > _BEHIND_EARS_M
    return hidden


def _mean(values: Tensor, names: tuple[str, ...]) -> Tensor:
    """(B, T, 21) → (B, T, 1) the mean of some keypoints' values."""
    return torch.stack([values[..., row] for row in COCO_21.indices(names)]).mean(0)[..., None]
