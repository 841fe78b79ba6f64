"""Foot contacts: when heels and toes rest on the ground, from their speeds and heights.

A stance begins with the heel's contact (or the toe's, in running), becomes foot-flat with both, and
ends with the toe's alone, after the heel has left. A skeleton that ends at the ankles has less to
tell: an ankle hardly moves while its foot is flat and starts to turn about the toes when the heel
lifts, so its contact is the foot-flat part of a stance, about half of it in walking. The offline
and the online world find contacts through this file alone.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.runs import true_runs
from core.skeletons import Skeleton
from core.types import Floats
from pipeline.grounding.feet.soles import Bools, Soles, relative_speeds, soles

LOW_WITHIN_S = 0.4
"""What "nearby in time" means, to either side."""
_MIN_CONTACT_S = 0.1  # shorter contacts are dropped, closed gaps counted; a shorter clip is exempt
_MAX_GAP_S = 0.1  # contacts no farther apart are one contact, interrupted by noise
_APEX_ASIDE_S = 0.15  # how far to either side of a contact an apex is looked for
_APEX_M = 0.04  # a foot that is lower than its contact by this on both sides is at a jump's apex
_CAUSAL_SPEED = 1.4  # by how much limits of speed are higher where the future is not known


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
    speeds = relative_speeds(velocity, points_m[1], soles, _CAUSAL_SPEED)
    limits = np.where(before, soles.leave_m_s, soles.enter_m_s)
    return np.asarray(seen & (clearance_m < soles.low_m) & (speeds < limits))


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
