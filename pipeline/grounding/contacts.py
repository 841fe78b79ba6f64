"""Foot contacts: when heels and toes rest on the ground, from their speeds and heights.

A stance begins with the heel's contact (or the toe's, in running), becomes foot-flat with both, and
ends with the toe's alone, after the heel has left. A skeleton that ends at the ankles has less to
tell: an ankle hardly moves while its foot is flat and starts to turn about the toes when the heel
lifts, so its contact is the foot-flat part of a stance, about half of it in walking. The offline
and the online world find contacts through this file alone.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.rotations import unit_vectors
from core.runs import true_runs
from core.skeletons import FOOT_KEYPOINTS, H36M_17, H36M_21, Skeleton
from core.types import Floats

Bools = NDArray[np.bool_]
Foot = Literal["left", "right"]
_FEET: tuple[Foot, Foot] = ("left", "right")

ANKLES = H36M_17.indices(("l_ankle", "r_ankle"))
"""Joints of the feet; axes of length 2 are left, right everywhere in this package."""

ANKLE_HEIGHT_M = 0.08
"""How far an ankle is above the sole of a flat foot."""


@dataclass(frozen=True)
class Soles:
    """The joints by which feet touch the ground, P of them, and how they do.

    joints (P,) those of the left foot, then as many of the right one; height_m of such a joint
    above the ground in contact. A contact begins where a low joint is slower than enter_m_s in one
    frame and lasts as far, both ways, as it is slower than leave_m_s; a joint more than low_m above
    the lowest one nearby in time is in the air. Where the body travels, the limits are as much
    higher as makes the second one travel_share of the body's speed.
    """

    joints: list[int]
    height_m: float
    enter_m_s: float
    leave_m_s: float
    low_m: float
    travel_share: float

    def feet(self, of_feet: Bools) -> Bools:
        """(…, P) of (…, 2): what is true of a foot is true of its joints."""
        return np.repeat(of_feet, len(self.joints) // 2, axis=-1)

    def four(self, of_joints: Bools) -> Bools:
        """(…, 4) left heel, left toe, right heel, right toe, of (…, P)."""
        return np.repeat(of_joints, 4 // len(self.joints), axis=-1)

    @property
    def four_joints(self) -> list[int]:
        """The joints that stand for left heel, left toe, right heel, right toe."""
        return np.repeat(self.joints, 4 // len(self.joints)).tolist()

    def of_four(self, heels_and_toes: Bools) -> Bools:
        """(T, P) of (T, 4): what is true of a heel or toe is true of the ankle in its place."""
        of_joints = heels_and_toes.reshape(len(heels_and_toes), len(self.joints), -1)
        return np.asarray(of_joints.any(-1))


_ANKLE_SOLES = Soles(ANKLES, ANKLE_HEIGHT_M, 0.35, 0.6, 0.15, 0.0)
HEELS_AND_TOES = Soles(
    H36M_21.indices(("l_heel", "l_toe", "r_heel", "r_toe")), 0.0, 0.5, 0.6, 0.13, 0.75
)

LOW_WITHIN_S = 0.4
"""What "nearby in time" means, to either side."""
_MIN_CONTACT_S = 0.1  # shorter contacts are dropped, closed gaps counted; a shorter clip is exempt
_MAX_GAP_S = 0.1  # contacts no farther apart are one contact, interrupted by noise
_APEX_ASIDE_S = 0.15  # how far to either side of a contact an apex is looked for
_APEX_M = 0.04  # a foot that is lower than its contact by this on both sides is at a jump's apex
_FASTEST_M_S = 1.5  # `leave_m_s` of the fastest body
_CAUSAL_SPEED = 1.4  # by how much limits of speed are higher where the future is not known
_DEPTH_SHARE = 0.35  # share of the speed along the line of sight that counts: depth is noisier
_MAX_STEP_S = 0.5  # rows farther apart than this do not belong to one stance


@dataclass(frozen=True)
class Contact:
    """One joint of a foot on the ground in frames `start` to `stop` - 1.

    point: the joint's index in `Soles.joints`.
    """

    point: int
    start: int
    stop: int

    @property
    def frames(self) -> slice:
        """The rows of this contact."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class Support:
    """A contact and the height of the ground under it, metres above the floor."""

    contact: Contact
    level_m: float


