"""Where the 3D view's camera stands, so that it shows people large, whole and without a jerk.

The calmer the view, the smaller the people: the calmest that shows them large enough is taken.
"""

from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.types import Floats, Frame
from pipeline.render.framing.crowd import Columns, Crowd, Rows
from pipeline.render.framing.reach import (
    EMPTY_DISTANCE_M,
    EMPTY_MIDDLE_M,
    nearest_position,
    reach,
    smooth_upper_envelope,
)
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


class Camera(Protocol):
    """Gives the view of each frame."""

    lens: Lens

    def view(self, frame: Frame, people: Sequence[PersonInFrame]) -> View:
        """The view of a frame with these people in it."""


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
    crowd = Crowd.of(columns)
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
    crowd = Crowd.of(columns)
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


def _shown(
    sample: tuple[NDArray[np.int64], Floats], positions: Floats, axes: Floats, lens: Lens
) -> tuple[float, float]:
    """How people are shown.

    Args:
        sample: Frames and joints of rows; see `Crowd.sample`.
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
