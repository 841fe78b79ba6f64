"""Learning from the 2D keypoints of unlabelled subjects beside labelled ones.

Pavllo et al., section 4: unlabelled poses, put where the trajectory network says, must project onto their own
keypoints, and their bones must on average be as long as those of labelled poses.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.skeletons import Skeleton
from train import metrics
from train.reproduce.generators import Batch
from train.reproduce.losses import Terms, bone_length_loss, projection_loss, trajectory_loss
from train.reproduce.options import Options


@dataclass(frozen=True)
class SemiSupervision:
    """How to learn from labelled and unlabelled batches together."""

    options: Options
    skeleton: Skeleton
    frames_before: int
    """Frames of context before the predicted ones in a batch's keypoints."""

    def loss(
        self, networks: nn.Module, labelled: Batch, unlabelled: Batch | None
    ) -> tuple[Tensor, Terms]:
        """Poses and trajectories of the labelled batch and, after the warm-up, what the unlabelled one must fulfil."""
        assert labelled.joints_m is not None
        assert labelled.root_m is not None
        together = (
            [labelled.keypoints]
            if unlabelled is None
            else [labelled.keypoints, unlabelled.keypoints]
        )
        joints_m, root_m = networks(torch.cat(together))
        count, frames = len(labelled), labelled.root_m[..., 0].numel()
        pose_error = metrics.mpjpe(joints_m[:count], labelled.joints_m)
        root_error = trajectory_loss(root_m[:count], labelled.root_m)
        terms = {
            "3d_train": (pose_error.detach(), frames),
            "traj_train": (root_error.detach(), frames),
        }
        loss: Tensor = pose_error + root_error
        if unlabelled is not None:
            target = unlabelled.keypoints[
                :, self.frames_before : self.frames_before + joints_m.shape[1]
            ]
            assert unlabelled.lens is not None
            linear = self.options.linear_projection
            error = projection_loss(
                joints_m[count:], root_m[count:], unlabelled.lens, target, linear
            )
            terms["2d_train_unlabeled"] = (error.detach(), target[..., 0, 0].numel())
            if not self.options.no_proj:
                loss = loss + error
            if not self.options.no_bone_length:
                loss = loss + bone_length_loss(joints_m[:count], joints_m[count:], self.skeleton)
        return loss, terms
