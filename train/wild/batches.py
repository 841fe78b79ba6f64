"""The batches of a run: synthetic windows, drawn ahead and used again, and filmed ones.

Drawing a synthetic window costs more than learning from it, so each is used several times: every
time in another batch, half the time mirrored.
"""

import itertools
import math
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from core.skeletons import COCO_21, H36M_21
from lifter.normalize import flip_joints, flip_person_windows
from train.wild.people.windows import FilmedWindows
from train.wild.synthesis.synthesizer import Synthesizer

_POOL = 48  # batches from which windows are used again
_QUEUE = 2  # batches drawn ahead of the network
_GPU_WINDOWS = 16_384
"""Windows drawn at once on a GPU, where starting a computation costs more than doing it."""

Batch = tuple[Tensor, Tensor]
"""Network input (B, T, 22, 3) and target (B, 21, 3)."""


@dataclass(frozen=True)
class BatchPlan:
    """What batches are made of.

    size: windows in a batch; filmed: how many of them are filmed; reuse: how many batches a
    synthetic window is in; seed: of the choice of windows that are used again.
    """

    size: int
    filmed: int
    reuse: int
    seed: int


def training_batches(
    plan: BatchPlan, synthesizer: Synthesizer, filmed: FilmedWindows | None, steps: int
) -> Iterator[Batch]:
    """Batches whose last `plan.filmed` windows are filmed.

    Args:
        plan: What they are made of.
        synthesizer: Draws the synthetic windows, in a thread of its own.
        filmed: Draws the filmed windows; None if there are none.
        steps: How many batches.
    """
    synthetic = _reused(plan, synthesizer, steps)
    if filmed is None or not plan.filmed:
        yield from synthetic
        return
    shots = _split_draws(filmed.batch, plan.filmed, synthesizer.bank.device)
    for step, ((windows, target), drawn) in enumerate(zip(synthetic, shots, strict=False)):
        filmed_windows, filmed_target = mirror_batch(*drawn) if step % 2 else drawn
        yield torch.cat([windows, filmed_windows]), torch.cat([target, filmed_target])


def _reused(plan: BatchPlan, synthesizer: Synthesizer, steps: int) -> Iterator[Batch]:
    """Synthetic batches, one in `reuse` new; the others from a pool of recent ones."""
    size = plan.size - plan.filmed
    fresh = _drawn_in_thread(synthesizer, size, math.ceil(steps / plan.reuse))
    generator = torch.Generator().manual_seed(plan.seed)  # of the choice from the pool
    pool: list[Batch] = []
    for step in range(steps):
        if step % plan.reuse == 0:  # every window is learnt from `reuse` times on average
            batch = next(fresh)
            pool = [*pool[1 - _POOL :], batch]
        else:
            batch = _mix(pool, size, generator)
            if step % 2:
                batch = mirror_batch(*batch)
        yield batch


def mirror_batch(windows: Tensor, target: Tensor) -> Batch:
    """The mirrored people."""
    return flip_person_windows(windows, COCO_21), flip_joints(target, H36M_21)


def _mix(pool: list[Batch], size: int, generator: torch.Generator) -> Batch:
    """A batch of as many random windows of each batch of the pool."""
    rows = torch.randint(size, (len(pool), math.ceil(size / len(pool))), generator=generator)
    windows = torch.cat([windows[some] for (windows, _), some in zip(pool, rows, strict=True)])
    target = torch.cat([target[some] for (_, target), some in zip(pool, rows, strict=True)])
    return windows[:size], target[:size]


def _drawn_in_thread(synthesizer: Synthesizer, size: int, count: int) -> Iterator[Batch]:
    """`count` batches, drawn while the network learns: torch computes outside Python's lock."""
    batches: queue.Queue[Batch] = queue.Queue(_QUEUE)

    def draw() -> None:
        drawn = _split_draws(synthesizer.batch, size, synthesizer.bank.device)
        for batch in itertools.islice(drawn, count):
            batches.put(batch)

    threading.Thread(target=draw, daemon=True).start()
    for _ in range(count):
        yield batches.get()


def _split_draws(draw: Callable[[int], Batch], size: int, device: torch.device) -> Iterator[Batch]:
    """Batches without end; on a GPU many are drawn at once and split."""
    together = max(1, _GPU_WINDOWS // size) if device.type == "cuda" else 1
    while True:
        windows, target = draw(size * together)
        yield from zip(torch.split(windows, size), torch.split(target, size), strict=True)
