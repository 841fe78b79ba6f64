"""The rows of a clip's people, as the 3D view's camera is planned over them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.types import Array, Floats

_LOST_M, _LOST_FRAMES = 1.0, 15
"""A root so far from its median over ± so many frames is lost: it must not shrink everyone else."""
_SAMPLED_FRAMES = 1500  # that tell how large people are
_BLOCK = 4096  # rows at once

Columns = Callable[[str], Iterable[Array]]
"""Gives a column of everyone's rows, which are by frame, then track: arrays (n, …), some rows at a
time, by the name that results have for it."""


@dataclass(frozen=True)
class Rows:
    """Some rows of people.

    frame_index: (R,)
    track_id: (R,)
    joints_m: (R, J, 3) world, metres; rows with NaN are left out of the picture.
    sigma_m: (R, J) metres, one standard deviation; NaN = not known.
    """

    frame_index: Array
    track_id: Array
    joints_m: Array
    sigma_m: Array

    @classmethod
    def each(cls, columns: Columns) -> Iterator[Self]:
        """All rows."""
        names = ("frame_index", "track_id", "joints_world_m", "joint_sigma_m")
        for chunk in zip(*(columns(name) for name in names), strict=True):
            yield cls(*chunk)

    def __getitem__(self, kept: NDArray[np.bool_]) -> "Rows":
        return Rows(*(getattr(self, entry.name)[kept] for entry in fields(self)))


@dataclass(frozen=True)
class Crowd:
    """The rows of a clip, but for those that are lost.

    first: Index of the first frame with people; `frames` counts from it.
    frames: (R,) of each row, in order.
    is_shown: (R,) False for rows without 3D, or with a root that is lost.
    step_m: How far the quickest go from frame to frame, metres.
    """

    columns: Columns
    first: int
    frames: NDArray[np.int64]
    is_shown: NDArray[np.bool_]
    step_m: float

    @classmethod
    def of(cls, columns: Columns) -> "Crowd | None":
        """Go through rows once; None where no row can be shown."""
        frames, tracks, roots = [], [], []
        for own in Rows.each(columns):
            frames.append(own.frame_index)
            tracks.append(own.track_id)
            is_whole = np.asarray(np.isfinite(own.joints_m).all((1, 2)))
            roots.append(np.where(is_whole[:, None], own.joints_m[:, 0, :2], np.nan))
        if not frames:
            return None
        whole = np.concatenate(roots).astype(np.float32)
        indices, numbers = np.concatenate(frames), np.concatenate(tracks)
        is_shown, step_m = np.zeros(len(whole), bool), 0.0
        for number in np.unique(numbers[np.isfinite(whole[:, 0])]):
            mine = np.flatnonzero((numbers == number) & np.isfinite(whole[:, 0]))
            is_followed = _is_followed(whole[mine])
            is_shown[mine] = is_followed
            step_m = max(step_m, _quick_step(whole[mine[is_followed]]))
        if not is_shown.any():
            return None
        first = int(indices[is_shown][0])
        return cls(columns, first, indices[is_shown] - first, is_shown, step_m)

    @property
    def count(self) -> int:
        """Frames from the first one with people to the last one."""
        return int(self.frames[-1]) + 1

    def parts(self, cuts: Sequence[int]) -> list[slice]:
        """The frames between cuts of the video."""
        inside = (cut - self.first for cut in cuts if self.first < cut < self.first + self.count)
        ends = [0, *sorted(inside), self.count]
        return [slice(start, stop) for start, stop in pairwise(ends)]

    def shown(self) -> Iterator[tuple[NDArray[np.int64], Rows]]:
        """The rows that are shown, some at a time, each time with their frames."""
        start = done = 0
        for own in Rows.each(self.columns):
            mask = self.is_shown[start : start + len(own.frame_index)]
            start += len(mask)
            count = int(mask.sum())
            yield self.frames[done : done + count], own[mask]
            done += count

    def by_frame(self, measure: Callable[[Rows], Floats]) -> Floats:
        """(N, K) the largest of a measure (R, K) in each frame; between frames without, a line."""
        largest: Floats | None = None
        for frames, rows in self.shown():
            if len(frames):
                values = measure(rows)
                if largest is None:
                    largest = np.full((self.count, values.shape[1]), -np.inf)
                own, starts = np.unique(frames, return_index=True)
                largest[own] = np.maximum(largest[own], np.maximum.reduceat(values, starts))
        assert largest is not None
        known = np.unique(self.frames)
        everywhere = np.arange(self.count)
        return np.stack([np.interp(everywhere, known, column[known]) for column in largest.T], 1)

    def sample(self) -> tuple[NDArray[np.int64], Floats]:
        """The rows of some frames: frames (S,), joints (S, J, 3) m."""
        every = self.count // _SAMPLED_FRAMES + 1
        numbers, joints = [], []
        for frames, rows in self.shown():
            kept = frames % every == 0
            numbers.append(frames[kept])
            joints.append(rows.joints_m[kept])
        return np.concatenate(numbers), np.concatenate(joints)


def _quick_step(roots: Floats) -> float:
    """Metres a frame that a person's roots (R, 2) m go when they are quick."""
    if len(roots) <= _LOST_FRAMES:
        return 0.0
    gone_m = np.hypot(*(roots[_LOST_FRAMES:] - roots[:-_LOST_FRAMES]).T)
    return float(np.percentile(gone_m, 90)) / _LOST_FRAMES


def _is_followed(roots: Floats) -> NDArray[np.bool_]:
    """Whether a person's roots (R, 2) m are near their median over the frames around."""
    padded = np.pad(roots, ((_LOST_FRAMES, _LOST_FRAMES), (0, 0)), constant_values=np.nan)
    windows = sliding_window_view(padded, 2 * _LOST_FRAMES + 1, axis=0)
    medians = [
        np.nanmedian(windows[start : start + _BLOCK], axis=-1)
        for start in range(0, len(roots), _BLOCK)
    ]
    return np.asarray(np.hypot(*(roots - np.concatenate(medians)).T) < _LOST_M)
