"""First cameras: relative poses of pairs of views from lifts, joined to a tree."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from core.errors import InputError
from core.rotations import aligning_rotation
from core.types import Floats
from pipeline.multiview.adjustment.bodies import body_links, body_of
from pipeline.multiview.adjustment.bundle import adjust
from pipeline.multiview.adjustment.problem import Body, Problem, free_unknowns
from pipeline.multiview.adjustment.start import cameras_of, start_from
from pipeline.multiview.matching import agreements, group_tracks, total_gain
from pipeline.multiview.scene import Camera, Sighting, View

_FRAMES = 16  # of two tracks
_TRACKS = 4  # of each view that are tried, the longest
_TRIALS = 6  # pairs of tracks that are tried further, those with the most similar lifts
_MIN_COMMON = 5  # frames
_WIDTHS, _STEPS = (8.0, 4.0), 8
_ROUNDS = 10  # of reweighting
_OUTLIER_M = 0.15  # of a frame: root mean square over its joints
_UNSEEN = 0.05  # weight of a joint that a view does not see


def relative_pose(first: Floats, second: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Rotation and translation from one camera's axes to another's.

    A person's shape in space is the same from all sides: over the frames of both, the rotation is
    that of Procrustes' problem, reweighted by frames (Geman and McClure), because lifts are wrong
    for whole frames. The translation is the median over frames of the way between the two roots.

    Args:
        first: (T, J, 3) joints that the first view lifts, metres, its camera axes.
        second: (T, J, 3) the same joints and frames of the second view.
        weights: (T, J) of joints.

    Returns:
        rotation (3, 3) and translation (3,) with x_second = rotation x_first + translation.
    """
    of_frames = np.ones(len(first))
    total = weights.sum(1, keepdims=True)
    for _ in range(_ROUNDS):
        centred = [
            points - ((weights / total)[..., None] * points).sum(1, keepdims=True)
            for points in (first, second)
        ]
        rotation = aligning_rotation(
            centred[0].reshape(-1, 3), centred[1].reshape(-1, 3), of_frames[:, None] * weights
        )
        squared = ((centred[0] @ rotation.T - centred[1]) ** 2).sum(-1)
        spread = (weights * squared).sum(1) / total[:, 0]
        of_frames = 1 / (1 + spread / _OUTLIER_M**2) ** 2
    middles = [((weights / total)[..., None] * points).sum(1) for points in (first, second)]
    ways = middles[1] - middles[0] @ rotation.T
    return rotation, np.median(ways, axis=0)


def first_cameras(views: Sequence[View]) -> tuple[Camera, ...]:
    """Cameras of all views, each from the pair by which it agrees best with one found before.

    Prim's algorithm: the maximum spanning tree over pairs of views, from the first view on.

    Args:
        views: Two or more.

    Returns:
        Their cameras in the axes of the first one, with lenses as assumed.

    Raises:
        InputError: A view agrees with no other.
    """
    pairs = [_best_pair(views, a, b) for a, b in combinations(range(len(views)), 2)]
    known = sorted((pair for pair in pairs if pair is not None), key=lambda pair: -pair.gain)
    cameras = {0: at_origin(views[0])}
    while len(cameras) < len(views):
        pair = next((p for p in known if (p.first in cameras) != (p.second in cameras)), None)
        if pair is None:
            lost = next(view.name for v, view in enumerate(views) if v not in cameras)
            raise InputError(
                f"{lost}: nobody in it moves like anybody in the other views; check that all show "
                "the same people at the same time, or leave this view out"
            )
        new, rotation, translation = pair.second, pair.rotation, pair.translation
        base = pair.first
        if base not in cameras:
            base, new = new, base
            rotation, translation = rotation.T, -rotation.T @ translation
        cameras[new] = replace(
            at_origin(views[new]),
            rotation=rotation @ cameras[base].rotation,
            translation=rotation @ cameras[base].translation + translation,
        )
    return tuple(cameras[v] for v in range(len(views)))


def at_origin(view: View) -> Camera:
    """The camera of a view, before anything is known of where it stands."""
    return Camera(view.name, (view.width, view.height), view.intrinsics, np.eye(3), np.zeros(3))


@dataclass(frozen=True)
class _Pair:
    """The camera of view `second` in the axes of view `first`, and what their tracks gain by it."""

    first: int
    second: int
    rotation: Floats
    translation: Floats
    gain: float


@dataclass(frozen=True)
class _Trial:
    """Two tracks as one person: their relative pose, and how far apart their lifts stay (m)."""

    body: Body
    lifted: Floats
    rotation: Floats
    translation: Floats
    apart_m: float


def _best_pair(views: Sequence[View], a: int, b: int) -> _Pair | None:
    """The relative pose of two views by which their tracks agree best; None if by none."""
    sightings = [views[a].sightings, views[b].sightings]
    own = (at_origin(views[a]), at_origin(views[b]))
    trials = [
        trial
        for first in _longest(sightings[0])
        for second in _longest(sightings[1])
        if (trial := _trial(first, second, own)) is not None
    ]
    best = None
    for trial in sorted(trials, key=lambda trial: trial.apart_m)[:_TRIALS]:
        cameras = (
            own[0],
            replace(own[1], rotation=trial.rotation, translation=trial.translation),
        )
        state = start_from(cameras, [trial.body], [trial.lifted])
        links = body_links(sightings[0][0].poses.skeleton)
        free = free_unknowns(2, links.lengths, True, [False, False])
        problem = Problem([trial.body], links, state.log_focals, free)
        state = adjust(problem, state, _WIDTHS, _STEPS)
        pairs = agreements(sightings, cameras_of(state, cameras))
        gain = total_gain(group_tracks(sightings, pairs), pairs)
        if gain > 0 and (best is None or gain > best.gain):
            best = _Pair(a, b, state.rotations[1], state.translations[1], gain)
    return best


def _longest(sightings: Sequence[Sighting]) -> list[Sighting]:
    return sorted(sightings, key=len, reverse=True)[:_TRACKS]


def _trial(first: Sighting, second: Sighting, cameras: Sequence[Camera]) -> _Trial | None:
    """Two tracks as one person; None where they have too few frames in common."""
    common = np.intersect1d(first.frames, second.frames)
    if len(common) < _MIN_COMMON:
        return None
    chosen = common[np.unique(np.linspace(0, len(common) - 1, _FRAMES).astype(int))]
    body, lifted = body_of([[first], [second]], chosen, cameras, first.poses.skeleton)
    weights = (body.point_weights[0] + _UNSEEN) * (body.point_weights[1] + _UNSEEN)
    rotation, translation = relative_pose(lifted[0], lifted[1], weights)
    apart = np.linalg.norm(lifted[0] @ rotation.T + translation - lifted[1], axis=-1)
    return _Trial(body, lifted, rotation, translation, float(np.median(apart)))
