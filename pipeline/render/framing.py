"""Where the 3D view's camera stands, so that it shows people large, whole and without a jerk.

The camera keeps its direction, so a frame bounds its position by linear inequalities. With a, b, d
a point's coordinates to the right, up and forward, c the camera's, and s the tangent of half the
view, a point is in the picture where

    |a - c_a| ≤ s · (d - c_d)   ⇔   c_a - s c_d ≥ a - s d   and   -c_a - s c_d ≥ -a - s d,

and likewise up. So four numbers a frame, the maxima of the right sides over all points, are all
that matters: its reach. The nearest camera that keeps them is in the middle: c_a is half the
difference of the two, and -s c_d half their sum.

Over time a position that keeps them all is made of smooth curves above the four. A curve's maximum
over ± w frames, averaged with weights over ± w frames, lies above the curve everywhere, since each
mean is one of maxima that include the frame. Where people travel, that is done for what is left of
the curves beside their own smooth mean, which the camera follows. The calmer the view, the smaller
the people: the calmest that shows them large enough is taken.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import chain, pairwise
from typing import Literal, Protocol, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.types import Array, Floats, Frame
from pipeline.render.person import PersonInFrame
from pipeline.render.view import AZIMUTH_DEG, Lens, View, view_axes

LARGE_ENOUGH = 0.5
"""Share of the panel's height, which the tallest figure is to take in the median frame."""
NEARLY = 0.93
"""Where that cannot be had, the calmest view is taken that shows people so many times as large as
the best one."""
PATHS_S = (
    (np.inf, np.inf), (6.0, 6.0), (3.0, 3.0), (np.inf, 3.0), (np.inf, 1.5), (np.inf, 1.0),
)  # fmt: skip
"""Ways to follow people, the most wanted first: over how long their mean position is taken, and how
far ahead and back the view keeps free what they need around it, ± seconds. It stands still where
both are infinite; where the first is, it goes only as far as it must."""
MAX_SPEED = 0.7
"""Panel heights a second that the view may move, besides going with the quickest of people."""
ORBIT_S = 12.0
"""Seconds of a turn of the orbiting view."""

BODY_M, HALO_M = 0.08, 0.2
"""Kept free around joints: the body; and at most, one standard deviation where they are unsure."""
EMPTY_DISTANCE_M, EMPTY_MIDDLE_M = 4.0, np.array([0.0, 0.0, 0.9])
"""Where there are no people, the view is that of one who stands still."""
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


class Camera(Protocol):
    """Gives the view of each frame."""

    lens: Lens

    def view(self, frame: Frame, people: Sequence[PersonInFrame]) -> View:
        """The view of a frame with these people in it."""


def reach(joints_m: Floats, sigma_m: Floats, axes: Floats, slopes: tuple[float, float]) -> Floats:
    """What a camera must keep of people.

    Args:
        joints_m: (R, J, 3) metres.
        sigma_m: (R, J) metres, or NaN.
        axes: (3, 3) or (R, 3, 3) of the view.
        slopes: Of its lens.

    Returns:
        (R, 4) metres: to the right, left, up and down; NaN for rows with NaN.
    """
    around = BODY_M + np.nan_to_num(sigma_m).clip(0, HALO_M)
    right, up, forward = np.moveaxis(joints_m @ np.swapaxes(axes, -1, -2), -1, 0)
    across, along = (slope * forward for slope in slopes)
    sides = (right - across, -right - across, up - along, -up - along)
    return np.stack([(side + around).max(-1) for side in sides], -1)


def smooth_upper_envelope(values: Floats, trend: float, window: float) -> Floats:
    """Smooth curves above curves; see the module.

    Args:
        values: (N, K), finite.
        trend: Frames, ±, of the mean that is followed; infinite for none.
        window: w, frames; infinite for the maximum of all.

    Returns:
        (N, K); nowhere below `values`.
    """
    mean = _mean(values, trend, "reflect") if np.isfinite(trend) else np.zeros_like(values)
    if not np.isfinite(window):
        return np.asarray(mean + (values - mean).max(0))
    half = _half(window, len(values))
    above = np.pad(values - mean, ((half, half), (0, 0)), mode="edge")
    highest = sliding_window_view(above, 2 * half + 1, axis=0).max(-1)
    return mean + _mean(highest, window, "edge")


