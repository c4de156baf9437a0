"""Which costs of a group are kept: trimming by a named method, with exact limits.

Limits are computed once for each group over all its years. They are exact fractions of a fen, so
that a cost is inside or outside and never both on two machines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from grouper.errors import WeightError
from grouper.money import total
from weights.history import MAX_COST_FEN, History

Method = Literal["none", "percentile", "iqr", "mean", "log_sd"]
#: percentile and quartiles: the place of a quantile p among n sorted costs is p (n - 1)
_QUARTER = Fraction(1, 4)
#: so that costs which are all the same stay inside, though logarithms are rounded
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Trim:
    """How costs are trimmed.

    none; percentile: from P(low) to P(high), in percent; iqr: from P25 - low x (P75 - P25) to
    P75 + high x (P75 - P25); mean: from low to high times the mean; log_sd: within low and high
    standard deviations of the mean of the logarithms. Both limits are kept. Groups of fewer than
    `min_cases` cases are not trimmed. Source of the default and of P25/P75 by p (n - 1): the
    worked examples E06 and E07 of the settlement specification.
    """

    method: Method = "iqr"
    low: Fraction = Fraction(3, 2)
    high: Fraction = Fraction(3, 2)
    min_cases: int = 8


#: method -> the usual low and high
DEFAULTS: Mapping[Method, tuple[Fraction, Fraction]] = {
    "none": (Fraction(0), Fraction(0)),
    "percentile": (Fraction(5), Fraction(95)),
    "iqr": (Fraction(3, 2), Fraction(3, 2)),
    "mean": (Fraction(3, 10), Fraction(3)),
    "log_sd": (Fraction(3), Fraction(3)),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one group in exact fen, both inside; None where the group is not trimmed.

    quartiles: of its costs, where the method rests on them.
    """

    low: Fraction | None = None
    high: Fraction | None = None
    quartiles: tuple[Fraction, Fraction] | None = None

    @property
    def shown(self) -> tuple[Fraction | None, Fraction | None]:
        """Both limits; a lower one below 0 keeps every cost and is shown as 0."""
        return None if self.low is None else max(self.low, Fraction(0)), self.high

    @property
    def fen(self) -> tuple[int, int]:
        """The least and the largest whole fen inside."""
        if self.low is None or self.high is None:
            return 0, MAX_COST_FEN
        return max(math.ceil(self.low), 0), min(math.floor(self.high), MAX_COST_FEN)


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """The costs of one group as a sorted histogram: (m,) fen and counts, `cases` in all."""

    fen: NDArray[np.int64]
    counts: NDArray[np.uint32]
    cases: int
    total_fen: int

    def quantile(self, p: Fraction) -> Fraction:
        """The quantile at place p (n - 1) of the sorted costs, between two of them by line."""
        place = p * (self.cases - 1)
        below = math.floor(place)
        if self.cases == len(self.fen):
            first, second = self.fen[below], self.fen[min(below + 1, self.cases - 1)]
        else:
            ends = np.cumsum(self.counts, dtype=np.int64)
            wanted = np.array([below, min(below + 1, self.cases - 1)])
            first, second = self.fen[np.searchsorted(ends, wanted, side="right")]
        return Fraction(int(first)) + (place - below) * (int(second) - int(first))


def limits(found: History, trim: Trim) -> list[Limits]:
    """The limits of every group.

    Raises WeightError WT138 for a low and high that leave nothing by themselves.
    """
    check(trim)
    make = _MAKERS[trim.method]
    starts = found.starts().tolist()
    fen = History.fen_of(found.keys)
    made = []
    for first, last in pairwise(starts):
        counts = found.counts[first:last]
        cases = int(counts.sum(dtype=np.int64))
        if trim.method == "none" or cases < trim.min_cases:
            made.append(Limits())
            continue
        own = fen[first:last]
        costs = Costs(own, counts, cases, total(own * counts))
        made.append(make(costs, trim))
    return made


def check(trim: Trim) -> None:
    """Raise WeightError WT138 unless low and high make sense for the method."""
    most = 100 if trim.method == "percentile" else 1000
    within = 0 <= trim.low <= most and 0 <= trim.high <= most
    ordered = trim.low < trim.high or trim.method not in ("percentile", "mean")
    if trim.method not in _MAKERS or not (within and ordered) or trim.min_cases < 1:
        raise WeightError("WT138", method=trim.method, low=trim.low, high=trim.high)


def _percentile(costs: Costs, trim: Trim) -> Limits:
    return Limits(costs.quantile(trim.low / 100), costs.quantile(trim.high / 100))


def _iqr(costs: Costs, trim: Trim) -> Limits:
    first, third = costs.quantile(_QUARTER), costs.quantile(1 - _QUARTER)
    width = third - first
    return Limits(first - trim.low * width, third + trim.high * width, (first, third))


def _mean(costs: Costs, trim: Trim) -> Limits:
    mean = Fraction(costs.total_fen, costs.cases)
    return Limits(trim.low * mean, trim.high * mean)


def _log_sd(costs: Costs, trim: Trim) -> Limits:
    centre, spread = log_moments(costs.fen, costs.counts)
    low = math.exp(centre - float(trim.low) * spread - _SLACK)
    return Limits(Fraction(low), Fraction(math.exp(centre + float(trim.high) * spread + _SLACK)))


def log_moments(fen: NDArray[np.int64], counts: NDArray[np.uint32]) -> tuple[float, float]:
    """Mean and standard deviation (n - 1) of the logarithms of costs."""
    logs = np.log(fen)
    cases = float(counts.sum(dtype=np.int64))
    centre = float((logs * counts).sum() / cases)
    square = float((np.square(logs - centre) * counts).sum())
    return centre, math.sqrt(square / max(cases - 1, 1))


_MAKERS: Mapping[Method, Callable[[Costs, Trim], Limits]] = {
    "none": lambda costs, trim: Limits(),
    "percentile": _percentile,
    "iqr": _iqr,
    "mean": _mean,
    "log_sd": _log_sd,
}