@dataclass(frozen=True)
class Stance:
    """One foot on the ground, from its strike to toe-off, in seconds.

    flat_s: when heel and toe first rest together; heel_off_s: when the heel leaves the ground
    before the toe does. None where there was no such moment, or it is out of view.
    """

    foot: Foot
    heel_strike_s: float | None
    flat_s: float | None
    heel_off_s: float | None
    toe_off_s: float | None


def soles(skeleton: Skeleton) -> Soles:
    """The joints by which a skeleton's feet touch the ground: heels and toes, else ankles."""
    return HEELS_AND_TOES if "l_heel" in skeleton.joints else _ANKLE_SOLES


def seen_feet(keypoint_scores: Floats) -> Bools:
    """Tell which feet a detector saw.

    Args:
        keypoint_scores: (…, K) scores of keypoints, COCO-17's first; 0 where one was filled in.

    Returns:
        (…, 2) bool, left and right.
    """
    return np.asarray(keypoint_scores[..., FOOT_KEYPOINTS] > 0)


def foot_speeds(points_m: Floats, root_m: Floats, seen: Bools, fps: float, soles: Soles) -> Floats:
    """Compute the speeds of joints of the feet, for the limits of a body that stands.

    With a joint's velocity v and line of sight s (unit), its speed is |v - (1 - k) (v·s) s|, where
    k is the share of the speed in depth that counts. A foot that pushes off turns about the tip of
    its toes, faster where the body travels faster: the toe has left when it is as fast as the body
    (Zeni et al., Gait & Posture 27, 2008, who read toe-off from where it is farthest behind). So
    speeds are divided by what limits are raised by, see `Soles`.

    Args:
        points_m: (T, P, 3) metres in camera space.
        root_m: (T, 3) the pelvis, likewise.
        seen: (T, P) bool.
        fps: Frames a second.
        soles: What the joints are.

    Returns:
        (T, P) m/s; infinite where a joint is not seen, so that it has no contact there.
    """
    points_m = np.concatenate([points_m, root_m[:, None]], axis=1)
    velocity = np.gradient(points_m, axis=0) * fps if len(points_m) > 1 else 0.0 * points_m
    return np.where(seen, _relative_speeds(velocity, points_m, soles), np.inf)


def next_contacts(
    before: Bools,
    points_m: Floats,
    root_m: Floats,
    elapsed_s: float,
    clearance_m: Floats,
    seen: Bools,
    soles: Soles,
) -> Bools:
    """Decide contacts of the last of some frames, from the past alone, by the same hysteresis.

    The last difference of positions is noisier than one to either side, so more speed is let pass.
    What is too short to be a contact cannot be known yet.

    Args:
        before: (P,) contacts of the frame before.
        points_m: (2, P, 3) metres in camera space in the frame before and in the last one.
        root_m: (2, 3) the pelvis, likewise.
        elapsed_s: Seconds from one to the other.
        clearance_m: (P,) heights above the lowest joint in the last `LOW_WITHIN_S`.
        seen: (P,) whether the joints' feet are seen.
        soles: What the joints are.

    Returns:
        (P,) bool.
    """
    points_m = np.concatenate([points_m, root_m[:, None]], axis=1)
    velocity = np.diff(points_m, axis=0)[0] / elapsed_s
    speeds = _relative_speeds(velocity, points_m[1], soles, _CAUSAL_SPEED)
    limits = np.where(before, soles.leave_m_s, soles.enter_m_s)
    return np.asarray(seen & (clearance_m < soles.low_m) & (speeds < limits))


