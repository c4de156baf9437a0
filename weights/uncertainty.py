"""How well the data know a weight: covariances of group means, intervals, change over years.

The variance of a trimmed mean is not that of the kept costs: the limits come from the data too,
and move with them. Each case's influence on the mean of its year and on the limits of its group is
written down (the influence function of the trimming method), and the covariance is the mean square
of these influences. Cases count as independent. Source of the method: Huber, Robust Statistics,
chapter 3; the density of costs at a limit is counted in a window around it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from weights.history import History
from weights.mixture import Mixture
from weights.moments import Moments
from weights.trim import Costs, Limits, Method, Trim, log_moments

_Floats = NDArray[np.float64]
_FIRST, _THIRD = Fraction(1, 4), Fraction(3, 4)
#: a window of this many times (P75 - P25) x n^-0.2 suits a density that is roughly normal
_WINDOW = 0.9 / 1.34


def covariances(
    found: History, limits: Sequence[Limits], trim: Trim, known: Moments
) -> list[_Floats]:
    """The covariance of the yearly means of every group, (years, years) each, in square fen.

    A year of one case takes the spread of the group's other years; NaN where there is none, and
    for years without cases.
    """
    starts = found.starts().tolist()
    made = []
    for group, limit in enumerate(limits):
        part = slice(starts[group], starts[group + 1])
        keys, counts = found.keys[part], found.counts[part]
        costs = Costs(History.fen_of(keys), counts, int(known.every[group]), 0)
        low, high = limit.fen
        inside = (costs.fen >= low) & (costs.fen <= high)
        cases = known.cases[group].astype(np.float64)
        with np.errstate(invalid="ignore"):
            means = known.fen[group] / cases
        year = History.year_of(keys)
        off = (costs.fen - means[year]) * inside
        own = _own_variances(off, counts, year, cases)
        if limit.low is None or limit.high is None:
            made.append(np.diag(own))
            continue
        pulls = _PULLS[trim.method](costs, trim, _Density(costs), limit)
        made.append(_with_limits(own, off, counts, year, cases, means, limit, pulls))
    return made


def _own_variances(
    off: _Floats, counts: NDArray[np.uint32], year: NDArray[np.uint8], cases: _Floats
) -> _Floats:
    """s^2 / n of each year, as if the limits were fixed; off: (m,) deviation of kept costs."""
    squares = np.bincount(year, counts * off * off, minlength=len(cases))
    freedom = np.maximum(cases - 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = squares.sum() / freedom.sum() if freedom.sum() else math.nan
        spread = np.where(freedom > 0, squares / freedom, pooled)
        variances: _Floats = np.where(cases > 0, spread / cases, math.nan)
    return variances


def _with_limits(
    own: _Floats,
    off: _Floats,
    counts: NDArray[np.uint32],
    year: NDArray[np.uint8],
    cases: _Floats,
    means: _Floats,
    limit: Limits,
    pulls: _Floats,
) -> _Floats:
    """The covariance with the limits' own movement.

    pulls: (2, m) how a case moves the low and the high limit, times the density there.
    """
    assert limit.low is not None
    assert limit.high is not None
    every = float(counts.sum(dtype=np.int64))
    share = every / cases.sum()
    # what moving a limit does to the mean of each year, (years, 2)
    gain = np.stack([means - float(limit.low), float(limit.high) - means], axis=1) * share
    weighted = pulls * counts
    between = weighted @ pulls.T / every**2
    cross = np.stack([np.bincount(year, off * pull, minlength=len(cases)) for pull in weighted])
    with np.errstate(invalid="ignore", divide="ignore"):
        both = (cross / (every * cases)).T @ gain.T
    covariance: _Floats = np.diag(own) + both + both.T + gain @ between @ gain.T
    return covariance


class _Density:
    """Costs of a group per fen and case around a cost; its quartiles."""

    def __init__(self, costs: Costs) -> None:
        self._fen, self._cases = costs.fen, costs.cases
        self._ends = np.concatenate([[0], np.cumsum(costs.counts, dtype=np.int64)])
        self.first, self.third = float(costs.quantile(_FIRST)), float(costs.quantile(_THIRD))
        self._window = max(_WINDOW * (self.third - self.first) * costs.cases**-0.2, 1.0)

    def __call__(self, at: float, *, least: int = 0) -> float:
        """The density at a cost, as if at least so many cases were around it."""
        edges = max(at - self._window, 0.0), at + self._window
        below, above = np.searchsorted(self._fen, edges)
        many = max(float(self._ends[above] - self._ends[below]), least)
        width: float = max(edges[1] - edges[0], 1.0)
        return many / (self._cases * width)


def _of_percentiles(costs: Costs, trim: Trim, density: _Density, limit: Limits) -> _Floats:
    # the density of the limit and that of its influence cancel
    return np.stack(
        [
            float(p) / 100 - (costs.fen <= float(at or 0))
            for p, at in ((trim.low, limit.low), (trim.high, limit.high))
        ]
    )


def _of_quartiles(costs: Costs, trim: Trim, density: _Density, limit: Limits) -> _Floats:
    # a quartile may lie in a gap between few cases
    first = (0.25 - (costs.fen <= density.first)) / density(density.first, least=1)
    third = (0.75 - (costs.fen <= density.third)) / density(density.third, least=1)
    low, high = float(trim.low), float(trim.high)
    return np.stack(
        [
            density(float(limit.low or 0)) * ((1 + low) * first - low * third),
            density(float(limit.high or 0)) * ((1 + high) * third - high * first),
        ]
    )


def _of_mean(costs: Costs, trim: Trim, density: _Density, limit: Limits) -> _Floats:
    mean = float((costs.fen * costs.counts).sum()) / costs.cases
    off = costs.fen - mean
    return np.stack(
        [
            density(float(at or 0)) * float(times) * off
            for times, at in ((trim.low, limit.low), (trim.high, limit.high))
        ]
    )


def _of_logarithms(costs: Costs, trim: Trim, density: _Density, limit: Limits) -> _Floats:
    centre, spread = log_moments(costs.fen, costs.counts)
    off = np.log(costs.fen) - centre
    widening = (off * off - spread**2) / (2 * spread) if spread else np.zeros(len(off))
    return np.stack(
        [
            density(float(at or 0)) * float(at or 0) * (off + times * widening)
            for times, at in ((-float(trim.low), limit.low), (float(trim.high), limit.high))
        ]
    )


_PULLS: Mapping[Method, Callable[[Costs, Trim, _Density, Limits], _Floats]] = {
    "percentile": _of_percentiles,
    "iqr": _of_quartiles,
    "mean": _of_mean,
    "log_sd": _of_logarithms,
}


def relative_errors(
    mixtures: Sequence[Mixture],
    amounts: Sequence[float],
    cases: Sequence[int],
    covariance: Sequence[_Floats],
) -> list[float]:
    """The standard error of each weight as a part of it; NaN where the data do not tell.

    A weight is its amount over the mean of all amounts, `n u / sum(n u)`: both move with the data,
    and what they share cancels. mixtures, amounts, cases: one a group.
    """
    years = covariance[0].shape[0]
    shares = [n * u for n, u in zip(cases, amounts, strict=True)]
    whole = math.fsum(shares)
    total = np.zeros((len(cases), years))
    for mixture, n in zip(mixtures, cases, strict=True):
        for (group, year), part in mixture.items():
            total[group, year] += n * float(part) / whole
    # a cell whose spread is not known makes its own group unknown, not the sum over all groups
    filled = [np.nan_to_num(one) for one in covariance]
    moved = np.stack([one @ own for one, own in zip(filled, total, strict=True)])
    of_whole = math.fsum((total * moved).ravel().tolist())
    found = []
    for mixture, amount in zip(mixtures, amounts, strict=True):
        rows: dict[int, _Floats] = {}
        for (group, year), part in mixture.items():
            rows.setdefault(group, np.zeros(years))[year] = float(part) / amount
        own = math.fsum(_quadratic(row, covariance[group]) for group, row in rows.items())
        shared = math.fsum(float(row @ moved[group]) for group, row in rows.items())
        found.append(math.sqrt(max(own - 2 * shared + of_whole, 0.0)) if own == own else math.nan)
    return found


def _quadratic(row: _Floats, covariance: _Floats) -> float:
    used = row != 0
    return float(row[used] @ covariance[np.ix_(used, used)] @ row[used])


def half_width(relative_error: float, level: float) -> float | None:
    """Half of the interval of the logarithm of a weight, None where the data do not tell."""
    if not relative_error < math.inf:
        return None
    return NormalDist().inv_cdf((1 + level) / 2) * relative_error


def interval(weight: float, relative_error: float, level: float) -> tuple[float, float] | None:
    """The interval of a weight at a level (0.95), even on the scale of logarithms."""
    half = half_width(relative_error, level)
    return None if half is None else (weight * math.exp(-half), weight * math.exp(half))


def changes_between_years(
    ratios: Sequence[float], variances: Sequence[float], level: float
) -> bool:
    """Whether yearly values differ by more than chance, at a level.

    The test of homogeneity: sum of (x - mean)^2 / variance against chi square with k - 1 degrees,
    its quantile by Wilson and Hilferty's formula.
    """
    pairs = [(x, v) for x, v in zip(ratios, variances, strict=True) if v > 0 and v < math.inf]
    if len(pairs) < 2:
        return False
    mean = math.fsum(x / v for x, v in pairs) / math.fsum(1 / v for _, v in pairs)
    distance = math.fsum((x - mean) ** 2 / v for x, v in pairs)
    degrees = len(pairs) - 1
    step = 2 / (9 * degrees)
    return distance > degrees * (1 - step + NormalDist().inv_cdf(level) * math.sqrt(step)) ** 3
