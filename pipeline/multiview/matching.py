"""Who is who across views: tracks whose rays meet, whose shapes and positions agree, over time.

Looks play no part. Under cameras that are known roughly, two tracks of two views disagree by

    e² = median over frames of [ mean over joints of ρ(d_j/σ_d) + mean of ρ(|R a_j - b_j|/σ_s)
                                 + ρ(Mahalanobis distance of the two roots) ]

where d is the distance of the two rays of a keypoint, a and b are the lifted joints from their
middles and each root is unsure along its line of sight. A pair gains (threshold - e²) a frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.rotations import unit_vectors
from core.types import Floats
from pipeline.multiview.adjustment.bodies import keypoint_joints, keypoint_weights
from pipeline.multiview.adjustment.problem import robust
from pipeline.multiview.cameras import to_shared, undistorted_rays
from pipeline.multiview.scene import Camera, Sighting

_RAY_M, _SHAPE_M = 0.08, 0.2  # σ_d, σ_s
_DEPTH, _ASIDE_M = 0.15, 0.1  # of roots: along the sight, as a share of the distance, and across
_WIDTH = 3.0  # of ρ
_THRESHOLD = 6.0  # of e²; ρ of one term is at most 9
_MOST_FRAMES = 40
_MIN_FRAMES = 5
_MAY_OVERLAP = 3  # frames that two tracks of one person in one view may share

Key = tuple[int, int]
"""(view, track's index in it)."""


@dataclass(frozen=True)
class Agreement:
    """Two tracks of different views, and what it gains to take them for one person."""

    first: Key
    second: Key
    gain: float


def agreement(first: Sighting, second: Sighting, cameras: tuple[Camera, Camera]) -> float | None:
    """What it gains, summed over common frames, to take two tracks for one person.

    Args:
        first: A track of one view.
        second: A track of another view.
        cameras: Those of the two views.

    Returns:
        Positive where they agree; None where they have too few frames in common.
    """
    common, own, others = np.intersect1d(first.frames, second.frames, return_indices=True)
    if len(common) < _MIN_FRAMES:
        return None
    chosen = np.linspace(0, len(common) - 1, min(_MOST_FRAMES, len(common))).astype(int)
    sides = [
        _seen(sighting, rows[chosen], camera)
        for sighting, rows, camera in zip((first, second), (own, others), cameras, strict=True)
    ]
    weights = np.sqrt(sides[0].weights * sides[1].weights)
    total = weights.sum(1).clip(1e-9)
    # Distance of two lines through p and q along unit u and v: |(q - p) · (u × v)| / |u × v|
    across = np.cross(sides[0].rays, sides[1].rays)
    sine = np.linalg.norm(across, axis=-1)
    way = cameras[1].position - cameras[0].position
    apart = np.abs(across @ way) / sine.clip(0.02)
    rays = (weights * robust((apart / _RAY_M) ** 2, _WIDTH)[0]).sum(1) / total
    middles = [(weights[..., None] * side.joints).sum(1) / total[:, None] for side in sides]
    shapes = [side.joints - middle[:, None] for side, middle in zip(sides, middles, strict=True)]
    squared = ((shapes[0] - shapes[1]) ** 2).sum(-1) / _SHAPE_M**2
    shape = (weights * robust(squared, _WIDTH)[0]).sum(1) / total
    covariance = sum(
        _uncertainty(middle - camera.position)
        for middle, camera in zip(middles, cameras, strict=True)
    )
    offset = middles[0] - middles[1]
    distance = (offset * np.linalg.solve(covariance, offset[..., None])[..., 0]).sum(-1)
    position = robust(distance, _WIDTH)[0]
    return float((_THRESHOLD - np.median(rays + shape + position)) * len(common))


@dataclass(frozen=True)
class _Seen:
    """Of T frames and N keypoints: unit rays (T, N, 3) and joints (T, N, 3) in shared axes."""

    rays: Floats
    joints: Floats
    weights: Floats


def _seen(sighting: Sighting, rows: Floats, camera: Camera) -> _Seen:
    keypoints, joints = keypoint_joints(sighting.keypoint_skeleton, sighting.poses.skeleton)
    pixels = sighting.keypoints_xy[rows][:, keypoints]
    rays = undistorted_rays(pixels, camera)
    weights = keypoint_weights(sighting.scores[rows][:, keypoints])
    weights = np.where(np.isfinite(rays).all(-1), weights, 0.0)
    rays = np.nan_to_num(rays)
    rays = np.concatenate([rays, np.ones_like(rays[..., :1])], -1) @ camera.rotation
    rays = unit_vectors(rays)
    poses = sighting.poses
    lifted = poses.joints_m[rows][:, joints] + poses.root_m[rows][:, None]
    return _Seen(rays, to_shared(lifted, camera), weights)


def _uncertainty(way: Floats) -> Floats:
    """(T, 3, 3) covariance of a root at `way` (T, 3) from its camera, m²."""
    along = way[..., None] * way[:, None] * _DEPTH**2
    return np.asarray(along + np.eye(3) * _ASIDE_M**2)


def agreements(
    sightings: Sequence[Sequence[Sighting]], cameras: Sequence[Camera]
) -> list[Agreement]:
    """Every pair of tracks of different views that agrees, the best first."""
    found = []
    for a, b in combinations(range(len(sightings)), 2):
        for i, first in enumerate(sightings[a]):
            for j, second in enumerate(sightings[b]):
                gain = agreement(first, second, (cameras[a], cameras[b]))
                if gain is not None and gain > 0:
                    found.append(Agreement((a, i), (b, j), gain))
    return sorted(found, key=lambda pair: -pair.gain)


def group_tracks(
    sightings: Sequence[Sequence[Sighting]], pairs: Sequence[Agreement]
) -> list[list[Key]]:
    """Join tracks greedily, the best pair first.

    Tracks of one view are one person only where they are not there at the same time.

    Args:
        sightings: The tracks of each view.
        pairs: The best first.

    Returns:
        The tracks of each person, those that no pair has alone; by view, then track.
    """
    groups = [
        [(view, index)] for view, tracks in enumerate(sightings) for index in range(len(tracks))
    ]
    of = {group[0]: group for group in groups}
    for pair in pairs:
        one, other = of[pair.first], of[pair.second]
        if one is not other and _may_be_one(sightings, one + other):
            one.extend(other)
            of.update(dict.fromkeys(other, one))
    distinct = {id(group): sorted(group) for group in of.values()}
    return sorted(distinct.values())


def total_gain(groups: Sequence[Sequence[Key]], pairs: Sequence[Agreement]) -> float:
    """What all pairs gain whose tracks are one person."""
    person = {key: number for number, group in enumerate(groups) for key in group}
    return sum(pair.gain for pair in pairs if person[pair.first] == person[pair.second])


def _may_be_one(sightings: Sequence[Sequence[Sighting]], keys: Sequence[Key]) -> bool:
    """Whether no two tracks of one view are there at the same time."""
    return all(
        len(np.intersect1d(sightings[v][i].frames, sightings[w][j].frames)) <= _MAY_OVERLAP
        for (v, i), (w, j) in combinations(keys, 2)
        if v == w
    )
