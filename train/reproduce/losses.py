"""The terms of the training loss.

Shapes: B examples of S frames with J joints. Positions are metres in camera axes, keypoints screen
coordinates. Sections are those of Pavllo et al. (CVPR 2019).
"""

import torch
from torch import Tensor, nn

from core.camera import project_distorted, project_linear
from core.skeletons import Skeleton
from train import metrics
from train.reproduce.generators import ExampleBatch

LossTerms = dict[str, tuple[Tensor, int]]
"""Name → mean error of a batch, and the number of frames it is the mean of."""


def supervised_loss(networks: nn.Module, batch: ExampleBatch) -> tuple[Tensor, LossTerms]:
    """The MPJPE of a labelled batch (section 3).

    Args:
        networks: `Networks`, or a wrapper of it.
        batch: Examples with ground truth.

    Returns:
        The loss, with gradients, and the same as the term `3d_train`, without.
    """
    predicted, _ = networks(batch.keypoints)
    assert batch.joints_m is not None
    loss: Tensor = metrics.mpjpe(predicted, batch.joints_m)
    return loss, {"3d_train": (loss.detach(), batch.joints_m[..., 0, 0].numel())}


def trajectory_loss(predicted: Tensor, root_m: Tensor) -> Tensor:
    """The weighted error of the root's position, E ‖f(x) − y‖ / y_z (section 4, eq. 1).

    The depth y_z of people who are far away is hard to see in 2D, so these weigh less.

    Args:
        predicted: f(x), (B, S, 1, 3) positions in camera space.
        root_m: y, (B, S, 1, 3), the true ones.
    """
    loss: Tensor = metrics.weighted_mpjpe(predicted, root_m, 1 / root_m[..., 2])
    return loss


def projection_loss(
    joints_m: Tensor, root_m: Tensor, lens: Tensor, keypoints: Tensor, linear: bool
) -> Tensor:
    """The mean distance between projected joints and keypoints, E ‖π(X + t) − k‖ (section 4).

    Args:
        joints_m: X, (B, S, J, 3), relative to the root.
        root_m: t, (B, S, 1, 3) in camera space.
        lens: (B, 9) parameters of π, see `core.camera.project_distorted`.
        keypoints: k, (B, S, J, 2 or more) from which X was lifted; only x and y count.
        linear: Whether π leaves the lens distortion out.
    """
    project = project_linear if linear else project_distorted
    loss: Tensor = metrics.mpjpe(project(joints_m + root_m, lens), keypoints[..., :2])
    return loss


def bone_length_loss(labelled: Tensor, unlabelled: Tensor, skeleton: Skeleton) -> Tensor:
    """The mean difference between the mean bone lengths of two batches (section 4).

    (1/|bones|) Σ_b | E_labelled ℓ_b − E_unlabelled ℓ_b |, ℓ_b the length of bone b.

    Args:
        labelled: (B, S, J, 3) predictions, metres.
        unlabelled: (B', S, J, 3) predictions, metres.
        skeleton: The bones between the joints.
    """
    return (_mean_bones(labelled, skeleton) - _mean_bones(unlabelled, skeleton)).abs().mean()


def _mean_bones(joints_m: Tensor, skeleton: Skeleton) -> Tensor:
    """(B, S, J, 3) → (bones,) lengths, the mean over examples and frames."""
    parents, children = (list(side) for side in zip(*skeleton.bones, strict=True))
    # ℓ_b = ‖X_child − X_parent‖, (B, S, bones).
    bones = joints_m[..., children, :] - joints_m[..., parents, :]
    lengths: Tensor = torch.linalg.vector_norm(bones, dim=-1)
    return lengths.mean((0, 1))
