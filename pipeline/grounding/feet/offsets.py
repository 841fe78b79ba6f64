"""Offsets that correct positions: limited in length, and smooth in time."""

import numpy as np

from core.lazy_scipy import ndimage
from core.types import Floats
from pipeline.grounding.feet.soles import Bools

_MAX_OFFSET_M = 0.25  # a foot is moved no farther: it would not be resting there
_BLEND_S = 0.2  # before and after a contact, over which a foot goes to and from its fixed point


def smooth_above(values: Floats, frames: float) -> Floats:
    """A smooth curve (T,) that is nowhere less than values (T,).

    It is their sliding maximum over about so many frames, then its sliding mean of the same width.
    """
    width = 2 * round(frames / 2) + 1
    highest = ndimage.maximum_filter1d(values, width, mode="nearest")
    return np.asarray(ndimage.uniform_filter1d(highest, width, mode="nearest"))


def limited(offsets: Floats, longest: float = _MAX_OFFSET_M) -> Floats:
    """Offsets (…, 3) in metres, none longer than a foot in contact may be off."""
    distance = np.linalg.norm(offsets, axis=-1, keepdims=True)
    return np.asarray(offsets * np.minimum(1.0, longest / np.maximum(distance, 1e-9)))


def fade_between(offsets: Floats, known: Bools, fps: float) -> Floats:
    """Fill in corrections of a foot where it is in the air.

    There, the offset is a blend of those at the end of the last contact and at the start of the
    next one, each fading out over `_BLEND_S`.

    Args:
        offsets: (T, 3), of positions or rotation vectors.
        known: (T,) where they are given.
        fps: Frames a second.

    Returns:
        (T, 3); 0 throughout if nothing is known.
    """
    if not known.any() or known.all():
        return offsets

    every = np.arange(len(offsets))
    resting = every[known]
    # The nearest contact rows before and after each row; where there is none, the nearest of all.
    before_index = np.searchsorted(resting, every, side="right") - 1
    after_index = np.searchsorted(resting, every)
    before = resting[np.maximum(before_index, 0)]
    after = resting[np.minimum(after_index, len(resting) - 1)]
    blend = _BLEND_S * fps
    weight_before = _fade_out(np.where(before <= every, (every - before) / blend, 1.0))
    weight_after = _fade_out(np.where(after >= every, (after - every) / blend, 1.0))
    total = np.maximum(weight_before + weight_after, 1.0)[:, None]
    weighted = weight_before[:, None] * offsets[before] + weight_after[:, None] * offsets[after]
    return np.where(known[:, None], offsets, weighted / total)


def _fade_out(x: Floats) -> Floats:
    """1 at 0 and 0 from 1 on, level at both ends: 1 - (3 x² - 2 x³)."""
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(1 - x * x * (3 - 2 * x))
