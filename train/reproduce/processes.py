"""Data-parallel training: the processes that `torchrun` starts; usually there is only one."""

import os
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train one network, each on its share of every batch."""

    rank: int = 0
    """The number of this process, from 0."""
    size: int = 1
    """How many processes there are (torch's world size)."""

    @property
    def is_main(self) -> bool:
        """Whether this process prints, evaluates and writes."""
        return self.rank == 0

    def shard(self, batch: Tensor) -> tuple[Tensor, float]:
        """This process' share of a batch.

        Args:
            batch: (B,) example numbers, the same in all processes.

        Returns:
            Every `size`-th of them, b in number, and the weight b · size / B of their mean loss:
            the mean of the weighted losses over processes is the mean over the batch, also where
            shares differ in size.
        """
        shard = batch[self.rank :: self.size]
        return shard, len(shard) * self.size / len(batch)


def join_processes(device: torch.device) -> ProcessGroup:
    """Initialise torch's process group from the environment that `torchrun` sets.

    Args:
        device: The device of this process: GPUs communicate by NCCL, CPUs by Gloo.
    """
    size = int(os.environ.get("WORLD_SIZE", 1))
    if size == 1:
        return ProcessGroup()
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return ProcessGroup(distributed.get_rank(), size)


def leave_processes() -> None:
    """Destroy torch's process group, if there is one."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