def find_contacts(speeds: Floats, heights: Floats, fps: float, soles: Soles) -> list[Contact]:
    """Find contacts by hysteresis thresholding of speeds (as Canny, 1986, links edges).

    A contact is a run of frames in which a joint is low and slower than `leave_m_s`, if it is
    slower than `enter_m_s` in at least one of them. Short gaps are closed; what is then too short,
    or the apex of a jump, is dropped.

    Args:
        speeds: (T, P) m/s, as from `foot_speeds`.
        heights: (T, P) of the joints, metres above any level.
        fps: Frames a second.
        soles: What the joints are.

    Returns:
        Contacts by joint, then time.
    """
    if not len(heights):
        return []
    ground = _sliding_minimum(heights.min(1), max(round(LOW_WITHIN_S * fps), 1))
    low = heights - ground[:, None] < soles.low_m
    min_frames = min(math.ceil(_MIN_CONTACT_S * fps), len(heights))
    contacts = []
    for point in range(len(soles.joints)):
        enters = low[:, point] & (speeds[:, point] < soles.enter_m_s)
        stays = low[:, point] & (speeds[:, point] < soles.leave_m_s)
        mask = _close_gaps(_hysteresis(enters, stays), _MAX_GAP_S * fps)
        for start, stop in true_runs(mask):
            contact = Contact(point, start, stop)
            if stop - start >= min_frames and not _is_apex(contact, heights[:, point], fps):
                contacts.append(contact)
    return contacts


def marked_contacts(
    contacts: list[Contact], marked: NDArray[np.int8], soles: Soles
) -> list[Contact]:
    """Contacts with those that a person marked by hand.

    Args:
        contacts: As found.
        marked: (T, 4) left heel, left toe, right heel, right toe: 1 on, -1 off the ground, 0 as
            found. Where the skeleton ends at the ankles, "on" wins.
        soles: What the joints are.

    Returns:
        Contacts by joint, then time.
    """
    mask = contact_mask(contacts, len(marked), soles)
    mask = (mask & ~soles.of_four(marked < 0)) | soles.of_four(marked > 0)
    return [
        Contact(point, start, stop)
        for point in range(mask.shape[1])
        for start, stop in true_runs(mask[:, point])
    ]


def contact_mask(contacts: list[Contact], frames: int, soles: Soles) -> Bools:
    """Convert contacts to flags (T, P) of `frames` frames."""
    mask = np.zeros((frames, len(soles.joints)), dtype=bool)
    for contact in contacts:
        mask[contact.frames, contact.point] = True
    return mask


def contact_medians(values: Floats, contacts: list[Contact]) -> Floats:
    """(K, …) medians of each joint's `values` (T, P, …) over the frames of its contacts."""
    return np.array(
        [np.median(values[contact.frames, contact.point], axis=0) for contact in contacts]
    )


def contact_speeds(
    joints_world_m: Floats, contacts: Bools, skeleton: Skeleton, fps: float
) -> Floats:
    """Measure foot skate: how fast heels and toes in contact move across the floor. 0 is right.

    Args:
        joints_world_m: (T, J, 3) metres, z up; NaN where unknown.
        contacts: (T, 4) bool: left heel, left toe, right heel, right toe.
        skeleton: Of the joints; without heels and toes, ankles stand for both.
        fps: Frames a second.

    Returns:
        (N,) m/s, one for each heel or toe and pair of consecutive frames that are both in contact.
    """
    level = joints_world_m[:, soles(skeleton).four_joints, :2]
    speeds = np.linalg.norm(np.diff(level, axis=0), axis=-1) * fps
    return np.asarray(speeds[contacts[1:] & contacts[:-1] & np.isfinite(speeds)])


