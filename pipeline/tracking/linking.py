"""Linking of tracklets: which belong to one person (re-identification after occlusion or absence).

A tracklet that begins soon after another ended may be of the same person. Its cost compares what
both whole tracklets say: motion on both sides of the gap, size, pose and body proportions. All
links are decided together: where two people vanish at once, evidence on one of them decides for
both.
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from core.types import Floats
from pipeline.results.detections import DetectionSequence
from pipeline.tracking.clothes import Clothes, Wardrobe
from pipeline.tracking.cutting import Piece, cut_tracklets
from pipeline.tracking.motion import KalmanState, motion_cost
from pipeline.tracking.similarity import LIMBS, limb_lengths
from pipeline.tracking.tracklet import POSE_TOLERANCE, Observation, Tracklet, pose_cost

_START_S = 1.0  # of a tracklet, from which motion and stature at its start are estimated
_PROPORTION_STD = 0.15  # σ_l of ln of a limb's share of stature
_GOES_ON = 1.0  # -ln of the odds that a region changed bodies where a tracklet was cut
_LENGTH_PERCENTILE = 80.0  # foreshortening makes limbs shorter, never longer


def link_tracklets(
    tracklets: list[Tracklet],
    detections: DetectionSequence,
    max_absence_s: float,
    max_cost: float,
    clothes: Clothes | None = None,
    max_recognised_s: float = 0.0,
) -> list[list[Tracklet]]:
    """Group tracklets by person: minimum-cost bipartite matching, see `_match`.

    Args:
        tracklets: All tracklets of a video.
        detections: Those to which `Tracklet.rows` refers.
        max_absence_s: Longest gap between two tracklets of a person.
        max_cost: Pairs that cost more are not linked.
        clothes: What people wear, if that is known.
        max_recognised_s: Longest gap where clothes alone tell who it is.

    Returns:
        One list a person, of one or more tracklets by time; people by their first frame.
    """
    pieces = cut_tracklets(tracklets, detections)
    ends_of = {id(one): one for piece in pieces for one in (piece.begins, piece.ends)}
    profiles = {key: _Profile.of(one, detections) for key, one in ends_of.items()}
    starts = [piece.tracklet.first.frame for piece in pieces]
    wardrobe = None if clothes is None else _wardrobe(pieces, clothes)
    longest_s = max_absence_s if wardrobe is None else max(max_absence_s, max_recognised_s)
    costs = {}
    for i, piece in enumerate(pieces):
        # Candidates: those that begin after this one ended, and within `longest_s`.
        last, ends = piece.tracklet.last.frame, piece.ends
        after = bisect_right(starts, last)
        soon = bisect_right(starts, last + max_absence_s * ends.fps)
        until = bisect_right(starts, last + longest_s * ends.fps)
        for j in range(after, until):
            if j >= soon and not (wardrobe and wardrobe.tells(i, j)):
                continue
            later = pieces[j].begins
            cost = _link_cost(ends, later, profiles[id(ends)], profiles[id(later)])
            if pieces[j].tracklet is piece.goes_on:
                cost = min(cost, max_cost) - _GOES_ON
            elif wardrobe:
                cost += wardrobe.cost(i, j)
            if cost < max_cost:
                costs[i, j] = cost
    successors = _match(costs, len(pieces), max_cost)
    heads = set(range(len(pieces))) - set(successors.values())
    return [_joined(_path(head, successors), pieces) for head in sorted(heads)]


def _wardrobe(pieces: list[Piece], clothes: Clothes) -> Wardrobe:
    """What pieces wear."""
    tracklets = [piece.tracklet for piece in pieces]
    return Wardrobe(
        np.array([clothes.of(tracklet.rows) for tracklet in tracklets]).reshape(-1, 4, 3),
        np.array([tracklet.first.frame for tracklet in tracklets]),
        np.array([tracklet.last.frame for tracklet in tracklets]),
    )


def _joined(path: list[int], pieces: list[Piece]) -> list[Tracklet]:
    """A person's tracklets; between pieces that stay together nothing is left out."""
    for i, j in pairwise(path):
        if pieces[j].tracklet is pieces[i].goes_on:
            for index, row in pieces[i].between.tolist():
                pieces[i].tracklet.append_row(index, row)
    return [pieces[i].tracklet for i in path]


@dataclass(frozen=True)
class _Profile:
    """What a whole tracklet says of its person.

    start: position and velocity at its first frame; stature: px at its start; proportions (5,): ln
    of `limb_lengths` less their mean, NaN where a limb is never seen.
    """

    start: KalmanState
    stature: float
    proportions: Floats

    @classmethod
    def of(cls, tracklet: Tracklet, detections: DetectionSequence) -> "_Profile":
        lengths = np.zeros((len(tracklet), LIMBS))
        for length, (index, row) in zip(lengths, tracklet.rows, strict=True):
            in_frame = detections[index]
            length[:] = limb_lengths(in_frame.keypoints_xy[row], in_frame.keypoint_scores[row])
        first = tracklet.rows[: max(1, round(_START_S * tracklet.fps))]
        observations = [Observation.of(detections[index], row) for index, row in first]
        stature = float(np.median([observation.stature for observation in observations]))
        start = _start_state(observations, stature, tracklet.fps)
        return cls(start, stature, _proportions(lengths))


