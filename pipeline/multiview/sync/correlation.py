"""How the clocks of two recordings differ: correlation of what both recorded.

An event at t on the second clock is at offset + (1 + drift) t on the first. For signals a and b of
zero mean the score of a lag τ is that of a self-normalised sum,

    z(τ) = Σ a(t + τ) b(t) / √(Σ a(t + τ)² b(t)²),

in units of its own spread over all lags: a single loud event that meets another one by chance
cannot give more than 1, where n events that meet give √n. The second recording is cut into
segments, whose sums are added along lines of lag over time, one line for each drift (a Hough
transform); the best line is then refined at the signals' full rate, where a parabola through the
maximum gives a fraction of a sample.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress, pairwise

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from core.types import Floats, check_shape

MAX_DRIFT = 0.0015
"""Clocks differ by 0.005 %; a rate that is taken for another (29.97 for 30) by 0.1 %."""
USUAL_DRIFT = 0.0005
"""One standard deviation of what is expected of drift before anything was measured."""
SURE_SCORE, SURE_MARGIN = 4.0, 2.0
"""Clocks agree where the best line scores so much, and so much more than any other offset: the
margin of recordings that have nothing in common is below 1.5."""
_SEARCH_HZ, _FINE_S = 100.0, 120.0  # at which offsets are searched; longer recordings less finely
_SEARCH_S = 600.0  # of a recording that is searched
_SEGMENT_S = 10.0
_MIN_OVERLAP_S, _SHORTEST_S = 1.0, 0.5
_SAME_OFFSET_S = 0.3  # offsets nearer to the best one are its own flank
_MIN_KNOWN = 0.05  # of the most that two recordings have in common at any lag
_NEAR_S = 0.24  # around the line found, in which it is refined
_LAG_S = 0.003  # one standard deviation of a segment's lag
_HUBER, _ROUNDS = 2.0, 5


@dataclass(frozen=True)
class Signal:
    """What is compared of one recording: values (T, C) of C channels, sample k at k / rate s.

    Channels are zero on average over time; 0 stands for what is not known, too.
    """

    rate: float
    values: Floats

    def __post_init__(self) -> None:
        check_shape("Signal.values", self.values, (None, None))

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.values) / self.rate

    def coarse(self, step: int) -> "Signal":
        """The means of every `step` samples, of at most the first `_SEARCH_S`."""
        count = min(len(self.values), round(_SEARCH_S * self.rate)) // step
        means = self.values[: count * step].reshape(count, step, -1).mean(1)
        return Signal(self.rate / step, means)


@dataclass(frozen=True)
class Agreement:
    """The clocks of two recordings, as a comparison of signals gives them.

    offset_s, drift: of the line found. score: of that line, in standard deviations. margin: by
    which it exceeds the best of any other offset.
    """

    offset_s: float
    drift: float
    score: float
    margin: float

    @property
    def is_sure(self) -> bool:
        """Whether chance does not give it."""
        return self.score >= SURE_SCORE and self.margin >= SURE_MARGIN


def find_agreement(pairs: Sequence[tuple[Signal, Signal]]) -> Agreement | None:
    """Find the difference of two clocks.

    Args:
        pairs: Signals of the first and the second recording that may be of the same thing, all of
            one rate: a person of one view and one of the other, say. Of several, the best is taken,
            and those that agree with it.

    Returns:
        None where too little of the two recordings can overlap.
    """
    tables = [_Table.of(*pair) for pair in pairs if _overlap_s(*pair) > 0]
    if not tables:
        return None
    best = max(tables, key=lambda table: table.peak[0])
    _, row, column = best.peak
    agrees = [table.score_near(row, column) > SURE_SCORE / 2 or table is best for table in tables]
    whole = _Table.sum(list(compress(tables, agrees)))
    score, row, column = whole.peak
    line = float(whole.lags_s[column]), float(whole.drifts[row])
    offset_s, drift = _refined(list(compress(pairs, agrees)), *line)
    return Agreement(offset_s, drift, score, score - whole.second_best(column))


def _overlap_s(first: Signal, second: Signal) -> float:
    """Seconds that must overlap; 0 where the recordings are too short."""
    shorter = min(first.seconds, second.seconds)
    return min(_MIN_OVERLAP_S, shorter / 2) if shorter > _SHORTEST_S else 0.0


@dataclass(frozen=True)
class _Table:
    """Sums of products (D, L), and of their squares, for D drifts and L lags."""

    products: Floats
    squares: Floats
    lags_s: Floats
    drifts: Floats

    @classmethod
    def of(cls, first: Signal, second: Signal) -> "_Table":
        """Compare two signals coarsely, over all lags at which enough of them overlaps."""
        longer_s = min(max(first.seconds, second.seconds), _SEARCH_S)
        fineness = _SEARCH_HZ * min(1.0, _FINE_S / longer_s)
        step = max(1, round(first.rate / fineness))
        a, b = first.coarse(step), second.coarse(step)
        rate = a.rate
        overlap = max(1, round(_overlap_s(a, b) * rate))
        lags = np.arange(overlap - len(b.values), len(a.values) - overlap + 1)
        drifts = _drifts(b.seconds, rate)
        shape = (len(drifts), len(lags))
        products, squares = np.zeros(shape), np.zeros(shape)
        reach = math.ceil(MAX_DRIFT * len(b.values)) + 1
        for start, segment in _segments(b.values, rate):
            # sum over t of a(t + lag) b(t), t in the segment
            wanted = start + lags[0] - reach, start + lags[-1] + reach + 1
            own = _correlate(a.values, segment, *wanted)
            own_squares = _correlate(a.values**2, segment**2, *wanted)
            middle = start + len(segment) / 2
            for row, drift in enumerate(drifts):
                shift = reach + round(drift * middle)
                products[row] += own[shift : shift + len(lags)]
                squares[row] += own_squares[shift : shift + len(lags)]
        return cls(products, squares, lags / rate, drifts)

    @classmethod
    def sum(cls, tables: "Sequence[_Table]") -> "_Table":
        """The sums over several pairs of signals of the same two recordings."""
        first = tables[0]
        products, squares = np.zeros_like(first.products), np.zeros_like(first.squares)
        for table in tables:
            products += table.products
            squares += table.squares
        return cls(products, squares, first.lags_s, first.drifts)

    @cached_property
    def scores(self) -> Floats:
        """(D, L) in standard deviations over all lags, a little less for unusual drifts."""
        # where hardly anything of both is known, chance decides; FFTs leave squares a little off
        is_known = self.squares > _MIN_KNOWN * self.squares.max(initial=0.0)
        raw = self.products / np.sqrt(np.where(is_known, self.squares, np.inf))
        level = raw[len(self.drifts) // 2][is_known[len(self.drifts) // 2]]
        middle = np.median(level) if len(level) else 0.0
        # the sum of independent products has a standard deviation of 1
        spread = max(1.0, 1.4826 * np.median(np.abs(level - middle)) if len(level) else 1.0)
        scores = np.where(is_known, raw - middle, 0.0) / spread
        penalty = (self.drifts / USUAL_DRIFT)[:, None] ** 2
        return np.asarray(np.sign(scores) * np.sqrt(np.maximum(scores**2 - penalty, 0)))

    @cached_property
    def peak(self) -> tuple[float, int, int]:
        """The highest score, its drift's row and its lag's column."""
        row, column = np.unravel_index(int(np.argmax(self.scores)), self.scores.shape)
        return float(self.scores[row, column]), int(row), int(column)

    def score_near(self, row: int, column: int) -> float:
        """The highest score within a sample or two of a cell."""
        return float(self.scores[row, max(column - 2, 0) : column + 3].max())

    def second_best(self, column: int) -> float:
        """The highest score at other offsets than that of a column."""
        is_other = np.abs(self.lags_s - self.lags_s[column]) > _SAME_OFFSET_S
        return float(self.scores[:, is_other].max(initial=0.0))


def _drifts(seconds: float, rate: float) -> Floats:
    """The drifts to try on a recording, 0 in their middle, so dense that none lies far off."""
    step = 1 / rate / max(seconds, 1.0)  # half a sample at either end
    count = math.floor(MAX_DRIFT / step)
    return np.linspace(-MAX_DRIFT, MAX_DRIFT, 2 * count + 1) if count else np.zeros(1)


def _segments(values: Floats, rate: float) -> Iterable[tuple[int, Floats]]:
    """Pieces of a signal of `_SEGMENT_S` or a little more, and where each starts."""
    count = max(1, int(len(values) / rate / _SEGMENT_S))
    edges = np.linspace(0, len(values), count + 1).astype(int)
    return ((start, values[start:stop]) for start, stop in pairwise(edges.tolist()))


def _correlate(a: Floats, b: Floats, start: int, stop: int) -> Floats:
    """Σ over t and channels of a(t + lag) b(t), lags `start` to `stop` - 1; 0 beyond the ends."""
    size = next_fast_len(len(a) + len(b), real=True)
    spectrum = (rfft(a, size, axis=0) * np.conj(rfft(b, size, axis=0))).sum(1)
    whole = irfft(spectrum, size)
    lags = np.arange(start, stop)
    is_inside = (lags > -len(b)) & (lags < len(a))
    return np.where(is_inside, whole[lags % size], 0.0)


def _refined(
    pairs: Sequence[tuple[Signal, Signal]], offset_s: float, drift: float
) -> tuple[float, float]:
    """Offset and drift at the full rate, near those found coarsely.

    The lag of each segment is where its own sum has its maximum; a line goes through them by
    least squares, weighted by the maxima and robust (Huber), with `USUAL_DRIFT` as what is expected
    of its slope.
    """
    rate = pairs[0][0].rate
    reach = round(_NEAR_S * rate)
    curves, times = [], []  # Σ a b of each segment around the line, and its middle, s
    for parts in zip(*(_segments(second.values, rate) for _, second in pairs), strict=True):
        start, segment = parts[0]
        time_s = (start + len(segment) / 2) / rate
        first_lag = start + round((offset_s + drift * time_s) * rate) - reach
        curve = np.zeros(2 * reach + 1)
        for (first, _), (_, own) in zip(pairs, parts, strict=True):
            curve += _correlate(first.values, own, first_lag, first_lag + len(curve))
        curves.append(curve)
        times.append(time_s)
    middle = int(np.argmax(np.sum(curves, 0)[reach // 2 : -(reach // 2)])) + reach // 2
    lags, weights = [], []
    for curve, time_s in zip(curves, times, strict=True):
        near = curve[middle - reach // 2 : middle + reach // 2 + 1]
        top = int(np.argmax(near))
        on_grid = round((offset_s + drift * time_s) * rate) - reach + middle - reach // 2
        lags.append((on_grid + top + _vertex(near, top)) / rate)
        weights.append(max(float(near[top]), 0.0))
    return _line(np.array(times), np.array(lags), np.array(weights))


def _line(times: Floats, lags: Floats, weights: Floats) -> tuple[float, float]:
    """Offset and slope of lags (N,) s over times (N,) s."""
    weights = weights / max(weights.max(), 1e-12) + 1e-9
    offset_s, drift, spread, factor = 0.0, 0.0, _LAG_S, np.ones(len(times))
    for _ in range(_ROUNDS):
        own = weights * factor
        centre = (own * times).sum() / own.sum()
        middle = (own * lags).sum() / own.sum()
        lever = times - centre
        expected = (spread / USUAL_DRIFT) ** 2
        drift = float((own * lever * (lags - middle)).sum() / ((own * lever**2).sum() + expected))
        offset_s = float(middle - drift * centre)
        away = np.abs(lags - offset_s - drift * times)
        spread = max(_LAG_S, 1.4826 * float(np.median(away)))
        factor = np.minimum(1.0, _HUBER * spread / np.maximum(away, 1e-9))
    return offset_s, drift


def _vertex(values: Floats, top: int) -> float:
    """Where between its neighbours the parabola through a maximum has its vertex, -0.5…0.5."""
    if not 0 < top < len(values) - 1:
        return 0.0
    before, here, after = (float(values[top + step]) for step in (-1, 0, 1))
    bend = before - 2 * here + after
    return 0.0 if bend >= 0 else min(max(0.5 * (before - after) / bend, -0.5), 0.5)