def stances(contacts: Bools, times_s: Floats) -> list[Stance]:
    """Read the events of both feet off one person's contacts.

    Args:
        contacts: (T, 4) bool: left heel, left toe, right heel, right toe.
        times_s: (T,) seconds, rising; a long step ends a stance.

    Returns:
        Stances by the time of their first frame, the left foot's first.
    """
    found = []
    breaks = np.flatnonzero(np.diff(times_s) > _MAX_STEP_S) + 1
    for rows in np.split(np.arange(len(times_s)), breaks):
        for foot in range(2):
            heel, toe = contacts[rows, 2 * foot], contacts[rows, 2 * foot + 1]
            for start, stop in true_runs(heel | toe):
                stance = _stance(_FEET[foot], heel, toe, start, stop, times_s[rows])
                found.append((rows[start], foot, stance))
    return [stance for _, _, stance in sorted(found, key=lambda item: item[:2])]


def _stance(foot: Foot, heel: Bools, toe: Bools, start: int, stop: int, times_s: Floats) -> Stance:
    """The stance in frames `start` to `stop` - 1 of an interval without a break."""
    flat = start + np.flatnonzero(heel[start:stop] & toe[start:stop])
    heel_off = start + int(np.flatnonzero(heel[start:stop]).max(initial=-1)) + 1

    def seconds(frame: int, is_seen: bool) -> float | None:
        return float(times_s[frame]) if is_seen else None

    return Stance(
        foot,
        heel_strike_s=seconds(start, start > 0),
        flat_s=seconds(flat[0] if len(flat) else 0, len(flat) > 0 and flat[0] > 0),
        heel_off_s=seconds(min(heel_off, stop - 1), start < heel_off < stop),
        toe_off_s=seconds(min(stop, len(times_s) - 1), stop < len(times_s)),
    )


def _relative_speeds(
    velocity: Floats, points_m: Floats, soles: Soles, tolerance: float = 1.0
) -> Floats:
    """(…, P) speeds of soles for limits of a body that stands; inputs (…, P + 1, 3), root last."""
    speeds = _apparent_speeds(velocity, points_m)
    travel = np.minimum(soles.travel_share * speeds[..., -1:], _FASTEST_M_S)
    return np.asarray(speeds[..., :-1] / np.maximum(travel / soles.leave_m_s, tolerance))


def _apparent_speeds(velocity: Floats, points_m: Floats) -> Floats:
    """|v - (1 - k) (v·s) s| of velocities v (…, 3) m/s at points (…, 3) in camera space."""
    sight = unit_vectors(points_m)
    along = (velocity * sight).sum(-1, keepdims=True) * sight  # (v·s) s
    return np.asarray(np.linalg.norm(velocity - (1 - _DEPTH_SHARE) * along, axis=-1))


def _is_apex(contact: Contact, heights: Floats, fps: float) -> bool:
    """Whether a joint at `heights` (T,) is only slow because it stops rising and starts to fall."""
    aside = round(_APEX_ASIDE_S * fps)
    if contact.stop - contact.start > 2 * aside:
        return False
    before = heights[max(contact.start - aside, 0)]
    after = heights[min(contact.stop - 1 + aside, len(heights) - 1)]
    return bool(max(before, after) < np.median(heights[contact.frames]) - _APEX_M)


def _sliding_minimum(values: Floats, reach: int) -> Floats:
    """(T,) minimum of `values` (T,) over `reach` frames to either side."""
    padded = np.pad(values, reach, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(-1))


def _hysteresis(strong: Bools, weak: Bools) -> Bools:
    """Keep the runs of `weak` (T,) that hold at least one `strong`."""
    kept = np.zeros_like(weak)
    for start, stop in true_runs(weak):
        kept[start:stop] = strong[start:stop].any()
    return kept


def _close_gaps(mask: Bools, max_frames: float) -> Bools:
    """Fill runs of False in `mask` (T,) that are short and have True on both sides."""
    closed = mask.copy()
    for start, stop in true_runs(~mask):
        if start > 0 and stop < len(mask) and stop - start <= max_frames:
            closed[start:stop] = True
    return closed
