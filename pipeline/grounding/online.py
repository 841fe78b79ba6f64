"""The world of a live camera: up and floor are learned from the last seconds and corrected slowly.

Up is estimated as for whole videos (`gravity`, and through it `contacts`), from the last
`_MEMORY_S`. The floor is the lowest level at which a person was recently. Who is nearly as low is
on it, who is higher is on something; levels and thresholds are those of `floor`. Contacts are
decided frame by frame, and heels and toes are held where they set down. The path is not corrected,
and feet of skeletons that end at the ankles are not held: that takes the future.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from core.skeletons import Skeleton
from core.types import CameraPoses, Floats
from pipeline.grounding.axes import LEVEL_UP, world_axes
from pipeline.grounding.feet.contacts import LOW_WITHIN_S, next_contacts
from pipeline.grounding.feet.held import HeldFeet
from pipeline.grounding.feet.soles import HEELS_AND_TOES, Bools, Soles, seen_feet, soles
from pipeline.grounding.floor import SAME_FLOOR_M, floor_deficit, lowest_level
from pipeline.grounding.gravity import up_direction
from pipeline.grounding.person_motion import PersonMotion
from pipeline.grounding.root_path import HeldPath

ONLINE_GROUNDING = (
    "up and floor learned from the last seconds, causal; heels and toes held, path as lifted"
)
"""What the report of a live run says about its grounding."""

_MEMORY_S = 8.0
_MIN_ROWS = 15  # of a person who counts for up and floor
_UP_EVERY_S = 1.0  # between two estimates of up
_FIRST_UP_S = 0.5
_MAX_STEP_S = 0.25  # between two rows; after a longer absence nothing is in contact at first
_MIN_UP_SHARE = 0.1  # of the latest estimate in what is taken to be up
_SETTLE_S = 0.3  # time constant with which a person moves to a new level, and the floor down
_FLOOR_RISE_S = 60.0  # time constant with which the floor moves up when no person is on it any more


@dataclass(frozen=True)
class GroundedPerson:
    """One person in one frame of the world.

    joints_m (J, 3) metres, NaN where the person's position is unknown; contacts (4,) left heel,
    left toe, right heel, right toe.
    """

    joints_m: Floats
    contacts: Bools


@dataclass(frozen=True)
class _Row:
    """A frame: joints_m (J, 3) in camera space, feet_seen (2,), contacts (P,) of the soles."""

    time_s: float
    joints_m: Floats
    feet_seen: Bools
    contacts: Bools


@dataclass
class _PersonHistory:
    """One person's last seconds.

    level: the height in metres that is the floor for this person, relative to the camera, infinite
    before the first. path, feet: what holds them.
    """

    skeleton: Skeleton
    rows: deque[_Row] = field(default_factory=deque)
    level: float = math.inf
    path: HeldPath = field(default_factory=HeldPath)
    feet: HeldFeet = field(default_factory=HeldFeet)

    @property
    def soles(self) -> Soles:
        """By which joints the feet touch the ground."""
        return soles(self.skeleton)

    @property
    def last_s(self) -> float:
        """The time of the last row."""
        return self.rows[-1].time_s

    @property
    def fps(self) -> float:
        """Rows a second over the whole history, absences included."""
        elapsed_s = self.last_s - self.rows[0].time_s
        return (len(self.rows) - 1) / elapsed_s if elapsed_s else 1 / _MAX_STEP_S

    def joints(self) -> Floats:
        """(T, J, 3) metres in camera space."""
        every = np.concatenate([row.joints_m for row in self.rows])
        return every.reshape(len(self.rows), -1, 3)

    def motion(self) -> PersonMotion:
        """The rows as the estimates take them."""
        joints = self.joints()
        poses = CameraPoses(joints - joints[:, :1], joints[:, 0], self.skeleton)
        feet_seen = np.stack([row.feet_seen for row in self.rows])
        return PersonMotion(poses, np.arange(len(joints)), feet_seen)

    def add(self, time_s: float, joints_m: Floats, feet_seen: Bools, up: Floats) -> None:
        """Add the values of a `_Row` and decide its contacts; up (3,) is a unit vector."""
        contacts = np.zeros(len(self.soles.joints), dtype=bool)
        if self.rows and time_s - self.last_s < _MAX_STEP_S:
            recent = [row for row in self.rows if time_s - row.time_s <= LOW_WITHIN_S]
            joints = np.stack([row.joints_m for row in recent] + [joints_m])
            points = joints[:, self.soles.joints]
            heights = points @ up
            contacts = next_contacts(
                self.rows[-1].contacts,
                points[-2:],
                joints[-2:, 0],
                time_s - self.last_s,
                heights[-1] - heights.min(),
                self.soles.feet(feet_seen),
                self.soles,
            )
        self.rows.append(_Row(time_s, joints_m, feet_seen, contacts))

    def standing_level(self, joints: Floats) -> float:
        """The level of what rests on the ground in the last frame of joints (T, J, 3), z up.

        Without contacts, the level at which the person was recently.
        """
        resting = joints[-1, self.soles.joints, 2][self.rows[-1].contacts]
        if not len(resting):
            return lowest_level(joints)
        return float(resting.mean()) - self.soles.height_m


class OnlineWorld:
    """Puts people into a world with z up and the floor at 0, frame by frame.

    The origin is below the first person's first position.
    """

    def __init__(self) -> None:
        self._up = LEVEL_UP
        self._axes = world_axes(LEVEL_UP)
        self._up_estimates = 0
        self._estimates: deque[Floats] = deque()  # that are not in `_up` yet
        self._next_up_s = _FIRST_UP_S
        self._last_s = 0.0
        self._origin: Floats | None = None
        self._floor = math.inf
        self._histories: dict[int, _PersonHistory] = {}

    def update(
        self, time_s: float, people: Mapping[int, tuple[CameraPoses, Floats]]
    ) -> dict[int, GroundedPerson]:
        """Put the people of one frame into the world as it is known.

        Args:
            time_s: Time of the frame; rises from call to call.
            people: By track, one row of poses and the scores (K,) of the keypoints from which it
                was lifted, COCO-17's first.

        Returns:
            The people by track.
        """
        while self._estimates:
            self._move_up(self._estimates.popleft())
        self._remember(time_s, people)
        elapsed_s = time_s - self._last_s
        self._last_s = time_s

        present = {
            track_id: history
            for track_id, history in self._histories.items()
            if history.last_s == time_s
        }
        joints = {
            track_id: history.joints() @ self._axes.T for track_id, history in present.items()
        }
        levels = {track_id: lowest_level(joints[track_id]) for track_id in present}
        self._update_floor(
            [levels[track_id] for track_id in present if len(joints[track_id]) >= _MIN_ROWS],
            elapsed_s,
        )
        grounded = {
            track_id: GroundedPerson(np.full(pose.joints_m.shape[1:], np.nan), np.zeros(4, bool))
            for track_id, (pose, _) in people.items()
        }
        for track_id, history in present.items():
            is_on_floor = levels[track_id] - self._floor < SAME_FLOOR_M
            goal = history.standing_level(joints[track_id]) if is_on_floor else self._floor
            history.level = _approach(goal, history.level, elapsed_s, _SETTLE_S)
            above = 0.0 if is_on_floor else levels[track_id] - history.level
            grounded[track_id] = self._to_world(history, joints[track_id], above, elapsed_s)
        return grounded

    def learn(self) -> Callable[[], None] | None:
        """Begin to learn where up is from the last seconds.

        Returns:
            What does so, for a while, in any thread; None where it is not due. What is learned
            counts from the next `update` on that is begun afterwards.
        """
        if self._last_s < self._next_up_s:
            return None
        self._next_up_s = self._last_s + _UP_EVERY_S
        histories = [
            history for history in self._histories.values() if len(history.rows) >= _MIN_ROWS
        ]
        if not histories:
            return None
        motions = [history.motion() for history in histories]
        return partial(self._estimate_up, motions, [history.fps for history in histories])

    def _remember(self, time_s: float, people: Mapping[int, tuple[CameraPoses, Floats]]) -> None:
        """Drop rows older than `_MEMORY_S` and add those of people whose position is known."""
        for track_id, history in list(self._histories.items()):
            while history.rows and time_s - history.rows[0].time_s > _MEMORY_S:
                history.rows.popleft()
            if not history.rows:
                del self._histories[track_id]
        for track_id, (pose, scores) in people.items():
            joints = pose.root_m[0] + pose.joints_m[0]
            if np.isfinite(joints).all():
                history = self._histories.setdefault(track_id, _PersonHistory(pose.skeleton))
                history.add(time_s, joints, seen_feet(scores), self._up)

    def _estimate_up(self, motions: list[PersonMotion], rates: list[float]) -> None:
        """Estimate up from people's last seconds, at so many rows a second."""
        speeds = [motion.foot_speeds(fps) for motion, fps in zip(motions, rates, strict=True)]
        # All durations are counted at the last person's rate. Who was away has a lower one than the
        # source, so contacts are then a little too easily long enough.
        self._estimates.append(up_direction(motions, speeds, rates[-1]))

    def _move_up(self, estimate: Floats) -> None:
        """Move up towards its latest estimate.

        The share of the k-th estimate is 1 / k, which makes up their mean, but at least
        `_MIN_UP_SHARE`, from where on up is an exponential moving average.
        """
        self._up_estimates += 1
        share = max(1 / self._up_estimates, _MIN_UP_SHARE)
        up = self._up + share * (estimate - self._up)
        self._set_up(up / np.linalg.norm(up))

    def _set_up(self, up: Floats) -> None:
        """Change up; levels move along, so that they stay under the people who are on them.

        A person at x is at height u·x, so a change of u raises them, and the level under them, by
        Δu·x.
        """
        rises = []
        for history in self._histories.values():
            pelvis = history.rows[-1].joints_m[0]
            rise = float((up - self._up) @ pelvis)
            history.level += rise
            rises.append(rise)
        if rises:
            self._floor += float(np.mean(rises))
        self._up = up
        self._axes = world_axes(up)

    def _update_floor(self, levels: list[float], elapsed_s: float) -> None:
        """Move the floor towards the lowest of the levels (if any): fast down, slowly up."""
        if levels:
            lowest = min(levels)
            settle_s = _SETTLE_S if lowest < self._floor else _FLOOR_RISE_S
            self._floor = _approach(lowest, self._floor, elapsed_s, settle_s)

    def _to_world(
        self, history: _PersonHistory, joints: Floats, above_floor_m: float, elapsed_s: float
    ) -> GroundedPerson:
        """A person of joints (T, J, 3), z up from the camera, who is so far above the floor."""
        if self._origin is None:
            self._origin = joints[-1, 0] * [1.0, 1.0, 0.0]
        in_world = joints - self._origin - [0.0, 0.0, history.level]
        in_world[..., 2] += floor_deficit(in_world)[:, None]
        contacts = history.rows[-1].contacts
        points = in_world[-1, history.soles.joints]
        in_world += history.path.offset(points, contacts, elapsed_s)
        last = in_world[-1]
        if history.soles is HEELS_AND_TOES:
            last = history.feet.hold(in_world, contacts, above_floor_m, elapsed_s)
        return GroundedPerson(last, history.soles.four(contacts))


def _approach(goal: float, value: float, elapsed_s: float, settle_s: float) -> float:
    """First-order lag: `value` moved towards the goal by 1 - exp(-t / τ) of the way.

    The goal itself where there is no value yet (infinite).
    """
    if not math.isfinite(value):
        return goal
    return value + (goal - value) * (1 - math.exp(-elapsed_s / settle_s))
