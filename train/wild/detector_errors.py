"""Where detectors put COCO-17 keypoints on a body, and by how much they err."""

import torch
from torch import Tensor

from core.skeletons import COCO_17
from train.wild.mocap import MOCAP_JOINTS

PLACED_M = {"hip": (0.015, 0.0, 0.02), "shoulder": (0.01, 0.0, 0.0)}
"""Keypoints that do not lie on their joints: metres outwards, forwards and upwards of them."""
ERROR_M = {"eye": 0.010, "nose": 0.010, "ear": 0.013, "shoulder": 0.016, "elbow": 0.020, "wrist": 0.024,
            "hip": 0.022, "knee": 0.022, "ankle": 0.024}  # fmt: skip

PLAIN_SCORE = 0.9
"""What all keypoints have where a detector's confidences say nothing."""


class ErrorBank:
    """Long stretches of a detector's error in metres at the person, to cut windows from: drawing is slow, cutting not.

    Fast tremble plus slow wandering (time constant about a third of a second), each joint with its own size.
    """

    length = 60_000

    def __init__(self, generator: torch.Generator, device: torch.device) -> None:
        shape = (self.length, len(COCO_17), 2)
        sizes = torch.tensor(
            [ERROR_M[name.split("_")[-1]] for name in COCO_17.joints], device=device
        )[:, None]
        white = torch.randn(shape, generator=generator, device=device)
        heavy = torch.rand(shape[:2], generator=generator, device=device)[..., None] < 0.02
        self._fast = white * torch.where(heavy, 3.0, 1.0) * sizes * 0.4
        knots = torch.randn(
            (1, len(COCO_17) * 2, self.length // 8), generator=generator, device=device
        )
        slow = torch.nn.functional.interpolate(knots, size=self.length, mode="linear")[0].T.reshape(
            shape
        )
        self._slow = slow / slow.std() * sizes

    def draw(self, start: Tensor, frames: int, calm: Tensor) -> Tensor:
        """(B, T, 17, 2) metres; `calm` (B,) in 0…1 tells wandering from trembling detectors."""
        at = start[:, None] + torch.arange(frames, device=start.device)
        return self._fast[at] * (1.5 - calm)[:, None, None, None] + self._slow[at]


def coco_points(joints: Tensor, torso: Tensor, bias: Tensor) -> Tensor:
    """COCO-17 points (B, T, 17, 3) where annotators and detectors put them, from mocap joints (B, T, 18, 3).

    `torso` (B, T, 3, 3) has the torso's right, forward and up as columns; `bias` (B, 1, 17, 3), standard normal, moves
    a point by a constant few centimetres of it. Hips are marked above and outside the hip joints, shoulders outside
    the shoulder joints, the face from the frame of the head.
    """
    named = {name: joints[:, :, row] for row, name in enumerate(MOCAP_JOINTS)}
    base, nose = named["neck_base"], named["nose"]
    up = named["head_top"] - base
    size = up.norm(dim=-1, keepdim=True)
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
        for joint, (out, forward, higher) in PLACED_M.items():
            place = torso.new_tensor((sign * out, forward, higher))
            points[f"{side}_{joint}"] = points[f"{side}_{joint}"] + apply_matrices(torso, place)
    placed = torch.stack([points[name] for name in COCO_17.joints], 2)
    return placed + apply_matrices(torso[:, :, None], bias * placement_spread(placed.device))


def placement_spread(device: torch.device) -> Tensor:
    """(17, 1) metres by which the place of a keypoint on the body differs between people and detectors."""
    spread = {"hip": 0.025, "shoulder": 0.02, "ear": 0.015}
    return torch.tensor(
        [[spread.get(name.split("_")[-1], 0.012)] for name in COCO_17.joints], device=device
    )


def self_occluded(points: Tensor) -> Tensor:
    """(B, T, 17, 3) → (B, T, 17) of 0 and 1: limb points that lie behind the torso, face points behind the head."""
    torso = points[
        :, :, COCO_17.indices(("left_shoulder", "right_shoulder", "left_hip", "right_hip"))
    ]
    centre = torso.mean(2, keepdim=True)
    away = points - centre
    near = away[..., :2].square().sum(-1) < 0.28**2
    behind = near & (away[..., 2] > 0.08)
    ears = points[:, :, COCO_17.indices(("left_ear", "right_ear"))].mean(2, keepdim=True)
    depth = points[..., 2] - ears[..., 2]
    face = torch.arange(points.shape[2], device=points.device) < COCO_17.index("left_shoulder")
    hidden: Tensor = torch.where(face, depth > 0.03, behind)
    return hidden.to(points.dtype)


def apply_matrices(matrix: Tensor, vectors: Tensor) -> Tensor:
    """(…, 3, 3) times (…, 3), written out: three fused passes beat millions of tiny matrix products."""
    x, y, z = vectors[..., :1], vectors[..., 1:2], vectors[..., 2:]
    turned: Tensor = matrix[..., 0] * x + matrix[..., 1] * y + matrix[..., 2] * z
    return turned
