"""The score (分值) of a DIP group from some years: means, trimming, spread, auxiliary types.

All is exact until printed. Source: the draft of the DIP 3.0 technical specification (2026); what
it leaves open (linear interpolation, small groups untrimmed) is ours: docs/reference/dip-money.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from grouper.errors import SettlementError
from weights.trim import Costs

#: weights of three years, oldest first
YEAR_WEIGHTS = (1, 2, 7)


@dataclass(frozen=True, slots=True)
class YearMean:
    """Cases of a year and their mean cost, in any one unit of money."""

    cases: int
    mean: Fraction


def mean_of_means(years: Sequence[YearMean], weights: Sequence[int] = YEAR_WEIGHTS) -> Fraction:
    """The years' means weighted by year, over the years that have cases.

    Raises SettlementError ST301 when no year has.
    """
    pairs = [(w, one) for w, one in zip(weights, years, strict=True) if one.cases > 0]
    volume = sum(w for w, _ in pairs)
    if volume <= 0:
        raise SettlementError("ST301", detail="0 cases")
    return sum((w * one.mean for w, one in pairs), Fraction(0)) / volume


def pooled_mean(years: Sequence[YearMean], weights: Sequence[int] = YEAR_WEIGHTS) -> Fraction:
    """Weighted cost / weighted cases. Raises SettlementError ST301 when no year has cases."""
    pairs = list(zip(weights, years, strict=True))
    volume = sum(w * one.cases for w, one in pairs)
    if volume <= 0:
        raise SettlementError("ST301", detail="0 cases")
    return sum((w * one.cases * one.mean for w, one in pairs), Fraction(0)) / volume


@dataclass(frozen=True, slots=True)
class Spread:
    """Costs of a group: how many, their mean, and the square of CV (population sd / mean)."""

    cases: int
    mean: Fraction
    cv_square: Fraction


def spread(costs_fen: Sequence[int]) -> Spread:
    """Mean and CV of some costs. Raises SettlementError ST301 for none, or for a mean of 0."""
    if not costs_fen or sum(costs_fen) <= 0:
        raise SettlementError("ST301", detail=f"{len(costs_fen)} costs")
    mean = Fraction(sum(costs_fen), len(costs_fen))
    variance = sum(((cost - mean) ** 2 for cost in costs_fen), Fraction(0)) / len(costs_fen)
    return Spread(len(costs_fen), mean, variance / mean**2)


def trim_costs(
    costs_fen: Sequence[int], low: Fraction, high: Fraction, *, min_cases: int = 20
) -> tuple[Fraction, Fraction, list[int]]:
    """Both bounds in exact fen, and the costs inside, bounds included.

    low, high: quantiles, at place p (n - 1) by linear interpolation. Groups under `min_cases` keep
    all.
    """
    fen = np.sort(np.array(costs_fen, np.int64))
    found = Costs(fen, np.ones(len(fen), np.uint32), len(fen), int(fen.sum()))
    first, last = found.quantile(low), found.quantile(high)
    if len(fen) < min_cases:
        return first, last, sorted(costs_fen)
    return first, last, [cost for cost in sorted(costs_fen) if first <= cost <= last]


@dataclass(frozen=True, slots=True)
class TypeCosts:
    """The cases of one auxiliary type within a group; sd: population."""

    cases: int
    mean: Fraction
    sd: Fraction


@dataclass(frozen=True, slots=True)
class Division:
    """What dividing a group by types does: squares of CV before and within, coefficients."""

    mean: Fraction
    before_square: Fraction
    within_square: Fraction
    triggers: dict[str, Fraction]

    def lowers_by(self, share: Fraction) -> bool:
        """Whether CV falls by at least a share (1 - within / before), compared without roots."""
        return self.within_square <= (1 - share) ** 2 * self.before_square


def divide(types: dict[str, TypeCosts]) -> Division:
    """The division of a group by its types. Raises SettlementError ST301 for no cases or cost."""
    cases = sum(one.cases for one in types.values())
    cost = sum((one.cases * one.mean for one in types.values()), Fraction(0))
    if cases <= 0 or cost <= 0:
        raise SettlementError("ST301", detail=f"{cost} / {cases}")
    mean = cost / cases
    within = sum((one.cases * one.sd**2 for one in types.values()), Fraction(0)) / cases
    between = sum((one.cases * (one.mean - mean) ** 2 for one in types.values()), Fraction(0))
    return Division(
        mean,
        (within + between / cases) / mean**2,
        within / mean**2,
        {name: one.mean / mean for name, one in types.items()},
    )
