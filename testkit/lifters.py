"""Small networks as files."""

from pathlib import Path

import numpy as np
import torch

from core.skeletons import COCO_21, H36M_17, H36M_21, Skeleton
from lifter.checkpoint import LifterSpec, save_lifter
from lifter.config import ModelConfig
from lifter.input_keypoints import h36m_from_coco
from lifter.model import TemporalConvNet
from lifter.normalize import screen_from_pixels
from testkit.walker import keypoints, walking


def small_lifter(
    path: Path,
    skeleton_in: Skeleton = COCO_21,
    skeleton_out: Skeleton = H36M_21,
    says_sigma: bool = True,
) -> Path:
    """Write a lifter as training does, untrained and quick.

    Args:
        path: The `.safetensors` to write.
        skeleton_in: COCO_17 or COCO_21: the keypoints that the network takes.
        skeleton_out: H36M_17 or H36M_21: the joints that it gives.
        says_sigma: Whether it says how sure it is.
    """
    torch.manual_seed(0)
    config = ModelConfig(
        len(skeleton_in) + 1, 3, len(skeleton_out), (3, 3), 16, features_out=4 if says_sigma else 3
    )
    spec = LifterSpec(config, skeleton_in, skeleton_out, 25.0, "person")
    save_lifter(path, TemporalConvNet(config), spec)
    return path


def published_lifter(path: Path, skeleton: Skeleton, channels: int = 16, seed: int = 0) -> Path:
    """Write a checkpoint as VideoPose3D does, of a network that has seen people walk by.

    Args:
        path: The `.bin` to write.
        skeleton: COCO_17 or H36M_17: the keypoints that the network takes.
        channels: Of the network; its weights are random.
        seed: Of weights and people.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    network = TemporalConvNet(ModelConfig(17, 2, 17, (3, 3), channels)).train()
    joints = walking(40)
    for _ in range(40):
        angle = random.uniform(0, 2 * np.pi)
        turned = joints @ [
            [np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)],
        ]  # fmt: skip
        root = np.tile(random.uniform((-1, -0.3, 3.5), (1, 0.3, 6)), (40, 1))
        points = keypoints(turned, root)
        if skeleton == H36M_17:
            points = h36m_from_coco(points)
        network(torch.from_numpy(screen_from_pixels(points, 1920, 1080)).float()[None])
    content = {"epoch": 1, "lr": 0.001, "random_state": None, "optimizer": None}
    with path.open("wb") as file:
        torch.save({**content, "model_pos": network.state_dict(), "model_traj": None}, file)
    return path
