"""Who is back: pieces of tracks → one chain of pieces a person.

A piece that begins soon after another ended may be the same person, after an occlusion or out of the picture and back.
That is told from place and time, size and proportions, with what both pieces as wholes say. All are decided together,
so that two who vanish at once are not mistaken for each other as long as one of them is told apart.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from core.types import Floats
from pipeline.results.spool import SeenPeople
from pipeline.tracking.motion import CHANGE_OF_MIND, LIVELY, STEADY, Motion
from pipeline.tracking.similarity import LIMBS, limb_lengths
from pipeline.tracking.tracklet import EASE, Piece, Sight, pose_surprise

_OPENING_S = (
    1.0  # of a piece that tell where its person was going and how large they were when it began
)
_PROPORTION_SPREAD = 0.15  # of the logarithm of a limb's share of stature
_FULL_LENGTH = 80.0  # percentile: seen at a slant a limb is shorter, never longer


def chains(
    pieces: list[Piece], detections: SeenPeople, reappear_s: float, max_surprise: float
) -> list[list[Piece]]:  # fmt: skip
    """Pieces of one person each, by time.

    A person is gone for at most `reappear_s`; pieces that would surprise more than `max_surprise` stay apart.
    """
    pieces = sorted(pieces, key=lambda piece: piece.first.frame)
    looks = [_Looks.of(piece, detections) for piece in pieces]
    starts = [piece.first.frame for piece in pieces]
    costs = {}
    for i, piece in enumerate(pieces):
        after = bisect_right(starts, piece.last.frame)
        for j in range(after, bisect_right(starts, piece.last.frame + reappear_s * piece.fps)):
            cost = _surprise(piece, pieces[j], looks[i], looks[j])
            if cost < max_surprise:
                costs[i, j] = cost
    following = _assign(costs, len(pieces), max_surprise)
    heads = set(range(len(pieces))) - set(following.values())
    return [[pieces[i] for i in _chain(head, following)] for head in sorted(heads)]


def _surprise(piece: Piece, later: Piece, looks: "_Looks", later_looks: "_Looks") -> float:
    seconds = piece.seconds_to(later.first)
    unlike = (later_looks.proportions - looks.proportions) / _PROPORTION_SPREAD
    there = piece.last.moved(later.first.place, piece.last.stature)
    return (
        _motion_surprise(piece, seconds, later_looks.opening)
        + piece.size_surprise(later_looks.stature, seconds)
        + pose_surprise(later.first.alike(there, EASE), seconds)
        + float(np.nansum(unlike**2)) / 2
    )


def _motion_surprise(piece: Piece, seconds: float, opening: Motion) -> float:
    """That of place and speed: of somebody who went on as they did, or, less likely, did something else."""
    steady, lively = (
        piece.motion.after(seconds, piece.stature, manner).surprise(opening, piece.stature)
        for manner in (STEADY, LIVELY)
    )
    return min(steady, lively + CHANGE_OF_MIND)


@dataclass(frozen=True)
class _Looks:
    """What a whole piece says of its person.

    opening: place and speed at its beginning; stature: px at its beginning; proportions (5,): logarithms of limbs,
    their mean taken off, NaN where a limb is never seen.
    """

    opening: Motion
    stature: float
    proportions: Floats

    @classmethod
    def of(cls, piece: Piece, detections: SeenPeople) -> "_Looks":
        lengths = np.zeros((len(piece), LIMBS))
        for row, (place, person) in zip(lengths, piece.rows, strict=True):
            found = detections[place]
            row[:] = limb_lengths(found.keypoints_xy[person], found.keypoint_scores[person])
        proportions = np.full(lengths.shape[1], np.nan)
        seen = ~np.isnan(lengths).all(0)
        if seen.any():
            logs = np.log(np.maximum(np.nanpercentile(lengths[:, seen], _FULL_LENGTH, axis=0), 1.0))
            proportions[seen] = logs - logs.mean()
        first = piece.rows[: max(1, round(_OPENING_S * piece.fps))]
        opening = [Sight.of(detections[place], person) for place, person in first]
        stature = float(np.median([sight.stature for sight in opening]))
        return cls(_opening(opening, stature, piece.fps), stature, proportions)


def _opening(sights: list[Sight], stature: float, fps: float) -> Motion:
    """Place and speed at the first of `sights`, by what comes after."""
    motion, frame = Motion.begin(sights[-1].place, stature), sights[-1].frame
    for sight in reversed(sights[:-1]):
        motion = motion.after((frame - sight.frame) / fps, stature).seen_at(sight.place, stature)
        frame = sight.frame
    return motion.reversed()


def _assign(costs: dict[tuple[int, int], float], count: int, alone: float) -> dict[int, int]:
    """Which piece follows which, at the least cost together; a piece that none follows costs `alone`."""
    if not costs:
        return {}
    pairs = [*costs, *((i, count + i) for i in range(count))]
    weights = np.array([*costs.values(), *([alone] * count)])
    rows, columns = np.array(pairs).T
    table = csr_array(
        (weights - weights.min() + 1, (rows, columns)), (count, 2 * count)
    )  # 0 would mean no edge
    chosen = zip(*min_weight_full_bipartite_matching(table), strict=True)
    return {int(i): int(j) for i, j in chosen if j < count}


def _chain(head: int, following: dict[int, int]) -> list[int]:
    chain = [head]
    while chain[-1] in following:
        chain.append(following[chain[-1]])
    return chain
