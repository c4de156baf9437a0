"""Weights as mixtures of yearly group means, and the adjustments that change the mixture.

Every weight, adjusted or not, is a sum of mean costs of groups in years with exact coefficients.
Adjustments change the coefficients alone; amount and uncertainty both follow from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Literal, TypeAlias

from weights.moments import Moments

#: (group, year), by position -> the part its mean cost has
Mixture: TypeAlias = "dict[tuple[int, int], Fraction]"
#: years: the mean of the yearly means; cases: the mean of all cases, each with its year's weight
YearMean = Literal["years", "cases"]
#: what becomes of a small group: it takes the mean of its ADRG, is drawn towards it, or is marked
Small = Literal["merge", "shrink", "mark"]


def year_parts(
    cases: Sequence[int], year_weights: Sequence[Fraction], year_mean: YearMean
) -> tuple[Fraction, ...]:
    """The part of each year in a mean over years: those without cases have none."""
    counts = cases if year_mean == "cases" else (int(n > 0) for n in cases)
    return _shares(tuple(counts), tuple(year_weights))


@lru_cache(maxsize=1024)
def _shares(counts: tuple[int, ...], weights: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    parts = [n * weight for n, weight in zip(counts, weights, strict=True)]
    whole = sum(parts, Fraction(0))
    return tuple(part / whole for part in parts)


def joint(
    moments: Moments, members: Sequence[int], year_weights: Sequence[Fraction], year_mean: YearMean
) -> Mixture:
    """The mean over the years of all cases of some groups: of one, or of an ADRG."""
    cases = moments.cases[list(members)].tolist()
    yearly = [sum(column) for column in zip(*cases, strict=True)]
    parts = year_parts(yearly, year_weights, year_mean)
    return {
        (group, year): parts[year] if n == yearly[year] else parts[year] * Fraction(n, yearly[year])
        for group, own in zip(members, cases, strict=True)
        for year, n in enumerate(own)
        if n
    }


def combined(mixtures: Sequence[tuple[Fraction, Mixture]]) -> Mixture:
    """A sum of mixtures, each times a factor."""
    found: Mixture = {}
    for factor, mixture in mixtures:
        for cell, part in mixture.items():
            found[cell] = found.get(cell, Fraction(0)) + factor * part
    return found


def amount(mixture: Mixture, moments: Moments) -> Fraction:
    """The mean cost in fen that a mixture stands for, exact."""
    # one reduction at the end instead of one a cell
    above, below = 0, 1
    for cell, part in mixture.items():
        numerator = part.numerator * int(moments.fen[cell])
        denominator = part.denominator * int(moments.cases[cell])
        above, below = above * denominator + numerator * below, below * denominator
    return Fraction(above, below)


def tree_sum(values: Sequence[Fraction]) -> Fraction:
    """An exact sum by halves: denominators grow with the logarithm, not with every term."""
    if len(values) < 2:
        return values[0] if values else Fraction(0)
    half = len(values) // 2
    return tree_sum(values[:half]) + tree_sum(values[half:])


def treat_small(
    own: Sequence[Mixture],
    of_adrg: Mapping[int, Mixture],
    cases: Sequence[int],
    small: Small,
    prior_cases: Fraction,
) -> list[Mixture]:
    """Mixtures after the treatment of small groups.

    of_adrg: small group -> the mean of its ADRG. `shrink` counts the ADRG like `prior_cases`
    further cases: n / (n + prior) of the group, the rest of the ADRG.
    """
    treated = list(own)
    for group, whole in of_adrg.items():
        if small == "merge":
            treated[group] = whole
        elif small == "shrink":
            part = cases[group] / (cases[group] + prior_cases)
            treated[group] = combined([(part, own[group]), (1 - part, whole)])
    return treated


def pool_order(
    order: Sequence[int], value: Sequence[Fraction], cases: Sequence[int]
) -> list[list[int]]:
    """Groups from the most to the least severe, neighbours in the wrong order put together.

    A pool has the mean of its groups, each counted with its cases, so the total weight stays. The
    pools that come out do not rise. Source: pool adjacent violators, settlement specification 3.6.
    """
    pools: list[tuple[Fraction, int, list[int]]] = []
    for group in order:
        pools.append((value[group], cases[group], [group]))
        while len(pools) > 1 and pools[-2][0] < pools[-1][0]:
            later_value, later_cases, later = pools.pop()
            first_value, first_cases, first = pools.pop()
            n = first_cases + later_cases
            mean = (first_value * first_cases + later_value * later_cases) / n
            pools.append((mean, n, first + later))
    return [members for _, _, members in pools]