def _half(window: float, count: int) -> int:
    """A window in whole frames, at most as long as the curve."""
    return min(max(round(window), 1), max(count - 1, 0))


def _mean(values: Floats, window: float, end: Literal["edge", "reflect"]) -> Floats:
    """Means of (N, K) over ± `window` frames, with the weights of a Hann window.

    Beyond its ends a curve keeps its value, or goes on as it came: turned about its last point.
    """
    half = _half(window, len(values))
    around = ((half, half), (0, 0))
    if end == "edge":
        padded = np.pad(values, around, mode="edge")
    else:
        padded = np.pad(values, around, mode="reflect", reflect_type="odd")
    weights = np.hanning(2 * half + 3)[1:-1]
    weights /= weights.sum()
    return np.stack([np.convolve(column, weights, "valid") for column in padded.T], 1)


def nearest_position(reaches: Floats, slopes: tuple[float, float]) -> Floats:
    """The nearest camera that keeps reaches (…, 4): (…, 3) to the right, up and forward, metres."""
    right, left, up, down = np.moveaxis(reaches, -1, 0)
    back = np.maximum((right + left) / slopes[0], (up + down) / slopes[1]) / 2
    return np.stack([(right - left) / 2, (up - down) / 2, -back], -1)


class PlannedCamera:
    """A camera that knows the whole clip.

    Args:
        lens: Its panel.
        axes: (N, 3, 3) of each frame, or (1, 3, 3) of all.
        positions: (N, 3) world, metres, or (1, 3).
        first: The index of the first frame.
        share: Of the panel's height that the tallest figure takes, in the median frame with people.
    """

    def __init__(
        self, lens: Lens, axes: Floats, positions: Floats, first: int, share: float
    ) -> None:
        self.lens, self.share = lens, share
        self._axes, self._positions, self._first = axes, positions, first

    def view(self, frame: Frame, people: Sequence[PersonInFrame] = ()) -> View:
        """See `Camera`."""
        return self.view_at(frame.index)

    def view_at(self, frame_index: int) -> View:
        """The view of a frame of the clip; of the nearest one with people, outside of these."""
        number = max(frame_index - self._first, 0)
        axes = self._axes[min(number, len(self._axes) - 1)]
        return View(axes, self._positions[min(number, len(self._positions) - 1)], self.lens)


def plan(
    columns: Columns,
    fps: float,
    lenses: Sequence[Lens],
    cuts: Sequence[int] = (),
) -> PlannedCamera:
    """Plan the views of a clip from behind the video's camera.

    Args:
        columns: Everyone's rows.
        fps: Frames per second.
        lenses: Panels to choose from, the most wanted first.
        cuts: Frames at which the video shows something else: the view may leap there.

    Returns:
        The calmest camera that shows people large enough in the first panel in which one does; else
        the calmest that shows them nearly as large as any does.
    """
    axes = view_axes(np.array([AZIMUTH_DEG]))
    crowd = _Crowd.of(columns)
    if crowd is None:
        position = EMPTY_DISTANCE_M * -axes[:, 2] + EMPTY_MIDDLE_M
        return PlannedCamera(lenses[0], axes, position, 0, 0.0)
    parts, sample = crowd.parts(cuts), crowd.sample()
    cameras: list[list[PlannedCamera]] = [[] for _ in PATHS_S]
    for lens in lenses:
        reaches = crowd.by_frame(partial(_reach, axes=axes[0], lens=lens))
        for path_s, others in zip(PATHS_S, cameras, strict=True):
            trend, window = (seconds * fps for seconds in path_s)
            parted = [_positions(reaches[part], trend, window, lens) for part in parts]
            positions = np.concatenate(parted)
            share, depth_m = _shown(sample, positions, axes[0], lens)
            step_m = max(np.abs(np.diff(part, axis=0)).max(initial=0) for part in parted)
            own_m = step_m - crowd.step_m
            if own_m * fps * lens.focal > MAX_SPEED * depth_m * lens.height:
                continue
            others.append(PlannedCamera(lens, axes, positions @ axes[0], crowd.first, share))
            if share >= LARGE_ENOUGH:
                return others[-1]
    calmest_first = list(chain(*cameras))
    wanted = NEARLY * max(camera.share for camera in calmest_first)
    return next(camera for camera in calmest_first if camera.share >= wanted)


