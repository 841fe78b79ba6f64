"""The processes that train together under `torchrun`; usually one."""

import os
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Team:
    """This process among those that train the same network, each on its share of every batch."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process prints, evaluates and writes."""
        return self.rank == 0

    def share(self, which: Tensor) -> tuple[Tensor, float]:
        """This process' part of a batch, and the weight that makes the mean over processes the mean over the batch."""
        mine = which[self.rank :: self.size]
        return mine, len(mine) * self.size / len(which)


def join_team(device: torch.device) -> Team:
    """Meet the other processes, as the environment that `torchrun` sets says."""
    size = int(os.environ.get("WORLD_SIZE", 1))
    if size == 1:
        return Team()
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Team(distributed.get_rank(), size)


def leave_team() -> None:
    """Part from the others, if there are any."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
