"""What training minimises."""

import torch
from torch import Tensor, nn

from core.camera import project_distorted, project_linear
from core.skeletons import Skeleton
from train import metrics
from train.reproduce.generators import Batch

Terms = dict[str, tuple[Tensor, int]]
"""Name → mean error of a batch and the frames it is the mean of."""


def supervised_loss(networks: nn.Module, batch: Batch) -> tuple[Tensor, Terms]:
    """The mean error of labelled poses."""
    predicted, _ = networks(batch.keypoints)
    assert batch.joints_m is not None
    loss: Tensor = metrics.mpjpe(predicted, batch.joints_m)
    return loss, {"3d_train": (loss.detach(), batch.joints_m[..., 0, 0].numel())}


def trajectory_loss(predicted: Tensor, root_m: Tensor) -> Tensor:
    """Mean error of the root's place (B, S, 1, 3), weighing near people more: 2D says little of far ones' depth."""
    loss: Tensor = metrics.weighted_mpjpe(predicted, root_m, 1 / root_m[..., 2])
    return loss


def projection_loss(
    joints_m: Tensor, root_m: Tensor, lens: Tensor, keypoints: Tensor, linear: bool
) -> Tensor:
    """Mean distance on the screen between where joints appear and the keypoints they were lifted from.

    joints_m (B, S, J, 3), root_m (B, S, 1, 3), lens (B, 9), keypoints (B, S, J, 2 or more), of which two count.
    """
    project = project_linear if linear else project_distorted
    loss: Tensor = metrics.mpjpe(project(joints_m + root_m, lens), keypoints[..., :2])
    return loss


def bone_length_loss(labelled: Tensor, unlabelled: Tensor, skeleton: Skeleton) -> Tensor:
    """How far the mean bone lengths of unlabelled poses (B', S, J, 3) are from those of labelled ones (B, S, J, 3)."""
    return (_mean_bones(labelled, skeleton) - _mean_bones(unlabelled, skeleton)).abs().mean()


def _mean_bones(joints_m: Tensor, skeleton: Skeleton) -> Tensor:
    parents, children = (list(side) for side in zip(*skeleton.bones, strict=True))
    bones = joints_m[..., children, :] - joints_m[..., parents, :]
    lengths: Tensor = torch.linalg.vector_norm(bones, dim=-1)
    return lengths.mean((0, 1))