def plan_orbit(columns: Columns, fps: float, lens: Lens, cuts: Sequence[int] = ()) -> PlannedCamera:
    """Plan views that go around people, `ORBIT_S` seconds a turn; arguments as of `plan`."""
    crowd = _Crowd.of(columns)
    if crowd is None:
        return plan(columns, fps, [lens])
    half_turn, parts = ORBIT_S / 2 * fps, crowd.parts(cuts)
    box = crowd.by_frame(_box)  # (N, 4) upper bounds of x, -x, y, -y
    box = np.concatenate([smooth_upper_envelope(box[part], half_turn, half_turn) for part in parts])
    middle = np.stack([box[:, 0] - box[:, 1], box[:, 2] - box[:, 3], np.zeros(len(box))], 1) / 2
    numbers = np.arange(crowd.count) + crowd.first
    axes = view_axes(AZIMUTH_DEG + 360 / ORBIT_S * numbers / fps)

    def around(rows: Rows) -> Floats:
        """The reach of rows (R, 4) from where people's middle is."""
        frames = rows.frame_index - crowd.first
        joints = rows.joints_m - middle[frames, None]
        return reach(joints, rows.sigma_m, axes[frames], lens.slopes)

    reaches = crowd.by_frame(around)
    turned = np.concatenate([_positions(reaches[part], np.inf, half_turn, lens) for part in parts])
    positions = np.einsum("ni,nij->nj", turned, axes) + middle
    return PlannedCamera(lens, axes, positions, crowd.first, np.nan)


def _positions(reaches: Floats, trend: float, window: float, lens: Lens) -> Floats:
    """(N, 3) camera positions in the view's axes that keep reaches (N, 4), and change smoothly."""
    kept = smooth_upper_envelope(reaches, trend, window)
    positions = nearest_position(kept, lens.slopes)
    positions[:, 2] = -smooth_upper_envelope(-positions[:, 2:], trend, window)[:, 0]
    return positions


def _reach(rows: Rows, axes: Floats, lens: Lens) -> Floats:
    return reach(rows.joints_m, rows.sigma_m, axes, lens.slopes)


def _box(rows: Rows) -> Floats:
    """(R, 4) m: upper bounds of x, -x, y, -y."""
    x, y, _ = np.moveaxis(rows.joints_m, -1, 0)
    return np.stack([side.max(-1) for side in (x, -x, y, -y)], -1)


@dataclass(frozen=True)
class _Crowd:
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
    def of(cls, columns: Columns) -> "_Crowd | None":
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


def _shown(
    sample: tuple[NDArray[np.int64], Floats], positions: Floats, axes: Floats, lens: Lens
) -> tuple[float, float]:
    """How people are shown.

    Args:
        sample: Frames and joints of rows; see `_Crowd.sample`.
        positions: (N, 3) of the camera, in the view's axes.
        axes: (3, 3) of the view.
        lens: Its lens.

    Returns:
        The share of the panel's height that the tallest figure takes in the median frame, and the
        median of people's distance along the view, metres.
    """
    frames, joints = sample
    seen = joints @ axes.T - positions[frames, None]
    height = np.ptp(lens.focal * seen[..., 1] / seen[..., 2], axis=1)
    _, starts = np.unique(frames, return_index=True)
    tallest = np.maximum.reduceat(height, starts)
    return float(np.median(tallest)) / lens.height, float(np.median(seen[:, 0, 2]))


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
