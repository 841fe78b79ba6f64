"""Training examples, cut from clips by index on the training device.

All poses lie in memory once, and once mirrored. An example is S = `stride` consecutive frames of a
clip, with the frames around them that the network's receptive field R covers (Pavllo et al., CVPR
2019, appendix on the batch strategy). Beyond its ends, a clip repeats its first and last frame.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.types import Array
from train.motion_data import Clip
from train.reproduce.evaluate import Mirror, flip


@dataclass(frozen=True)
class ExampleBatch:
    """B examples of S frames for a network with receptive field R."""

    keypoints: Tensor
    """(B, S + R − 1, K, features) screen coordinates."""
    joints_m: Tensor | None
    """(B, S, J, 3) metres relative to the root, camera axes; None without ground truth."""
    root_m: Tensor | None
    """(B, S, 1, 3) metres in camera space; None without ground truth."""
    lens: Tensor | None
    """(B, 9) parameters of `core.camera.project_distorted`; None where unknown."""

    def __len__(self) -> int:
        return len(self.keypoints)


class Examples:
    """All examples of some clips, which are gathered into batches in any order."""

    def __init__(
        self,
        clips: Sequence[Clip],
        stride: int,
        padding: tuple[int, int],
        mirror: Mirror | None,
        device: torch.device,
    ) -> None:
        """Copy the clips to the device and number their examples.

        Args:
            clips: The clips; those without a frame are left out.
            stride: S, the frames that an example predicts.
            padding: The frames that the network sees before and after these, R − 1 together.
            mirror: How to mirror an example; every example is then there twice, as it is and
                mirrored. None: without mirrored copies.
            device: Where batches are gathered.
        """
        clips = [clip for clip in clips if len(clip)]
        self._device = device
        # Rows of an example, from its first predicted frame; `_inner` slices the predicted ones.
        self._span = torch.arange(-padding[0], stride + padding[1], device=device)
        self._inner = slice(padding[0], padding[0] + stride)
        order = (None, None, None) if mirror is None else (mirror.keypoints, mirror.joints, [0])
        self._keypoints = self._store([clip.keypoints for clip in clips], order[0])
        self._joints_m = self._store(
            [clip.joints_m for clip in clips if clip.joints_m is not None], order[1]
        )
        self._root_m = self._store(
            [clip.root_m[:, None] for clip in clips if clip.root_m is not None], order[2]
        )
        lens = self._store(
            [clip.camera.lens[None] for clip in clips if clip.camera.lens is not None], None
        )
        if lens is not None and mirror is not None:
            # x → −x of the picture: c_x and the tangential coefficient in x change sign.
            signs = torch.ones(9, device=device)
            signs[[2, 7]] = -1
            lens = torch.cat([lens, lens * signs])
        self._lens = lens
        self.frames = sum(map(len, clips))
        parts = _index([len(clip) for clip in clips], stride)
        if mirror is not None:
            # A clip's examples, then their mirrored copies: the order that VideoPose3D shuffles.
            copies = np.array([[len(clips)], [self.frames], [self.frames], [self.frames]])
            parts = [np.concatenate([part, part + copies], axis=1) for part in parts]
        self._index = torch.from_numpy(np.concatenate(parts, axis=1)).to(device)

    def __len__(self) -> int:
        return self._index.shape[1]

    def _store(self, arrays: list[Array], order: list[int] | None) -> Tensor | None:
        """The rows of all arrays on the device, fp32, and their mirrored copies after them.

        Args:
            arrays: (T, …) each; None is returned where there is no array.
            order: Of mirrored points; None: without mirrored copies.
        """
        if not arrays:
            return None
        rows = torch.from_numpy(np.concatenate(arrays)).float().to(self._device)
        return rows if order is None else torch.cat([rows, flip(rows, order)])

    def gather(self, numbers: Tensor) -> ExampleBatch:
        """The examples of those numbers.

        Args:
            numbers: (B,) from 0 to `len(self) - 1`, on the device.
        """
        clip, start, low, high = self._index.index_select(1, numbers)[:, :, None]  # each (B, 1)
        rows = (start + self._span).clamp(low, high)  # (B, S + R − 1)
        inner = rows[:, self._inner]  # (B, S)
        assert self._keypoints is not None
        return ExampleBatch(
            _take(self._keypoints, rows),
            None if self._joints_m is None else _take(self._joints_m, inner),
            None if self._root_m is None else _take(self._root_m, inner),
            None if self._lens is None else self._lens.index_select(0, clip[:, 0]),
        )


def _index(lengths: Sequence[int], stride: int) -> list[Array]:
    """The examples of each clip, as rows in the clips' concatenation.

    A clip of T frames has ⌈T / S⌉ examples. Where these cover more than T frames, the excess is
    divided evenly between the clip's beginning and end.

    Args:
        lengths: The frames of each clip.
        stride: S.

    Returns:
        For each clip (4, examples): the clip's number, the example's first row, the clip's first
        and last row.
    """
    parts, first = [], 0
    for clip, frames in enumerate(lengths):
        count = -(-frames // stride)  # ⌈T / S⌉
        # Half of the excess count · S − T lies before the clip, where rows are clamped to it.
        starts = first + np.arange(count) * stride - (count * stride - frames) // 2
        clips, low, high = np.full((3, count), [[clip], [first], [first + frames - 1]])
        parts.append(np.stack([clips, starts, low, high]))
        first += frames
    return parts


def _take(rows: Tensor, numbers: Tensor) -> Tensor:
    """(N, …) at (B, T) → (B, T, …); one flat copy is much faster than indexing with two axes."""
    return rows.index_select(0, numbers.flatten()).view(*numbers.shape, *rows.shape[1:])


class BatchSampler:
    """Endless passes over examples in batches, each pass in a new order.

    The orders are those that VideoPose3D draws from the same seed.
    """

    def __init__(self, examples: Examples, batch: int, seed: int) -> None:
        """Start with the first pass.

        Args:
            examples: The examples to draw from.
            batch: How many make a batch; the last of a pass may be smaller.
            seed: The seed of the random order.
        """
        self.examples = examples
        self.random = np.random.RandomState(seed)
        self.batches = -(-len(examples) // batch)
        self._batch = batch
        self._pass: Tensor | None = None
        self._before = copy.deepcopy(self.random)
        self._done = 0

    def epoch(self) -> Iterator[Tensor]:
        """The example numbers (B,) of each batch of one pass, or of the rest of the current one."""
        if self._pass is None:
            self._before = copy.deepcopy(self.random)
            order = self.random.permutation(len(self.examples))
            self._pass = torch.from_numpy(order)
        while self._done < self.batches:
            start = self._done * self._batch
            self._done += 1
            yield self._pass[start : start + self._batch]
        self._pass, self._done = None, 0

    def endless(self) -> Iterator[Tensor]:
        """The example numbers of each batch, pass after pass."""
        while True:
            yield from self.epoch()

    def state(self) -> tuple[np.random.RandomState, int]:
        """The generator as it was before the current pass, and the batches of it that are done."""
        return (self.random, 0) if self._pass is None else (self._before, self._done)

    def restore(self, random: np.random.RandomState, done: int) -> None:
        """Continue from the `state` of another sampler of the same examples."""
        self.random = random
        self._pass, self._done = None, 0
        if done:
            next(self.epoch())  # draws the order of the pass
            self._done = done
