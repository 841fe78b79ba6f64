"""Small networks as files."""

from pathlib import Path

import numpy as np
import torch

from core.skeletons import H36M_17, Skeleton
from lifter.input_keypoints import h36m_from_coco
from lifter.model import ModelConfig, TemporalConvNet
from lifter.normalize import screen_from_pixels
from testkit.walker import keypoints, walking


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
