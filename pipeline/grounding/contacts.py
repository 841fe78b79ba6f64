"""Foot contacts: when a foot rests on the ground, from the speed and the height of its ankle.

Human3.6M's skeleton ends at the ankles. An ankle hardly moves while its foot is flat on the ground
and starts to turn about the toes when the heel lifts. So a contact here is the foot-flat part of a
stance, about half of it in walking. The offline and the online world find contacts through this
file alone.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_17, H36M_17
from core.types import Floats
from pipeline.grounding.axes import unit_vectors

Bools = NDArray[np.bool_]

ANKLES = H36M_17.indices(("l_ankle", "r_ankle"))
"""Joints of the feet; axes of length 2 are left, right everywhere in this package."""

FOOT_KEYPOINTS = COCO_17.indices(("left_ankle", "right_ankle"))
"""Keypoints from which `ANKLES` are lifted."""

_ENTER_SPEED_M_S = 0.35  # a contact begins where a low foot is slower than this in one frame
_LEAVE_SPEED_M_S = 0.6  # and lasts as far, both ways, as the foot is slower than this
_LOW_M = 0.15  # a foot farther above the lowest ankle nearby in time is in the air
_LOW_WITHIN_S = 0.4  # what "nearby in time" means, to either side
_MIN_CONTACT_S = 0.1  # shorter contacts are dropped, closed gaps counted; a shorter clip is exempt
_MAX_GAP_S = 0.1  # contacts no farther apart are one contact, interrupted by noise
_APEX_ASIDE_S = 0.15  # how far to either side of a contact an apex is looked for
_APEX_M = 0.04  # a foot that is lower than its contact by this on both sides is at a jump's apex
_DEPTH_SHARE = 0.35  # share of the speed along the line of sight that counts: depth is noisier


@dataclass(frozen=True)
class Contact:
    """One foot on the ground in frames `start` to `stop` - 1; `foot` is 0 (left) or 1 (right)."""

    foot: int
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


def seen_feet(keypoint_scores: Floats) -> Bools:
    """Tell which feet a detector saw.

    Args:
        keypoint_scores: (…, 17) scores of COCO-17 keypoints, 0 where a keypoint was filled in.

    Returns:
        (…, 2) bool, left and right.
    """
    return np.asarray(keypoint_scores[..., FOOT_KEYPOINTS] > 0)


def foot_speeds(ankles_m: Floats, feet_seen: Bools, fps: float) -> Floats:
    """Compute the speeds of both feet, mostly across the line of sight.

    With ankle velocity v and line of sight s (unit), the speed is |v - (1 - k) (v·s) s|, where k is
    the share of the speed in depth that counts.

    Args:
        ankles_m: (T, 2, 3) metres in camera space.
        feet_seen: (T, 2) bool.
        fps: Frames a second.

    Returns:
        (T, 2) m/s; infinite where a foot is not seen, so that it has no contact there.
    """
    if len(ankles_m) < 2:
        speeds = np.zeros(ankles_m.shape[:2])
    else:
        velocity = np.gradient(ankles_m, axis=0) * fps
        sight = unit_vectors(ankles_m)
        along = (velocity * sight).sum(-1, keepdims=True) * sight  # (v·s) s
        speeds = np.linalg.norm(velocity - (1 - _DEPTH_SHARE) * along, axis=-1)
    return np.where(feet_seen, speeds, np.inf)


def find_contacts(speeds: Floats, heights: Floats, fps: float) -> list[Contact]:
    """Find contacts by hysteresis thresholding of foot speeds (as Canny, 1986, links edges).

    A contact is a run of frames in which a foot is low and slower than `_LEAVE_SPEED_M_S`, if it is
    slower than `_ENTER_SPEED_M_S` in at least one of them. Short gaps are closed; what is then too
    short, or the apex of a jump, is dropped.

    Args:
        speeds: (T, 2) m/s, as from `foot_speeds`.
        heights: (T, 2) of the ankles, metres above any level.
        fps: Frames a second.

    Returns:
        Contacts by foot, then time.
    """
    if not len(heights):
        return []
    ground = _sliding_minimum(heights.min(1), max(round(_LOW_WITHIN_S * fps), 1))
    low = heights - ground[:, None] < _LOW_M
    min_frames = min(math.ceil(_MIN_CONTACT_S * fps), len(heights))
    contacts = []
    for foot in range(2):
        enters = low[:, foot] & (speeds[:, foot] < _ENTER_SPEED_M_S)
        stays = low[:, foot] & (speeds[:, foot] < _LEAVE_SPEED_M_S)
        mask = _close_gaps(_hysteresis(enters, stays), _MAX_GAP_S * fps)
        for start, stop in _runs(mask):
            contact = Contact(foot, start, stop)
            if stop - start >= min_frames and not _is_apex(contact, heights[:, foot], fps):
                contacts.append(contact)
    return contacts


def contact_mask(contacts: list[Contact], frames: int) -> Bools:
    """Convert contacts to flags (T, 2) of `frames` frames."""
    mask = np.zeros((frames, 2), dtype=bool)
    for contact in contacts:
        mask[contact.frames, contact.foot] = True
    return mask


def contact_medians(values: Floats, contacts: list[Contact]) -> Floats:
    """(K, …) medians of each foot's `values` (T, 2, …) over the frames of its contacts."""
    return np.array(
        [np.median(values[contact.frames, contact.foot], axis=0) for contact in contacts]
    )


def contact_speeds(joints_world_m: Floats, contacts: Bools, fps: float) -> Floats:
    """Measure foot skate: how fast feet in contact move across the floor. 0 would be right.

    Args:
        joints_world_m: (T, 17, 3) metres, z up; NaN where unknown.
        contacts: (T, 2) bool, as from `contact_mask`.
        fps: Frames a second.

    Returns:
        (N,) m/s, one for each foot and pair of consecutive frames that are both in contact.
    """
    level = joints_world_m[:, ANKLES, :2]
    speeds = np.linalg.norm(np.diff(level, axis=0), axis=-1) * fps
    return np.asarray(speeds[contacts[1:] & contacts[:-1] & np.isfinite(speeds)])


def _is_apex(contact: Contact, heights: Floats, fps: float) -> bool:
    """Whether a foot at `heights` (T,) is only slow because it stops rising and starts to fall."""
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
    for start, stop in _runs(weak):
        kept[start:stop] = strong[start:stop].any()
    return kept


def _close_gaps(mask: Bools, max_frames: float) -> Bools:
    """Fill runs of False in `mask` (T,) that are short and have True on both sides."""
    closed = mask.copy()
    for start, stop in _runs(~mask):
        if start > 0 and stop < len(mask) and stop - start <= max_frames:
            closed[start:stop] = True
    return closed


def _runs(mask: Bools) -> list[tuple[int, int]]:
    """Runs of True in `mask` (T,), as (start, stop)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
