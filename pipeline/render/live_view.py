"""The picture of a live run: side by side as for files, on a stage that grows with the people."""

from collections.abc import Sequence

import numpy as np

from core.skeletons import H36M_17
from core.types import Floats, Frame, Picture, VideoInfo, WorldPoses
from pipeline.render.compose import SideBySide
from pipeline.render.person import PersonInFrame

_MARGIN_M = 1.5  # added around the people when the stage grows
_HEADROOM_M = 0.2
_MAX_DISTANCE_M = 25.0  # joints beyond it are misjudged
_MAX_FRAMES_OUTSIDE = 8  # after which the stage grows


class LiveView:
    """Composes the frames of a live source; the size of the picture never changes.

    Args:
        info: The source.
    """

    def __init__(self, info: VideoInfo) -> None:
        self._info = info
        self._low, self._high = np.zeros(3), np.zeros(3)
        self._frames_outside = _MAX_FRAMES_OUTSIDE  # the stage grows at once for the first person
        self._side_by_side = self._build()

    def draw(self, frame: Frame, people: Sequence[PersonInFrame]) -> Picture:
        """Compose one frame.

        Args:
            frame: The source's frame; it is not changed.
            people: The people in it.

        Returns:
            A new picture (H, W, 3) RGB.
        """
        joints = np.array([person.joints_world_m for person in people]).reshape(-1, 3)
        joints = joints[(np.abs(joints) < _MAX_DISTANCE_M).all(1)]
        if len(joints):
            self._grow(joints)
        return self._side_by_side.draw(frame, people)

    def _grow(self, joints: Floats) -> None:
        """Build a larger stage once joints (N, 3) m are outside the present one for some frames."""
        if (joints >= self._low).all() and (joints <= self._high).all():
            self._frames_outside = 0
            return
        self._frames_outside += 1
        if self._frames_outside > _MAX_FRAMES_OUTSIDE:
            margin = np.array([_MARGIN_M, _MARGIN_M, _HEADROOM_M])
            self._low = np.minimum(self._low, joints.min(0) - _MARGIN_M)
            self._high = np.maximum(self._high, joints.max(0) + margin)
            self._side_by_side = self._build()
            self._frames_outside = 0

    def _build(self) -> SideBySide:
        """A view whose stage is the box from `_low` to `_high`: two poses lie at its corners."""
        corners = np.stack(
            [np.tile(corner, (len(H36M_17), 1)) for corner in (self._low, self._high)]
        )
        return SideBySide(self._info, [WorldPoses(corners, "none: a box", H36M_17)])
