"""Indicators of DIP: case mix, time and cost against the area, kinds of groups, deviating cases.

Formulas and names: the monitoring part of the draft of the DIP 3.0 technical specification (2026).
Ratios are exact fractions; a denominator of nothing gives None, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from grouper.money import total

Rows = NDArray[np.int64]
_MISSING_FEN = -(2**63)
#: groups are looked at by how their costs vary: below the first, above the second
CV_BORDERS = (Fraction(1, 2), Fraction(1))


@dataclass(frozen=True, slots=True, eq=False)
class DipFacts:
    """n cases of an area, (n,) arrays.

    hospital, group, kind: positions in hospitals, groups and kinds (group -1: none); score: int64
    units of `unit` (1/10000), the smallest int64 where a case has none; los: days, below 0 =
    missing; cost, paid, pool, fund: fen, the smallest int64 = missing; low, high: deviating cases.
    los_means, cost_means: of the area's groups, days and fen, None where none is known;
    categories: of the groups, those of one category (3-character diagnosis) are siblings.
    """

    hospital: Rows
    group: Rows
    kind: Rows
    score: Rows
    los: Rows
    cost: Rows
    paid: Rows
    pool: Rows
    fund: Rows
    low: NDArray[np.bool_]
    high: NDArray[np.bool_]
    hospitals: Sequence[str]
    kinds: Sequence[str]
    los_means: Sequence[Fraction | None]
    cost_means: Sequence[Fraction | None]
    categories: Sequence[str] = ()
    unit: int = 10**4


@dataclass(frozen=True, slots=True)
class DipIndicators:
    """The indicators of a hospital, or of the area ("" as hospital).

    cmi: score / cases / 1000; time_index, cost_index: mean over cases of days (cost) / mean of the
    group; kinds: share of the grouped cases; pay_rate: payment / cost; fund_rate: the fund's part
    by DIP / the pooled fund as recorded; upcoded_share, undercoded_share: cases whose cost lies
    much nearer to a cheaper (dearer) sibling than to their group (`nearer`), leads and no findings;
    without_mean: cases left out of an index, their group has no mean.
    """

    hospital: str
    cases: int
    grouped: int
    groups: int
    score: Fraction
    cmi: Fraction | None
    time_index: Fraction | None
    cost_index: Fraction | None
    grouping_rate: Fraction | None
    low_share: Fraction | None
    high_share: Fraction | None
    pay_rate: Fraction | None
    fund_rate: Fraction | None
    upcoded_share: Fraction | None
    undercoded_share: Fraction | None
    surplus_fen: int
    without_mean: int
    kinds: Mapping[str, Fraction] = field(default_factory=dict)


def indicators(facts: DipFacts, *, scale: int = 1000) -> list[DipIndicators]:
    """The area first, then every hospital with cases, in the order of their codes.

    scale: the score of a mean case (1000, or 1 where the catalogue prints relative weights).
    """
    every = np.arange(len(facts.hospital))
    made = [_of("", every, facts, scale)] if len(every) else []
    for at in sorted(range(len(facts.hospitals)), key=lambda at: facts.hospitals[at]):
        rows = np.flatnonzero(facts.hospital == at)
        if len(rows):
            made.append(_of(facts.hospitals[at], rows, facts, scale))
    return made


def _of(hospital: str, rows: Rows, facts: DipFacts, scale: int) -> DipIndicators:
    grouped = rows[facts.group[rows] >= 0]
    scored = grouped[facts.score[grouped] != _MISSING_FEN]
    score = Fraction(total(facts.score[scored]), facts.unit)
    times, no_time = _index(grouped, facts.los, facts.group, facts.los_means)
    costs, no_cost = _index(grouped, facts.cost, facts.group, facts.cost_means)
    paid = rows[(facts.paid[rows] != _MISSING_FEN) & (facts.cost[rows] > 0)]
    funded = rows[(facts.fund[rows] != _MISSING_FEN) & (facts.pool[rows] != _MISSING_FEN)]
    payment, cost = total(facts.paid[paid]), total(facts.cost[paid])
    low, high = _suspected(grouped, facts)
    counts = np.bincount(facts.kind[grouped], minlength=len(facts.kinds)).tolist()
    return DipIndicators(
        hospital=hospital,
        cases=len(rows),
        grouped=len(grouped),
        groups=len(np.unique(facts.group[grouped])),
        score=score,
        cmi=_ratio(score, len(scored) * scale),
        time_index=times,
        cost_index=costs,
        grouping_rate=_ratio(len(grouped), len(rows)),
        low_share=_ratio(int(facts.low[rows].sum()), len(rows)),
        high_share=_ratio(int(facts.high[rows].sum()), len(rows)),
        pay_rate=_ratio(payment, cost),
        fund_rate=_ratio(total(facts.fund[funded]), total(facts.pool[funded])),
        upcoded_share=_ratio(low, len(grouped)),
        undercoded_share=_ratio(high, len(grouped)),
        surplus_fen=payment - cost,
        without_mean=max(no_time, no_cost),
        kinds={
            name: Fraction(n, len(grouped))
            for name, n in zip(facts.kinds, counts, strict=True)
            if n
        },
    )


def _index(
    rows: Rows, values: Rows, group: Rows, means: Sequence[Fraction | None]
) -> tuple[Fraction | None, int]:
    """The mean over cases of value / mean of the group, and how many cases have no such mean."""
    usable = np.array([mean is not None and mean > 0 for mean in means], np.bool_)
    known = rows[(values[rows] >= 0) & usable[group[rows]]] if len(usable) else rows[:0]
    if not len(known):
        return None, len(rows)
    sums = np.zeros(len(means), np.int64)
    np.add.at(sums, group[known], values[known])
    ratio = Fraction(0)
    for at in np.unique(group[known]).tolist():
        mean = means[at]
        assert mean is not None
        ratio += int(sums[at]) / mean
    return ratio / len(known), len(rows) - len(known)


def _suspected(rows: Rows, facts: DipFacts) -> tuple[int, int]:
    """How many cases cost like a cheaper, and like a dearer sibling of their group."""
    if not facts.categories:
        return 0, 0
    below, above = nearer(facts.cost_means, facts.categories)
    group, cost = facts.group[rows], facts.cost[rows]
    known = cost >= 0
    return (
        int(np.count_nonzero(known & (cost < below[group]))),
        int(np.count_nonzero(known & (cost > above[group]))),
    )


def nearer(means: Sequence[Fraction | None], categories: Sequence[str]) -> tuple[Rows, Rows]:
    """For each group the fen below (above) which a case fits a cheaper (dearer) sibling better.

    Better by more than half of the difference d of the two means: |cost - own| - |cost - sibling|
    > d / 2, that is beyond a quarter of the own and three quarters of the sibling's mean. The
    cut-off is ours (constructed). No sibling: 0, and the largest int64.
    """
    most = np.iinfo(np.int64).max
    below, above = np.zeros(len(means), np.int64), np.full(len(means), most, np.int64)
    siblings: dict[str, list[int]] = {}
    for at, (mean, category) in enumerate(zip(means, categories, strict=True)):
        if mean is not None and category:
            siblings.setdefault(category, []).append(at)
    for places in siblings.values():
        order = sorted(places, key=lambda at: means[at] or 0)
        for at in order:
            own = means[at] or Fraction(0)
            cheaper = [mean for one in order if (mean := means[one] or own) < own]
            dearer = [mean for one in order if (mean := means[one] or own) > own]
            if cheaper:
                below[at] = math.ceil((own + 3 * max(cheaper)) / 4)
            if dearer:
                above[at] = math.floor((own + 3 * min(dearer)) / 4)
    return below, above


def _ratio(part: Fraction | int, whole: int) -> Fraction | None:
    return Fraction(part) / whole if whole > 0 else None


@dataclass(frozen=True, slots=True)
class Variation:
    """How many groups have a CV below, within and above the borders; `unknown`: without one."""

    below: int
    within: int
    above: int
    unknown: int


def variation(cvs: Sequence[Fraction | None]) -> Variation:
    """The groups of a catalogue by their CV."""
    low, high = CV_BORDERS
    known = [cv for cv in cvs if cv is not None]
    below, above = sum(cv < low for cv in known), sum(cv > high for cv in known)
    return Variation(below, len(known) - below - above, above, len(cvs) - len(known))


def change(now: Fraction, before: Fraction) -> Fraction | None:
    """(now - before) / before: variation of a point value, or settlement against budget value."""
    return (now - before) / before if before else None


def surplus_coverage(surpluses_fen: Sequence[int]) -> Fraction | None:
    """Hospitals with a surplus / hospitals (结余覆盖率)."""
    return _ratio(sum(fen > 0 for fen in surpluses_fen), len(surpluses_fen))
