"""Legs that reach for where a foot stands: two-bone inverse kinematics, bone lengths kept."""

import numpy as np

from core.skeletons import H36M_17
from core.types import Floats
from pipeline.grounding.contacts import ANKLES
from pipeline.grounding.root_path import ANKLE_HEIGHT_M, Footing

_REACH = 0.995  # share of its length to which a leg stretches
_LET_GO_S = 0.2  # after which a foot in the air is where it was seen
_FARTHEST_M = 0.25  # a foot that would have to be moved farther is not standing there
_HIPS, _KNEES = H36M_17.indices(("l_hip", "r_hip")), H36M_17.indices(("l_knee", "r_knee"))


def pin_feet(joints: Floats, footings: list[Footing], fps: float) -> Floats:
    """World joints (T, 17, 3) with each standing ankle in one place, and knees that follow."""
    pinned = joints.copy()
    for foot in range(2):
        own = sorted((f for f in footings if f.step.foot == foot), key=lambda f: f.step.start)
        hip, knee, ankle = joints[:, _HIPS[foot]], joints[:, _KNEES[foot]], joints[:, ANKLES[foot]]
        target = ankle + _offsets(ankle, own, fps)
        pinned[:, _KNEES[foot]], pinned[:, ANKLES[foot]] = reach(hip, knee, ankle, target)
    return pinned


def _offsets(ankle: Floats, footings: list[Footing], fps: float) -> Floats:
    """(T, 3): from where an ankle (T, 3) is to where it stands; fading in the air, from one step into the next."""
    frames = len(ankle)
    offsets, known = np.zeros((frames, 3)), np.zeros(frames, dtype=bool)
    for footing in footings:
        during = footing.step.frames
        place = np.median(ankle[during], axis=0)
        place[2] = footing.level_m + ANKLE_HEIGHT_M
        off = place - ankle[during]
        far = np.linalg.norm(off, axis=-1, keepdims=True)
        offsets[during] = off * np.minimum(1.0, _FARTHEST_M / np.maximum(far, 1e-9))
        known[during] = True
    if not known.any() or known.all():
        return offsets
    at = np.arange(frames)
    stands = at[known]
    behind = stands[np.maximum(np.searchsorted(stands, at, side="right") - 1, 0)]
    ahead = stands[np.minimum(np.searchsorted(stands, at), len(stands) - 1)]
    reach = _LET_GO_S * fps
    before = _ease(np.where(behind <= at, (at - behind) / reach, 1.0))
    after = _ease(np.where(ahead >= at, (ahead - at) / reach, 1.0))
    total = np.maximum(before + after, 1.0)[:, None]
    faded = (before[:, None] * offsets[behind] + after[:, None] * offsets[ahead]) / total
    return np.where(known[:, None], offsets, faded)


def _ease(gone: Floats) -> Floats:
    """1 at 0, 0 from 1 on, level at both ends."""
    gone = np.clip(gone, 0.0, 1.0)
    return np.asarray(1 - gone * gone * (3 - 2 * gone))


def reach(hip: Floats, knee: Floats, ankle: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Knees and ankles (T, 3) of legs from `hip` that go to `target`, or as far towards it as they reach.

    Thigh and shin keep their lengths; the knee stays on the side to which it was bent.
    """
    thigh = np.linalg.norm(knee - hip, axis=-1, keepdims=True)
    shin = np.linalg.norm(ankle - knee, axis=-1, keepdims=True)
    wanted = target - hip
    length = np.maximum(np.linalg.norm(wanted, axis=-1, keepdims=True), 1e-9)
    direction = wanted / length
    # A leg that is already straighter than it should be may stay so.
    longest = np.maximum(
        _REACH * (thigh + shin), np.linalg.norm(ankle - hip, axis=-1, keepdims=True)
    )
    length = np.clip(length, np.abs(thigh - shin) + 1e-6, longest)
    along = (thigh**2 + length**2 - shin**2) / (2 * length)
    aside = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    bend = knee - hip
    bend = bend - (bend * direction).sum(-1, keepdims=True) * direction
    bend = bend / np.maximum(np.linalg.norm(bend, axis=-1, keepdims=True), 1e-9)
    return hip + along * direction + aside * bend, hip + length * direction
