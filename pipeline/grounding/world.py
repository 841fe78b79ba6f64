"""Camera space → world space: which way is up, where the floor is, and what people rest on.

The parts are estimated elsewhere: up in `gravity`, contacts and legs in `feet`, the floor in
`floor`, the path in `root_path`, a moving camera in `camera_motion`. Decided here is which contacts
are on the floor. One camera misjudges people's distances by a few percent, which moves their feet
along the line of sight: up or down by about that share of the camera's height, and by more if up is
a little off. So contacts nearly on one level are taken to be on one floor, and each person is moved
onto it; contacts much higher are on something.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from core.types import Floats
from pipeline.grounding.axes import LEVEL_UP, world_axes
from pipeline.grounding.camera_motion import CameraPath, estimate_camera_path
from pipeline.grounding.feet.contacts import (
    Contact,
    Support,
    contact_mask,
    contact_medians,
    find_contacts,
    marked_contacts,
)
from pipeline.grounding.feet.leg_ik import pin_ankles
from pipeline.grounding.feet.planting import level_feet, plant_feet
from pipeline.grounding.feet.soles import HEELS_AND_TOES, Bools, Soles
from pipeline.grounding.floor import (
    SAME_FLOOR_M,
    common_level,
    floor_level,
    lowest_level,
    raise_above_floor,
    weighted_median,
)
from pipeline.grounding.gravity import up_direction
from pipeline.grounding.options import Camera
from pipeline.grounding.person_motion import PersonMotion
from pipeline.grounding.root_path import solve_root_path


@dataclass(frozen=True)
class World:
    """What all people of one camera share. Axes: z up, floor at 0, x to the camera's right, y away.

    fps of the video; up (3,) unit vector in camera axes; camera_path of a moving camera; floor_m
    the floor's height relative to the camera, metres; origin (3,) the point of the floor below the
    first person's start, in world axes from the camera.
    """

    fps: float
    up: Floats
    camera_path: CameraPath | None
    floor_m: float
    origin: Floats

    def ground(self, motion: PersonMotion) -> tuple[Floats, Bools]:
        """Put one person into the world.

        Args:
            motion: T frames, of the camera of which this is the world.

        Returns:
            World joints (T, J, 3) metres, NaN where the person's position is unknown, and contacts
            (T, 4) bool: left heel, left toe, right heel, right toe. Heel and toe are the same where
            the skeleton ends at the ankles.
        """
        known = motion.is_known
        joints = np.full(motion.poses.joints_m.shape, np.nan)
        contacts = np.zeros((len(known), 4), dtype=bool)
        person = _turn_upright(_as_static(motion, self.camera_path), self.up, self.fps)
        joints[known] = _put_on_floor(person, self.floor_m, self.fps) - self.origin
        contacts[known] = person.soles.four(person.contact_mask)
        return joints, contacts


def estimate_world(
    motions: Iterable[PersonMotion], fps: float = 30.0, camera: Camera = "static"
) -> World:
    """Estimate up, floor and the camera's path from all people of one camera.

    Args:
        motions: Iterated over several times; only one motion is held at a time.
        fps: Frames a second.
        camera: Whether the camera moves.

    Returns:
        The world; a level camera above a floor at its own height where no position is known.
    """
    up: Floats = LEVEL_UP
    path = None
    # Up says which motion is level, and level motion which feet rest: a moving camera takes two
    # rounds.
    for _ in range(2 if camera == "moving" else 1):
        if camera == "moving":
            path = estimate_camera_path(_StaticMotions(motions, None), up, fps)
        static = _StaticMotions(motions, path)
        up = up_direction(static, [motion.foot_speeds(fps) for motion in static], fps)
    floor_m = _estimate_floor(_turn_upright(motion, up, fps) for motion in static)
    first = next((motion for motion in static if len(motion.frames)), None)
    origin = np.zeros(3)
    if first is not None:
        joints = _put_on_floor(_turn_upright(first, up, fps), floor_m, fps)
        origin = joints[0, 0] * [1, 1, 0]
    return World(fps, up, path, floor_m, origin)


def _as_static(motion: PersonMotion, path: CameraPath | None) -> PersonMotion:
    """The known rows of a motion, as a camera sees them that does not travel."""
    return motion.known if path is None else path.as_static(motion.known)


@dataclass(frozen=True)
class _StaticMotions:
    """`_as_static` of each motion, made anew in each iteration so that none need stay in memory."""

    motions: Iterable[PersonMotion]
    path: CameraPath | None

    def __iter__(self) -> Iterator[PersonMotion]:
        return (_as_static(motion, self.path) for motion in self.motions)


@dataclass(frozen=True)
class _UprightPerson:
    """A person in world axes from the camera: joints (T, J, 3) metres, z up; K contacts of soles.

    levels (K,) of the contacts in metres, relative to the camera, and their durations seconds (K,).
    """

    joints: Floats
    soles: Soles
    contacts: list[Contact]
    levels: Floats
    seconds: Floats

    @property
    def contact_mask(self) -> Bools:
        """(T, P) which joints of the soles are in contact."""
        return contact_mask(self.contacts, len(self.joints), self.soles)


def _turn_upright(motion: PersonMotion, up: Floats, fps: float) -> _UprightPerson:
    """Turn a motion without unknown rows to world axes, find its contacts, level its feet."""
    poses = motion.poses
    joints: Floats = (poses.root_m[:, None] + poses.joints_m) @ world_axes(up).T
    soles = motion.soles
    contacts = find_contacts(motion.foot_speeds(fps), joints[:, soles.joints, 2], fps, soles)
    if motion.marked is not None:
        contacts = marked_contacts(contacts, motion.marked, soles)
    if soles is HEELS_AND_TOES:
        joints = level_feet(joints, contact_mask(contacts, len(joints), soles), fps)
    levels = contact_medians(joints[:, soles.joints, 2], contacts) - soles.height_m
    seconds = np.array([(contact.stop - contact.start) / fps for contact in contacts])
    return _UprightPerson(joints, soles, contacts, levels, seconds)


def _estimate_floor(people: Iterable[_UprightPerson]) -> float:
    """The floor's height relative to the camera: from all contacts, else from the lowest joints."""
    levels: list[Floats] = [np.zeros(0)]
    seconds: list[Floats] = [np.zeros(0)]
    lowest: list[float] = []
    for person in people:
        if len(person.joints):
            levels.append(person.levels)
            seconds.append(person.seconds)
            lowest.append(lowest_level(person.joints))
    all_levels = np.concatenate(levels)
    if not len(all_levels):
        return min(lowest, default=0.0)
    return floor_level(all_levels, np.concatenate(seconds))


