"""Weights from history: what a group has cost on average, over what a case has cost.

The order of the steps is that of the settlement specification (section 3, "Weights from history";
worked examples E06, E07): trim, mean over the years, small groups, order of severity, total weight
kept, incentives. Amounts are whole fen and their ratios exact fractions until a weight is printed;
only what is said about uncertainty is floating point.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from grouper.errors import Issue, WeightError
from grouper.money import round_half_up
from weights import mixture as mix
from weights import uncertainty
from weights.choices import Choices, check, year_weights_of
from weights.estimated import Estimate, GroupWeight, Mark, Step, StepName, Year
from weights.history import History
from weights.mixture import Mixture
from weights.moments import Moments, moments
from weights.trim import Limits, limits


def estimate(found: History, choices: Choices | None = None) -> Estimate:
    """The weights of the groups of a history.

    Raises WeightError: WT131 no case at all; WT138 limits of trimming; WT139 several years without
    weights; WT140 years whose weights are missing or not above 0; WT141 one hospital only; WT142
    groups of which trimming leaves nothing; WT144 incentives for what is no group.
    """
    choices = choices or Choices()
    check(found, choices)
    year_weights = year_weights_of(found, choices)
    bounds = limits(found, choices.trim)
    known = moments(found, bounds)
    _refuse_empty(found, known)
    work = _Work(found, choices, bounds, known, year_weights)
    work.adjust()
    groups = tuple(_described(work))
    rounded = sum((one.kept * Fraction(one.printed) for one in groups), Fraction(0))
    return Estimate(
        choices=choices,
        groups=groups,
        steps=(*work.steps, Step("rounding", rounded, Fraction(1))),
        mean_fen=work.mean,
        riv=_riv(known),
        years=found.years,
        hospitals=len(found.hospitals),
        left_out=found.left_out,
        issues=tuple(_issues(found)),
    )


def _refuse_empty(found: History, known: Moments) -> None:
    empty = [code for code, n in zip(found.groups, known.kept, strict=True) if not n]
    if empty:
        shown = ", ".join(empty[:10]) + (" ..." if len(empty) > 10 else "")
        raise WeightError("WT142", count=len(empty), groups=shown)


@dataclass
class _Work:
    """An estimate in the making.

    kept: cases of each group; own, own_amounts: the mean of each group over the years; mixtures,
    amounts: what becomes of it, taken: after small groups were treated, total_fen: cases times
    amounts; yearly: the mean of all cases of each year, mean: over the years; small: groups of few
    cases; pools: group -> all groups of its pool. Amounts are in fen.
    """

    found: History
    choices: Choices
    bounds: list[Limits]
    known: Moments
    year_weights: list[Fraction]
    kept: tuple[int, ...] = field(init=False)
    own: list[Mixture] = field(init=False)
    own_amounts: list[Fraction] = field(init=False)
    yearly: list[Fraction | None] = field(init=False)
    mean: Fraction = field(init=False)
    mixtures: list[Mixture] = field(init=False)
    amounts: list[Fraction] = field(init=False)
    taken: list[Fraction] = field(init=False)
    total_fen: Fraction = field(init=False)
    steps: list[Step] = field(default_factory=list)
    small: frozenset[int] = frozenset()
    pools: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kept = self.known.kept
        self.own = [self._joint([group]) for group in range(len(self.kept))]
        self.own_amounts = [mix.amount(one, self.known) for one in self.own]
        totals = zip(
            self.known.fen.sum(axis=0).tolist(), self.known.cases.sum(axis=0).tolist(), strict=True
        )
        self.yearly = [Fraction(fen, n) if n else None for fen, n in totals]
        self.mean = self._overall()

    def adjust(self) -> None:
        """Every adjustment, each followed by the factor that gives back the total weight."""
        self._take(self.own, "scale")
        self.small = frozenset(
            group for group, n in enumerate(self.kept) if n < self.choices.small_cases
        )
        if self.small and self.choices.small != "mark":
            self._take(self._small_treated(), "small")
        self.taken = self.amounts
        if self.choices.severity == "pool":
            self._take(self._in_order(), "severity")
        if self.choices.incentives:
            self._take(self._with_incentives(), "incentives")

    def _joint(self, members: Sequence[int]) -> Mixture:
        return mix.joint(self.known, members, self.year_weights, self.choices.year_mean)

    def _overall(self) -> Fraction:
        """The mean of all kept cases over the years."""
        cases = self.known.cases.sum(axis=0).tolist()
        parts = mix.year_parts(cases, self.year_weights, self.choices.year_mean)
        return sum((p * (m or 0) for p, m in zip(parts, self.yearly, strict=True)), Fraction(0))

    def _take(self, mixtures: list[Mixture], name: StepName) -> None:
        """Go on with these mixtures; note the total weight before the factor, and the factor."""
        self.mixtures = mixtures
        self.amounts = [
            amount if one is own else mix.amount(one, self.known)
            for one, own, amount in zip(mixtures, self.own, self.own_amounts, strict=True)
        ]
        self.total_fen = mix.tree_sum([n * u for n, u in zip(self.kept, self.amounts, strict=True)])
        whole = self.total_fen / self.mean
        for step in self.steps:
            whole *= step.factor
        self.steps.append(Step(name, whole, sum(self.kept) / whole))

    def _families(self) -> dict[str, list[int]]:
        """ADRG -> its groups; a group without an ADRG is in none."""
        families = defaultdict(list)
        for group, adrg in enumerate(self.found.adrgs):
            if adrg:
                families[adrg].append(group)
        return families

    def _small_treated(self) -> list[Mixture]:
        families = self._families()
        of_adrg = {
            group: self._joint(families[self.found.adrgs[group]])
            for group in sorted(self.small)
            if self.found.adrgs[group]
        }
        choices = self.choices
        return mix.treat_small(
            self.mixtures, of_adrg, self.kept, choices.small, choices.prior_cases
        )

    def _in_order(self) -> list[Mixture]:
        order = self.choices.severity_order
        mixtures = list(self.mixtures)
        for members in self._families().values():
            ranked = sorted(
                (order.index(self.found.groups[g][-1]), g)
                for g in members
                if self.found.groups[g][-1] in order
            )
            severities = [group for _, group in ranked]
            for pool in mix.pool_order(severities, self.amounts, self.kept):
                if len(pool) == 1:
                    continue
                n = sum(self.kept[group] for group in pool)
                one = mix.combined(
                    [(Fraction(self.kept[group], n), self.mixtures[group]) for group in pool]
                )
                for group in pool:
                    mixtures[group] = one
                    self.pools[group] = tuple(pool)
        return mixtures

    def _with_incentives(self) -> list[Mixture]:
        """The factor of a group is its own, else that of its ADRG, else 1."""
        factors = self.choices.incentives
        codes = zip(self.found.groups, self.found.adrgs, strict=True)
        own = [factors.get(code, factors.get(adrg)) for code, adrg in codes]
        return [
            mixture if factor is None else mix.combined([(factor, mixture)])
            for factor, mixture in zip(own, self.mixtures, strict=True)
        ]


def _described(work: _Work) -> list[GroupWeight]:
    """Every group with its weight and what can be said about it."""
    found, known, choices, kept = work.found, work.known, work.choices, work.kept
    covariance = uncertainty.covariances(found, work.bounds, choices.trim, known)
    errors = uncertainty.relative_errors(
        work.mixtures, [float(one) for one in work.amounts], kept, covariance
    )
    many, largest = (values.tolist() for values in found.hospital_counts())
    unit = work.total_fen / sum(kept)
    described = []
    for g, code in enumerate(found.groups):
        weight = work.amounts[g] / unit
        mean = work.own_amounts[g]
        years = _years(work, g)
        cv_squared = _cv_squared(known, g)
        interval = uncertainty.interval(float(weight), errors[g], float(choices.level))
        every = int(known.every[g])
        described.append(
            GroupWeight(
                code=code,
                adrg=found.adrgs[g],
                name=found.names[g],
                cases=every,
                trimmed=every - kept[g],
                limits=work.bounds[g],
                mean_fen=mean,
                raw=mean / work.mean,
                taken_fen=work.taken[g],
                weight=weight,
                printed=printed(weight, choices.decimals),
                interval=interval,
                cv_squared=cv_squared,
                years=years,
                hospitals=many[g],
                largest_share=Fraction(largest[g], every),
                pooled=tuple(found.groups[other] for other in work.pools.get(g, ())),
                marks=tuple(_marks(work, g, cv_squared, errors[g], many[g], years, covariance[g])),
            )
        )
    return described


def printed(weight: Fraction, decimals: int) -> Decimal:
    """A weight as it is published: rounded half up."""
    return Decimal(round_half_up(weight * 10**decimals)).scaleb(-decimals)


def _years(work: _Work, group: int) -> tuple[Year, ...]:
    years = []
    cells = zip(
        work.found.years,
        work.known.cases[group].tolist(),
        work.known.fen[group].tolist(),
        work.yearly,
        strict=True,
    )
    for year, n, fen, everyone in cells:
        if n and everyone is not None:
            mean = Fraction(fen, n)
            years.append(Year(year, n, mean, mean / everyone))
    return tuple(years)


def _cv_squared(known: Moments, group: int) -> Fraction | None:
    """Square of standard deviation (n - 1) over mean of the kept costs."""
    n, fen = known.kept[group], known.total_fen[group]
    return None if n < 2 else known.squares[group] * n * n / ((n - 1) * fen * fen)


def _marks(
    work: _Work,
    group: int,
    cv_squared: Fraction | None,
    error: float,
    hospitals: int,
    years: Sequence[Year],
    covariance: NDArray[np.float64],
) -> list[Mark]:
    choices = work.choices
    half = uncertainty.half_width(error, float(choices.level))
    said: dict[Mark, bool] = {
        "small": group in work.small,
        "unstable": cv_squared is None or cv_squared >= choices.unstable_cv**2,
        "no_interval": half is None,
        "imprecise": half is not None and half > choices.imprecise,
        "changing": _is_changing(work, group, years, covariance),
        "one_hospital": hospitals == 1,
        "pooled": group in work.pools,
    }
    return [mark for mark, holds in said.items() if holds]


def _is_changing(
    work: _Work, group: int, years: Sequence[Year], covariance: NDArray[np.float64]
) -> bool:
    """Whether the weight of a group differs between years by more than is allowed, and by chance.

    The mean of all groups in a year, over which the weight is taken, counts as known.
    """
    ratios = [float(year.weight) for year in years]
    if len(ratios) < 2:
        return False
    middle = math.fsum(ratios) / len(ratios)
    if max(ratios) - min(ratios) <= work.choices.changing * middle:
        return False
    at = [work.found.years.index(year.year) for year in years]
    scale = [ratio / float(year.mean_fen) for ratio, year in zip(ratios, years, strict=True)]
    variances = [float(covariance[k, k]) * s * s for k, s in zip(at, scale, strict=True)]
    return uncertainty.changes_between_years(ratios, variances, float(work.choices.level))


def _riv(known: Moments) -> Fraction:
    """The part of the variance of kept costs that lies between groups."""
    kept, fen = known.kept, known.total_fen
    mean = Fraction(sum(fen), sum(kept))
    between = mix.tree_sum(
        [n * (Fraction(s, n) - mean) ** 2 for s, n in zip(fen, kept, strict=True)]
    )
    within = mix.tree_sum(known.squares)
    return between / (between + within) if between + within else Fraction(0)


def _issues(found: History) -> list[Issue]:
    """What a reader of the weights has to know."""
    issues = [
        Issue("WT231", "", {"count": count, "reason": reason})
        for reason, count in found.left_out.items()
        if count
    ]
    if not found.hospitals:
        issues.append(Issue("WT232"))
    return issues
