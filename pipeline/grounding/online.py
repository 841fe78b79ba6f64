"""A world that is learned while it is filmed: up and floor from the last seconds, corrected slowly.

Up is told as for whole videos (`pipeline.grounding.gravity`). The floor is the lowest level that anybody was at of late; whoever
is nearly as low stands on it, and whoever is higher stands on something. Feet are not pinned: that takes the future.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.skeletons import COCO_17, H36M_17
from core.types import CameraPoses, Floats
from pipeline.grounding.contacts import Bools, foot_speeds
from pipeline.grounding.gravity import LEVEL, up_direction
from pipeline.grounding.root_path import ANKLE_HEIGHT_M
from pipeline.grounding.world import world_axes

GROUNDING = "up and floor learned from the last seconds, causal; feet not pinned"

_FEET = COCO_17.indices(("left_ankle", "right_ankle"))
_MEMORY_S = 8.0
_LEAST_ROWS = 15  # of a person that say something about up
_LEARN_EVERY_S = 1.0
_LEAST_SHARE = 0.1  # of the newest opinion in what up is taken to be
_LOW_PERCENTILE = 10.0
_SETTLE_S = 0.7  # in which somebody moves most of the way to a floor that is found to be elsewhere
_FLOOR_RISES_S = 60.0  # the same for a floor that nobody is on any more
_ONE_FLOOR_M = 0.35  # levels of two people that differ less are one
_CLEARANCE_M = 0.03  # of any joint above the floor


@dataclass
class _Walker:
    """What is remembered of a person: time, joints (17, 3) in camera space, whether each foot was seen; the height that
    is the floor for them."""

    rows: deque[tuple[float, Floats, Bools]] = field(default_factory=deque)
    level: float = math.inf

    def joints(self) -> Floats:
        """(T, 17, 3)."""
        return np.stack([row[1] for row in self.rows])


class LiveWorld:
    """Puts people into a world with z up and the floor at 0, frame by frame; the origin is below the first person."""

    def __init__(self) -> None:
        self._up = LEVEL
        self._axes = world_axes(LEVEL)
        self._opinions = 0
        self._next_s, self._last_s = 0.5, 0.0
        self._origin: Floats | None = None
        self._floor = math.inf
        self._walkers: dict[int, _Walker] = {}

    def place(
        self, time_s: float, people: Mapping[int, tuple[CameraPoses, Floats]]
    ) -> dict[int, Floats]:
        """World joints (17, 3) by track; `people` are one row of poses and the keypoints' scores (17,) each.

        NaN for somebody of whom it is not known where they are.
        """
        self._forget(time_s)
        for track_id, (pose, scores) in people.items():
            joints = pose.root_m[0] + pose.joints_m[0]
            if np.isfinite(joints).all():
                walker = self._walkers.setdefault(track_id, _Walker())
                walker.rows.append((time_s, joints, scores[_FEET] > 0))
        if time_s >= self._next_s:
            self._next_s = time_s + _LEARN_EVERY_S
            self._learn_up()
        elapsed_s, self._last_s = time_s - self._last_s, time_s
        here = {
            track_id: walker
            for track_id, walker in self._walkers.items()
            if walker.rows[-1][0] == time_s
        }
        turned = {track_id: walker.joints() @ self._axes.T for track_id, walker in here.items()}
        levels = {track_id: _lowest(joints) for track_id, joints in turned.items()}
        floor = self._find_floor(
            [levels[one] for one in here if len(turned[one]) >= _LEAST_ROWS], elapsed_s
        )
        placed = {track_id: np.full((len(H36M_17), 3), np.nan) for track_id in people}
        for track_id, walker in here.items():
            is_near = levels[track_id] - floor < _ONE_FLOOR_M
            stands_on = levels[track_id] if is_near else floor
            walker.level = _towards(stands_on, walker.level, elapsed_s, _SETTLE_S)
            placed[track_id] = self._placed(turned[track_id][-1], walker.level)
        return placed

    def _forget(self, time_s: float) -> None:
        for track_id, walker in list(self._walkers.items()):
            while walker.rows and time_s - walker.rows[0][0] > _MEMORY_S:
                walker.rows.popleft()
            if not walker.rows:
                del self._walkers[track_id]

    def _learn_up(self) -> None:
        people, speeds, fps = [], [], 30.0
        for walker in self._walkers.values():
            if len(walker.rows) < _LEAST_ROWS:
                continue
            times = [row[0] for row in walker.rows]
            fps = (len(times) - 1) / (times[-1] - times[0])
            joints = walker.joints()
            pose = CameraPoses(joints - joints[:, :1], joints[:, 0], H36M_17)
            seen = np.stack([row[2] for row in walker.rows])
            people.append(pose)
            speeds.append(np.where(seen, foot_speeds(pose, fps), np.inf))
        if not people:
            return
        self._opinions += 1
        share = max(1 / self._opinions, _LEAST_SHARE)
        up = self._up + share * (up_direction(people, speeds, fps) - self._up)
        self._lean_to(up / np.linalg.norm(up))

    def _lean_to(self, up: Floats) -> None:
        """Take `up` for up; the floors that people are on stay where they are under them."""
        rises = [
            float((up - self._up) @ walker.rows[-1][1][0]) for walker in self._walkers.values()
        ]
        for walker, rise in zip(self._walkers.values(), rises, strict=True):
            walker.level += rise
        self._floor += float(np.mean(rises))
        self._up, self._axes = up, world_axes(up)

    def _find_floor(self, levels: list[float], elapsed_s: float) -> float:
        """The floor, after the levels of those who are there were heard; infinitely high before the first."""
        if levels:
            lowest = min(levels)
            settle_s = _SETTLE_S if lowest < self._floor else _FLOOR_RISES_S
            self._floor = _towards(lowest, self._floor, elapsed_s, settle_s)
        return self._floor

    def _placed(self, joints: Floats, level: float) -> Floats:
        """Joints (17, 3) with z up above a level, nobody's below the floor."""
        if self._origin is None:
            self._origin = joints[0] * [1.0, 1.0, 0.0]
        placed = joints - self._origin - [0.0, 0.0, level]
        placed[:, 2] += max(_CLEARANCE_M - placed[:, 2].min(), 0.0)
        return np.asarray(placed)


def _lowest(joints: Floats) -> float:
    """The level that the person of joints (T, 17, 3) with z up was at when lowest."""
    return float(np.percentile(joints[..., 2].min(1), _LOW_PERCENTILE)) - ANKLE_HEIGHT_M


def _towards(goal: float, value: float, elapsed_s: float, settle_s: float) -> float:
    """`value` nearer to the goal, a third of the way left after `settle_s`; the goal where there is no value yet."""
    return (
        value + (goal - value) * (1 - math.exp(-elapsed_s / settle_s))
        if math.isfinite(value)
        else goal
    )
