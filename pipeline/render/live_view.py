"""The picture of a live run: as of files, by a camera that does not know what comes."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.types import Floats, Frame, Picture, VideoInfo
from pipeline.render.framing.reach import (
    EMPTY_DISTANCE_M,
    EMPTY_MIDDLE_M,
    nearest_position,
    reach,
)
from pipeline.render.modes import composer_seen_by
from pipeline.render.options import RenderOptions
from pipeline.render.person import PersonInFrame
from pipeline.render.view import AZIMUTH_DEG, Lens, View, view_axes

_REMEMBERED_S = 2.0  # for which room is kept where people were
_SPARE_M = 0.22  # kept free around people, besides
_SPEED_S, _MAX_SPEED_M_S = 0.2, 3.0  # over how long speeds are measured; what is believed of them
_ANSWER_S = 0.3  # after which the camera is on its way: 1 / ω of the spring
_SOFTEN_S = 0.25  # over which leaps of where it should be are spread
_MAX_STEP_S = 0.2  # of the spring, whatever the time between frames
_MAX_DISTANCE_M = 25.0  # joints beyond it are misjudged


class _Reach(NamedTuple):
    """Reaches (4,) m of everyone at a time: as they were, and as they are kept."""

    time_s: float
    now: Floats
    kept: Floats


class FollowingCamera:
    """A camera that keeps room for where people were of late, and follows them as by a spring.

    With x the camera and x' the nearest position that keeps the largest reaches of the last
    `_REMEMBERED_S` seconds, itself followed by x'' at a rate of 1 / `_SOFTEN_S`, the camera moves
    by ẍ = ω² (x'' - x) - 2 ω ẋ, which is critically damped. The step from frame to frame is the
    equation's exact solution. Behind what moves evenly it would lag by 2 / ω + `_SOFTEN_S`
    seconds, for which reaches are carried on.

    Args:
        lens: Its panel.
    """

    def __init__(self, lens: Lens) -> None:
        self.lens = lens
        self._axes = view_axes(AZIMUTH_DEG)
        self._recent: deque[_Reach] = deque()
        self._position: Floats | None = None  # (3,) in the view's axes
        self._wanted: Floats | None = None  # where it should be, without leaps
        self._velocity = np.zeros(3)
        self._time_s = 0.0

    def view(self, frame: Frame, people: Sequence[PersonInFrame]) -> View:
        """See `Camera`."""
        self._remember(frame.time_s, people)
        if self._recent:
            self._move(frame.time_s)
        if self._position is None:
            position = EMPTY_DISTANCE_M * -self._axes[2] + EMPTY_MIDDLE_M
        else:
            position = self._position @ self._axes
        return View(self._axes, position, self.lens)

    def _remember(self, time_s: float, people: Sequence[PersonInFrame]) -> None:
        shown = [
            reach(
                person.joints_world_m[None], person.joint_sigma_m[None], self._axes,
                self.lens.slopes,
            )[0]
            for person in people
            if (np.abs(person.joints_world_m) < _MAX_DISTANCE_M).all()
        ]  # fmt: skip
        if not shown:
            return
        now = np.max(shown, axis=0)
        self._recent.append(_Reach(time_s, now, now + _SPARE_M + self._coming(time_s, now)))
        while self._recent[0].time_s < time_s - _REMEMBERED_S:
            self._recent.popleft()

    def _coming(self, time_s: float, now: Floats) -> Floats:
        """(4,) m that people will need besides, when the camera has come to where it is wanted."""
        before = [one for one in self._recent if one.time_s <= time_s - _SPEED_S]
        if not before:
            return np.zeros(4)
        speed = (now - before[-1].now) / (time_s - before[-1].time_s)
        return np.asarray((2 * _ANSWER_S + _SOFTEN_S) * speed.clip(0, _MAX_SPEED_M_S))

    def _move(self, time_s: float) -> None:
        highest = np.max([one.kept for one in self._recent], axis=0)
        wanted = nearest_position(highest, self.lens.slopes)
        if self._position is None or self._wanted is None:  # nobody was there to be followed
            self._position = self._wanted = wanted
        step_s = min(max(time_s - self._time_s, 0.0), _MAX_STEP_S)
        self._wanted = wanted + (self._wanted - wanted) * np.exp(-step_s / _SOFTEN_S)
        rate = 1 / _ANSWER_S
        off, decay = self._position - self._wanted, np.exp(-rate * step_s)
        push = self._velocity + rate * off
        self._position = self._wanted + (off + push * step_s) * decay
        self._velocity = (self._velocity - rate * push * step_s) * decay
        self._time_s = time_s


class LiveView:
    """Composes the frames of a live source; the size of the picture never changes.

    Args:
        info: The source.
        options: What is drawn; with "none", the side-by-side view, for pages and previews.
    """

    def __init__(self, info: VideoInfo, options: RenderOptions) -> None:
        def camera(lenses: Sequence[Lens]) -> FollowingCamera:
            return FollowingCamera(lenses[0])

        self._composer = composer_seen_by(camera, options, info)

    def draw(self, frame: Frame, people: Sequence[PersonInFrame]) -> Picture:
        """Compose one frame.

        Args:
            frame: The source's frame; it is not changed.
            people: The people in it.

        Returns:
            A new picture (H, W, 3) RGB.
        """
        return self._composer.draw(frame, people)
