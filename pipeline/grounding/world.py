"""Camera space → world space: which way is up, where the floor is, and who stands on it.

Up comes from `gravity`, steps from `feet`, a path on which planted feet stay put from `planting`, legs that reach them
from `legs`, the way of a moving camera from `camera_motion`. Decided here is what people stand on. One camera misjudges
everybody's distance by a few percent, which moves their feet along the line of sight: up or down by about that share of
the camera's height, and by more if up is a little off. So steps that lie nearly on one level are taken to be on one
floor, and each person is moved onto it; steps much higher are on something.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.types import CameraPoses, Floats
from pipeline.grounding.camera_motion import Travel, find_travel
from pipeline.grounding.contacts import ANKLES, Bools, Step, find_steps, foot_speeds, planted
from pipeline.grounding.gravity import LEVEL, up_direction
from pipeline.grounding.leg_ik import pin_feet
from pipeline.grounding.root_path import ANKLE_HEIGHT_M, Footing, keep_above, plant

Camera = Literal["static", "moving"]
CAMERAS: tuple[Camera, ...] = ("static", "moving")

_ONE_FLOOR_M = 0.35  # levels of two people, or of one person's steps, that differ less are one
_FLOOR_SHARE = 0.15  # of all time on feet that must be spent on a level for it to be the floor
_LOW_PERCENTILE = 10.0  # where nobody's feet stand, the floor is where the lowest joints are


@dataclass(frozen=True)
class Mover:
    """One person before one camera: poses of T frames, `frames` (T,) of the video, `feet_seen` (T, 2), left and right.

    Feet that are only guessed plant nobody. Rows whose place is not known (NaN) stay so.
    """

    poses: CameraPoses
    frames: NDArray[np.int64]
    feet_seen: Bools

    @property
    def placed(self) -> Bools:
        """(T,): whether it is known where the person is."""
        return np.asarray(np.isfinite(self.poses.root_m.sum(1) + self.poses.joints_m.sum((1, 2))))

    @property
    def known(self) -> "Mover":
        """Without rows whose place is not known."""
        rows, poses = self.placed, self.poses
        known = CameraPoses(poses.joints_m[rows], poses.root_m[rows], poses.skeleton)
        return Mover(known, self.frames[rows], self.feet_seen[rows])

    def stopped(self, travel: Travel | None) -> "Mover":
        """As seen by a camera that does not travel."""
        return (
            self if travel is None else replace(self, poses=travel.undone(self.poses, self.frames))
        )

    def foot_speeds(self, fps: float) -> Floats:
        """(T, 2) m/s; infinite where a foot is not seen."""
        return np.where(self.feet_seen, foot_speeds(self.poses, fps), np.inf)


@dataclass(frozen=True)
class _Walker:
    """A person on the way to the floor: joints (T, 17, 3) with z up from the camera; K steps, their levels (K,) in
    metres and durations (K,) in seconds."""

    joints: Floats
    steps: list[Step]
    levels: Floats
    seconds: Floats


@dataclass(frozen=True)
class World:
    """What all people of a camera share, world axes: z up, floor at 0, x to the camera's right, y away from it.

    up (3,) unit vector in camera axes; travel of the camera, if it moves; floor_m above the camera, `origin` (3,) below
    the first person's start.
    """

    fps: float
    up: Floats
    travel: Travel | None
    floor_m: float
    origin: Floats

    def ground(self, mover: Mover) -> tuple[Floats, Bools]:
        """World joints (T, 17, 3) m and planted feet (T, 2), left and right, of a person."""
        rows, walker = mover.placed, _walker(mover.known.stopped(self.travel), self.up, self.fps)
        joints, feet = (
            np.full(mover.poses.joints_m.shape, np.nan),
            np.zeros((len(rows), 2), dtype=bool),
        )
        joints[rows] = _stand(walker, self.floor_m, self.fps) - self.origin
        feet[rows] = planted(walker.steps, len(walker.joints))
        return joints, feet


def find_world(movers: Iterable[Mover], fps: float = 30.0, camera: Camera = "static") -> World:
    """The world of all people of one camera, who are gone through several times, one by one."""
    up, travel = LEVEL, None
    for _ in range(
        2 if camera == "moving" else 1
    ):  # up tells what is level motion, and motion which feet stand
        if camera == "moving":
            known = (mover.known for mover in movers)
            travel = find_travel(
                ((one.poses, one.frames, ~one.feet_seen) for one in known), up, fps
            )
        still = _Still(movers, travel)
        up = up_direction(_Poses(still), [mover.foot_speeds(fps) for mover in still], fps)
    floor = _floor(_walker(mover, up, fps) for mover in still)
    first = next((mover for mover in still if len(mover.frames)), None)
    origin = _stand(_walker(first, up, fps), floor, fps)[0, 0] * [1, 1, 0] if first else np.zeros(3)
    return World(fps, up, travel, floor, origin)


@dataclass(frozen=True)
class _Still:
    """People where they are known, seen by a camera that does not travel; to be gone through as often as needed."""

    movers: Iterable[Mover]
    travel: Travel | None

    def __iter__(self) -> Iterator[Mover]:
        return (mover.known.stopped(self.travel) for mover in self.movers)


@dataclass(frozen=True)
class _Poses:
    """Their poses."""

    movers: Iterable[Mover]

    def __iter__(self) -> Iterator[CameraPoses]:
        return (mover.poses for mover in self.movers)


def _walker(mover: Mover, up: Floats, fps: float) -> _Walker:
    """A person without missing rows, before a camera that does not travel."""
    joints = (mover.poses.root_m[:, None] + mover.poses.joints_m) @ world_axes(up).T
    heights = joints[:, ANKLES, 2]
    steps = find_steps(mover.foot_speeds(fps), heights, fps)
    levels = (
        np.array([np.median(heights[step.frames, step.foot]) for step in steps]) - ANKLE_HEIGHT_M
    )
    return _Walker(
        joints, steps, levels, np.array([(step.stop - step.start) / fps for step in steps])
    )


def _floor(walkers: Iterable[_Walker]) -> float:
    """The lowest level that people stand on for a fair share of the time."""
    said = [
        (walker.levels, walker.seconds, _lowest(walker.joints))
        for walker in walkers
        if len(walker.joints)
    ]
    levels, seconds = (np.concatenate([np.zeros(0), *(one[i] for one in said)]) for i in range(2))
    if not len(levels):
        return min((lowest for *_, lowest in said), default=0.0)
    order = np.argsort(levels)
    levels, seconds = levels[order], seconds[order]
    total = np.concatenate([[0.0], np.cumsum(seconds)])
    first = np.searchsorted(levels, levels - _ONE_FLOOR_M / 2, side="right")
    last = np.searchsorted(levels, levels + _ONE_FLOOR_M / 2)
    shares = (total[last] - total[first]) / total[-1]  # of time on nearly the same level
    lowest = np.argmax(shares >= min(_FLOOR_SHARE, shares.max()))
    near = slice(first[lowest], last[lowest])
    return _median(levels[near], seconds[near])


def _stand(walker: _Walker, floor: float, fps: float) -> Floats:
    """(T, 17, 3) of one person on the floor, or on what they climbed."""
    if not len(walker.joints):
        return walker.joints
    levels = walker.levels - floor
    low = levels < _ONE_FLOOR_M  # far below it, too: there is nothing to stand on
    if len(levels):
        shift = _median(levels[low], walker.seconds[low]) if low.any() else 0.0
    else:
        lowest = _lowest(walker.joints) - floor
        shift = lowest if lowest < _ONE_FLOOR_M else 0.0
    joints: Floats = walker.joints - [0.0, 0.0, floor + shift]
    footings = [
        Footing(
            step, 0.0 if level < _ONE_FLOOR_M else _plateau(level, levels, walker.seconds) - shift
        )
        for step, level in zip(walker.steps, levels, strict=True)
    ]
    joints = keep_above(
        joints + plant(joints, np.array([0.0, 0.0, -floor]), footings, fps)[:, None], fps
    )
    return pin_feet(joints, footings, fps)


def _plateau(level: float, levels: Floats, seconds: Floats) -> float:
    """The common level of a person's steps that are about as high as `level`."""
    near = np.abs(levels - level) < _ONE_FLOOR_M / 2
    return _median(levels[near], seconds[near])


def _lowest(joints: Floats) -> float:
    return float(np.percentile(joints[..., 2].min(1), _LOW_PERCENTILE)) - ANKLE_HEIGHT_M


def world_axes(up: Floats) -> Floats:
    """(3, 3) rotation from camera to world axes: rows right, forward, up."""
    right = np.cross([0.0, 0.0, 1.0], up)
    if np.linalg.norm(right) < 1e-3:  # looking straight down or up
        right = np.array([1.0, 0.0, 0.0])
    right = right / np.linalg.norm(right)
    return np.stack([right, np.cross(up, right), up])


def _median(values: Floats, weights: Floats) -> float:
    """Weighted median."""
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)])
