"""Motion at an even frame rate, for formats that have no times of their own; in constant memory.

Where a video's frames are evenly spaced, rows are taken as they are. Else positions are
interpolated linearly between neighbouring frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from core.types import Array
from pipeline.motion.stretches import COLUMNS, Stretch, stretches
from pipeline.results.archive import PoseTable

_TOLERANCE_S = 0.0006  # containers round times to a millisecond
_BLOCK_FRAMES = 4096  # of a gap, at a time
_ROUNDING = 1e-6  # of a frame


@dataclass(frozen=True)
class Grid:
    """Even times: frame i of `count` is at `start_s + i / rate`.

    first_frame, the video's frame that is frame 0; is_resampled, whether the video's frames are
    spaced otherwise.
    """

    start_s: float
    rate: Fraction
    count: int
    first_frame: int
    is_resampled: bool

    @property
    def note(self) -> str | None:
        """What to tell people of it; None where the frames are the video's."""
        if not self.is_resampled:
            return None
        return f"its frames are not evenly spaced: resampled to {float(self.rate):.4g} a second"


@dataclass(frozen=True)
class Block:
    """Frames `start` to `start + n - 1` of a grid, of one person.

    columns, by name, arrays (n, …): NaN, or False, where the person is out of view; is_known (n,),
    whether they are in view.
    """

    start: int
    columns: dict[str, Array]
    is_known: Array

    def __getitem__(self, name: str) -> Array:
        """A column (n, …)."""
        return self.columns[name]


def even_grid(table: PoseTable, fps: float) -> Grid:
    """The even times that cover a table, at the video's mean rate.

    Args:
        table: By frame.
        fps: The video's frames a second.
    """
    rate = Fraction(fps).limit_denominator(1001)
    first: tuple[float, int] | None = None
    is_resampled, last_s, last_frame = False, 0.0, 0
    for times, frames in zip(table.chunks("time_s"), table.chunks("frame_index"), strict=True):
        if not len(times):
            continue
        first = first or (float(times[0]), int(frames[0]))
        expected = first[0] + (frames - first[1]) / float(rate)
        is_resampled |= bool((np.abs(times - expected) > _TOLERANCE_S).any())
        last_s, last_frame = float(times[-1]), int(frames[-1])
    if first is None:
        return Grid(0.0, rate, 0, 0, False)
    last = (last_s - first[0]) * float(rate) if is_resampled else last_frame - first[1]
    return Grid(first[0], rate, int(last + _ROUNDING) + 1, first[1], is_resampled)


def even_blocks(
    table: PoseTable, grid: Grid, track_id: int, names: tuple[str, ...] = ()
) -> Iterator[Block]:
    """One person's frames on a grid, from the first that they are in to the last, without holes.

    Args:
        table: By frame, then track.
        grid: The grid.
        track_id: Whose.
        names: Columns besides `COLUMNS`.
    """
    reached: int | None = None
    for stretch in stretches(table, (*COLUMNS, *names), track_id):
        block = _at_frames(stretch, grid) if grid.is_resampled else _as_they_are(stretch, grid)
        if not len(block.is_known):
            continue
        while reached is not None and reached < block.start:
            size = min(block.start - reached, _BLOCK_FRAMES)
            yield Block(reached, _unknown(block.columns, size), np.zeros(size, bool))
            reached += size
        yield block
        reached = block.start + len(block.is_known)


def _as_they_are(stretch: Stretch, grid: Grid) -> Block:
    columns = {name: values[stretch.own] for name, values in stretch.columns.items()}
    start = int(columns["frame_index"][0]) - grid.first_frame
    return Block(start, columns, np.ones(len(columns["time_s"]), bool))


def _at_frames(stretch: Stretch, grid: Grid) -> Block:
    """The grid's frames from a stretch's first own row to before the row after its last one."""
    rate = float(grid.rate)
    frames = (stretch["time_s"] - grid.start_s) * rate  # of the rows, as real numbers
    first, stop = frames[stretch.own.start], frames[stretch.own.stop - 1]
    begin = int(np.ceil(first - _ROUNDING))
    if stretch.own.stop < len(frames):
        end = int(np.ceil(frames[stretch.own.stop] - _ROUNDING))
    else:
        end = int(np.floor(stop + _ROUNDING)) + 1
    wanted = np.arange(begin, end)
    before = np.clip(np.searchsorted(frames, wanted + _ROUNDING) - 1, 0, len(frames) - 1)
    after = np.minimum(before + 1, len(frames) - 1)
    span = np.where(after > before, frames[after] - frames[before], 1.0)
    share = np.clip((wanted - frames[before]) / span, 0.0, 1.0)
    columns = {}
    for name, values in stretch.columns.items():
        if values.dtype.kind == "f":
            weight = share.reshape(-1, *[1] * (values.ndim - 1))
            columns[name] = values[before] * (1 - weight) + values[after] * weight
        else:
            columns[name] = values[np.where(share < 0.5, before, after)]
    return Block(begin, columns, np.ones(len(wanted), bool))


def _unknown(columns: dict[str, Array], size: int) -> dict[str, Array]:
    """As many rows of nothing as a gap is long."""
    return {
        name: np.full((size, *values.shape[1:]), np.nan if values.dtype.kind == "f" else 0).astype(
            values.dtype
        )
        for name, values in columns.items()
    }
