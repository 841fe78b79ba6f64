"""What bundle adjustment is about: cameras, bodies, lengths, and what is seen of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import Floats

CAMERA = 8
"""Unknowns of a view: rotation vector, translation, log focal length, distortion."""
FOCAL, LENS = 6, 7
"""The last two of them."""
MIN_DEPTH_M = 0.2


@dataclass(frozen=True)
class Links:
    """L pairs of joints and the lengths that they share.

    ends (L, 2) indices of joints p, c; groups (L,) index of the length, one for left and right.
    """

    ends: NDArray[np.int64]
    groups: NDArray[np.int64]

    @property
    def lengths(self) -> int:
        """How many lengths there are."""
        return int(self.groups.max()) + 1

    def incidence(self, joints: int) -> Floats:
        """(joints, L) 1 where a link's joint c is, -1 where its joint p is."""
        parents, children = self.ends.T
        return np.asarray(np.eye(joints)[:, children] - np.eye(joints)[:, parents])


@dataclass(frozen=True)
class Body:
    """What V views say of one person in T frames; J joints, L links.

    points (V, T, J, 2) px from the principal point; point_weights (V, T, J), 0 where there is none;
    point_px (V, T) px, s; lifted (V, T, L, 3) metres in camera axes; lifted_m (V, T, L) metres, the
    68 % radius of each; lifted_weights (V, T, L), 0 where there is none; sight (V, T, 3) the line
    of sight to the person; log_lengths (groups,) lifted ones.
    """

    points: Floats
    point_weights: Floats
    point_px: Floats
    lifted: Floats
    lifted_m: Floats
    lifted_weights: Floats
    sight: Floats
    log_lengths: Floats


@dataclass(frozen=True)
class State:
    """A point of the search.

    rotations (V, 3, 3); translations (V, 3) metres; log_focals (V,); distortions (V,); of each
    person joints (T, J, 3) metres in shared axes and log_lengths (groups,).
    """

    rotations: Floats
    translations: Floats
    log_focals: Floats
    distortions: Floats
    joints: tuple[Floats, ...]
    log_lengths: tuple[Floats, ...]


@dataclass(frozen=True)
class Problem:
    """Bodies, their links, lenses as supposed, and which unknowns are sought.

    log_focals (V,) g⁰; free (unknowns of cameras and lengths,) bool; is_guessed (V,) whether a lens
    is a guess, one for all, so that all may be too long alike, None for all of them.
    """

    bodies: Sequence[Body]
    links: Links
    log_focals: Floats
    free: NDArray[np.bool_]
    is_guessed: NDArray[np.bool_] | None = None


def free_unknowns(
    views: int, lengths: int, poses: bool, focals: Sequence[bool], bones: bool = True
) -> NDArray[np.bool_]:
    """Which unknowns are sought.

    Args:
        views: V.
        lengths: Of all people together.
        poses: Whether cameras move, but for the first.
        focals: (V,) whether each view's focal length and distortion are unknown.
        bones: Whether lengths are unknown.
    """
    cameras = np.zeros((views, CAMERA), bool)
    cameras[1:, :FOCAL] = poses
    cameras[:, FOCAL:] = np.array(focals)[:, None]
    return np.concatenate([cameras.ravel(), np.full(lengths, bones)])


def reprojected(state: State, joints: Floats) -> Floats:
    """(V, T, J, 2) px from the principal point, where views should see joints (T, J, 3)."""
    local = (
        joints @ np.swapaxes(state.rotations, -1, -2)[:, None] + state.translations[:, None, None]
    )
    a = local[..., :2] / local[..., 2:].clip(MIN_DEPTH_M)
    radial = 1 + state.distortions[:, None, None, None] * (a * a).sum(-1, keepdims=True)
    return np.asarray(np.exp(state.log_focals)[:, None, None, None] * a * radial)


def robust(squared: Floats, width: float) -> tuple[Floats, Floats]:
    """ρ and the weight dρ/d(d²) of Geman and McClure's loss, of squared deviations d²."""
    share = 1 / (1 + squared / width**2)
    return squared * share, share * share
