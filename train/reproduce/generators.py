"""Training examples, cut from clips by index on the training device.

All poses lie in memory once. An example is `stride` consecutive frames of a clip with what the network needs to see
around them; beyond its ends a clip stands still. Mirrored copies are made when a batch is gathered.
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
class Batch:
    """B examples of S frames for a network with receptive field R.

    keypoints (B, S + R - 1, K, features) screen coordinates; joints_m (B, S, J, 3) relative to the root and root_m
    (B, S, 1, 3) in camera space, None without ground truth; lens (B, 9) for `core.camera.project_distorted`, None
    where unknown.
    """

    keypoints: Tensor
    joints_m: Tensor | None
    root_m: Tensor | None
    lens: Tensor | None

    def __len__(self) -> int:
        return len(self.keypoints)


class Examples:
    """All examples of some clips, ready to gather in any order."""

    def __init__(
        self,
        clips: Sequence[Clip],
        stride: int,
        padding: tuple[int, int],
        mirror: Mirror | None,
        device: torch.device,
    ) -> None:
        """`padding` is how many frames the network sees before and after; with `mirror` each example comes twice."""
        clips = [clip for clip in clips if len(clip)]
        self._device, self._mirror = device, mirror
        self._span = torch.arange(-padding[0], stride + padding[1], device=device)
        self._inner = slice(padding[0], padding[0] + stride)
        self._keypoints = self._store([clip.keypoints for clip in clips])
        self._joints_m = self._store([clip.joints_m for clip in clips if clip.joints_m is not None])
        self._root_m = self._store(
            [clip.root_m[:, None] for clip in clips if clip.root_m is not None]
        )
        self._lens = self._store(
            [clip.camera.lens[None] for clip in clips if clip.camera.lens is not None]
        )
        parts = _index([len(clip) for clip in clips], stride)
        if (
            mirror is not None
        ):  # a clip's examples, then their mirrored copies: the order in which VideoPose3D shuffles
            copies = np.array([0, 0, 0, 0, 1])
            parts = [np.concatenate([part, part + copies]) for part in parts]
        self._index = torch.from_numpy(np.concatenate(parts)).to(device)
        self.frames = sum(map(len, clips))

    def __len__(self) -> int:
        return len(self._index)

    def _store(self, arrays: list[Array]) -> Tensor | None:
        return torch.from_numpy(np.concatenate(arrays)).float().to(self._device) if arrays else None

    def gather(self, which: Tensor) -> Batch:
        """The examples of those numbers (B,)."""
        clip, start, low, high, mirrored = self._index[which].T[:, :, None]  # each (B, 1)
        rows = (start + self._span).clamp(low, high)  # (B, S + R - 1)
        inner = rows[:, self._inner]
        side = mirrored[:, 0].bool()
        assert self._keypoints is not None
        keypoints = _take(self._keypoints, rows)
        joints_m = None if self._joints_m is None else _take(self._joints_m, inner)
        root_m = None if self._root_m is None else _take(self._root_m, inner)
        lens = None if self._lens is None else self._lens[clip[:, 0]]
        if self._mirror is not None:
            keypoints = _flip_some(keypoints, side, self._mirror.keypoints)
            joints_m = None if joints_m is None else _flip_some(joints_m, side, self._mirror.joints)
            root_m = None if root_m is None else _flip_some(root_m, side, [0])
            if (
                lens is not None
            ):  # the horizontal centre and the tangential distortion in x change sign
                lens[:, [2, 7]] *= 1 - 2 * mirrored
        return Batch(keypoints, joints_m, root_m, lens)


def _index(lengths: Sequence[int], stride: int) -> list[Array]:
    """For each clip (examples, 5): its number, the example's first frame, the clip's first and last row, unmirrored.

    A clip that isn't a multiple of the stride long is overlapped by its outer examples evenly.
    """
    parts, first = [], 0
    for clip, frames in enumerate(lengths):
        count = -(-frames // stride)
        starts = first + np.arange(count) * stride - (count * stride - frames) // 2
        constant = np.full((4, count), [[clip], [first], [first + frames - 1], [0]])
        parts.append(np.stack([constant[0], starts, *constant[1:]], axis=1))
        first += frames
    return parts


def _take(rows: Tensor, which: Tensor) -> Tensor:
    """(N, …) at (B, T) → (B, T, …); one flat copy is much faster than indexing with two axes."""
    return rows.index_select(0, which.flatten()).view(*which.shape, *rows.shape[1:])


def _flip_some(points: Tensor, which: Tensor, order: list[int]) -> Tensor:
    """(B, T, K, D) with those mirrored that `which` (B,) says."""
    return torch.where(which[:, None, None, None], flip(points, order), points)


class Shuffled:
    """Endless passes over examples in batches, each pass in a new order, as VideoPose3D draws it."""

    def __init__(self, examples: Examples, batch: int, seed: int) -> None:
        self.examples = examples
        self.random = np.random.RandomState(seed)
        self.batches = -(-len(examples) // batch)
        self._batch = batch
        self._pass: Tensor | None = None
        self._before = copy.deepcopy(self.random)
        self._done = 0

    def epoch(self) -> Iterator[Tensor]:
        """The example numbers (B,) of each batch of one pass; the rest of it where one is under way."""
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
        """Pass after pass."""
        while True:
            yield from self.epoch()

    def state(self) -> tuple[np.random.RandomState, int]:
        """What `restore` needs: the generator as it was before the pass under way, and how far that one is."""
        return (self.random, 0) if self._pass is None else (self._before, self._done)

    def restore(self, random: np.random.RandomState, done: int) -> None:
        """Go on as if this were the object whose `state` it is."""
        self.random = random
        self._pass, self._done = None, 0
        if done:
            next(self.epoch())
            self._done = done
