"""Semi-supervised training: 2D keypoints of unlabelled subjects beside labelled ones.

Pavllo et al. (CVPR 2019), section 4. A trajectory network predicts the root's position. Unlabelled
poses, moved there, must project onto the keypoints from which they were lifted ("back-projection"),
and their bones must be as long on average as those of labelled poses.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.skeletons import Skeleton
from train import metrics
from train.reproduce.generators import ExampleBatch
from train.reproduce.losses import (
    LossTerms,
    bone_length_loss,
    projection_loss,
    trajectory_loss,
)
from train.reproduce.options import Options


@dataclass(frozen=True)
class SemiSupervision:
    """The loss of a labelled and an unlabelled batch together."""

    options: Options
    skeleton: Skeleton
    frames_before: int
    """Frames of context in a batch's keypoints before the first predicted one."""

    def loss(
        self, networks: nn.Module, labelled: ExampleBatch, unlabelled: ExampleBatch | None
    ) -> tuple[Tensor, LossTerms]:
        """L = MPJPE + trajectory + projection + bone lengths, the last two of `unlabelled`.

        Args:
            networks: `Networks` with a trajectory network, or a wrapper of it.
            labelled: B examples with ground truth.
            unlabelled: B' examples with lenses; None during the warm-up.

        Returns:
            The loss, with gradients, and its terms without: `3d_train` and `traj_train` in metres
            and, after the warm-up, `2d_train_unlabeled` in screen coordinates.
        """
        assert labelled.joints_m is not None
        assert labelled.root_m is not None
        together = [labelled.keypoints]
        if unlabelled is not None:
            together.append(unlabelled.keypoints)
        # One pass for both halves, so that batch normalisation sees their common statistics.
        joints_m, root_m = networks(torch.cat(together))  # (B + B', S, J, 3), (B + B', S, 1, 3)
        count, frames = len(labelled), labelled.root_m[..., 0].numel()
        # Supervised terms: MPJPE and the weighted error of the trajectory.
        pose_error = metrics.mpjpe(joints_m[:count], labelled.joints_m)
        root_error = trajectory_loss(root_m[:count], labelled.root_m)
        terms = {
            "3d_train": (pose_error.detach(), frames),
            "traj_train": (root_error.detach(), frames),
        }
        loss: Tensor = pose_error + root_error
        if unlabelled is not None:
            # Back-projection onto the keypoints of the predicted frames, without their context.
            last = self.frames_before + joints_m.shape[1]
            target = unlabelled.keypoints[:, self.frames_before : last]
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