def _put_on_floor(person: _UprightPerson, floor_m: float, fps: float) -> Floats:
    """(T, J, 3) of one person on a floor at 0, or on what they climbed; feet in contact rest."""
    if not len(person.joints):
        return person.joints
    # The error of this person's own level: the median height of contacts that are on the floor.
    # Contacts below it are on it, too: there is nothing else to rest on.
    heights = person.levels - floor_m
    on_floor = heights < SAME_FLOOR_M
    shift = 0.0
    if len(heights):
        if on_floor.any():
            shift = weighted_median(heights[on_floor], person.seconds[on_floor])
    else:
        lowest = lowest_level(person.joints) - floor_m
        if lowest < SAME_FLOOR_M:
            shift = lowest
    joints: Floats = person.joints - [0.0, 0.0, floor_m + shift]

    supports = []
    for contact, height, is_on_floor in zip(person.contacts, heights, on_floor, strict=True):
        level = 0.0 if is_on_floor else common_level(height, heights, person.seconds) - shift
        supports.append(Support(contact, level))
    camera = np.array([0.0, 0.0, -floor_m])
    joints = joints + solve_root_path(joints, camera, person.soles, supports, fps)[:, None]
    joints = raise_above_floor(joints, fps)
    plant = plant_feet if person.soles is HEELS_AND_TOES else pin_ankles
    return plant(joints, supports, fps)
