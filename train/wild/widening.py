"""Weights to start a run from: those of a lifter of the same kind, or of one without feet."""

from pathlib import Path

import torch
from torch import Tensor

from core.skeletons import COCO_17, COCO_21, FOOT_BONES, H36M_17
from lifter.checkpoint import load_lifter
from train.wild.loss import FIRST_LOG_SIGMA


def starting_weights(path: Path) -> dict[str, Tensor]:
    """The state of a lifter, widened where it knows neither feet nor σ.

    A widened network gives what it gave: new keypoints count for nothing at first, heels and toes
    are where the ankles are, and σ is the same for all joints.

    Args:
        path: The lifter.

    Returns:
        Tensors for `model.load_state_dict`, which refuses them if they are of other sizes.

    Raises:
        WeightsError: The file is no lifter.
    """
    network, spec = load_lifter(path)
    state = network.state_dict()
    if (spec.skeleton_in, spec.skeleton_out) != (COCO_17, H36M_17):
        return state
    expand, shrink, bias = (
        state[name] for name in ("expand_conv.weight", "shrink.weight", "shrink.bias")
    )
    channels, _, width = expand.shape
    per_keypoint = expand.reshape(channels, len(COCO_17) + 1, -1, width)  # (C, K + 1, 3, W)
    feet = per_keypoint.new_zeros(channels, len(COCO_21) - len(COCO_17), 3, width)
    keypoints, path_row = per_keypoint[:, :-1], per_keypoint[:, -1:]
    widened = torch.cat([keypoints, feet, path_row], 1).flatten(1, 2)

    same_as = [*range(len(H36M_17)), *(ankle for ankle, _ in FOOT_BONES)]
    joints = shrink.reshape(len(H36M_17), 3, channels, 1)[same_as]  # (J, 3, C, 1)
    weight = torch.cat([joints, torch.zeros_like(joints[:, :1])], 1).flatten(0, 1)
    positions = bias.reshape(len(H36M_17), 3)[same_as]
    log_sigma = torch.full_like(positions[:, :1], FIRST_LOG_SIGMA)
    return state | {
        "expand_conv.weight": widened,
        "shrink.weight": weight,
        "shrink.bias": torch.cat([positions, log_sigma], 1).flatten(),
    }