def _proportions(lengths: Floats) -> Floats:
    """`_Profile.proportions` from `limb_lengths` (T, 5)."""
    proportions = np.full(lengths.shape[1], np.nan)
    seen = ~np.isnan(lengths).all(0)
    if seen.any():
        longest = np.nanpercentile(lengths[:, seen], _LENGTH_PERCENTILE, axis=0)
        logs = np.log(np.maximum(longest, 1.0))
        proportions[seen] = logs - logs.mean()
    return proportions


def _start_state(observations: list[Observation], stature: float, fps: float) -> KalmanState:
    """The state at the first observation, from those after it: the filter run backwards in time."""
    last = observations[-1]
    state, frame = KalmanState.initial(last.position, stature), last.frame
    for observation in reversed(observations[:-1]):
        predicted = state.predict((frame - observation.frame) / fps, stature)
        state = predicted.update(observation.position, stature)
        frame = observation.frame
    return state.time_reversed()


# Cost of the link from tracklet A to B, which begins Δ seconds after A ended:
#
#     cost =  min_m [ ½ Σ dₘᵀ Cₘ⁻¹ dₘ + ln det Cₘ + cₘ ]           motion
#           + ln²(h_B / h_A) / (2 (σ₀ + σ₁ Δ)²)                    size
#           - w exp(-Δ/τ) ln max(OKS(k_B, k̂_A), s_min)             pose
#           + ½ Σ_l ((l_B - l_A) / σ_l)²                           proportions
#
# dₘ, Cₘ: difference in position and velocity, and its covariance, between the end of A predicted
# by motion model m and the start of B estimated backwards in time (`KalmanState.state_cost`); the
# sum goes over x and y; cₘ as in `Tracklet.costs`. h_A: running mean at the end of A; h_B: median
# at the start of B. k̂_A: the last pose of A at the position of B, because the motion counts the
# position already. l: ln of the proportions of the limbs that both tracklets show.
def _link_cost(
    tracklet: Tracklet, later: Tracklet, profile: _Profile, later_profile: _Profile
) -> float:
    """Negative log-likelihood, up to a constant, that `later` is of the same person."""
    seconds = tracklet.seconds_to(later.first)
    moved = tracklet.last.moved_to(later.first.position, tracklet.last.stature)  # k̂_A
    difference = (later_profile.proportions - profile.proportions) / _PROPORTION_STD
    return (
        motion_cost(tracklet.state, later_profile.start, seconds, tracklet.stature)
        + tracklet.size_cost(later_profile.stature, seconds)
        + pose_cost(later.first.similarity(moved, POSE_TOLERANCE), seconds)
        + float(np.nansum(difference**2)) / 2
    )


# Minimum-cost bipartite matching. With xᵢⱼ = 1 where tracklet j follows tracklet i:
#
#     minimise  Σ cᵢⱼ xᵢⱼ + c₀ (number of i without a successor)
#     subject to  Σⱼ xᵢⱼ ≤ 1,  Σᵢ xᵢⱼ ≤ 1
#
# The links make paths, one a person: a minimum-cost path cover, as in Zhang, Li and Nevatia,
# "Global Data Association for Multi-Object Tracking Using Network Flows", CVPR 2008. One more
# column of cost c₀ for each row makes it a full matching, solved by the sparse algorithm of Jonker
# and Volgenant, "A Shortest Augmenting Path Algorithm for Dense and Sparse Linear Assignment
# Problems", 1987 (SciPy's `min_weight_full_bipartite_matching`).
def _match(costs: dict[tuple[int, int], float], count: int, no_link: float) -> dict[int, int]:
    """Which tracklet follows which of `count`, at the least total cost; `no_link` is c₀."""
    if not costs:
        return {}
    from scipy.sparse import csr_array  # takes a while to load
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    pairs = [*costs, *((i, count + i) for i in range(count))]
    weights = np.array([*costs.values(), *([no_link] * count)])
    rows, columns = np.array(pairs).T
    # SciPy takes a 0 for a missing edge. Each row has one edge in the matching, so adding the same
    # to all weights changes no minimum.
    positive = weights - weights.min() + 1
    graph = csr_array((positive, (rows, columns)), (count, 2 * count))
    matched = zip(*min_weight_full_bipartite_matching(graph), strict=True)
    return {int(i): int(j) for i, j in matched if j < count}


def _path(head: int, successors: dict[int, int]) -> list[int]:
    """The indices from `head` on, each followed by its successor."""
    path = [head]
    while path[-1] in successors:
        path.append(successors[path[-1]])
    return path
