"""Scores (分值) of DIP groups from history: what a group costs over what a case costs, times 1000.

Trim each group's costs, take the mean of every year, weigh the years, divide by the base. Source:
technical specification of DIP 3.0 (draft, 2026); quantiles by linear interpolation and groups too
small to be trimmed are conventions. Everything is exact until a score is printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from grouper.errors import WeightError
from grouper.money import round_half_up
from weights import mixture as mix
from weights.choices import Choices, year_weights_of
from weights.history import History
from weights.mixture import YearMean
from weights.moments import Moments, moments
from weights.trim import Limits, Trim, limits

#: what the score 1000 stands for: the mean of all cases, of all kept ones, of a group, a fixed sum
Base = Literal["all", "kept", "group", "standard"]
#: weights of three years, oldest first (technical specification of DIP 3.0, draft)
USUAL_YEARS = (1, 2, 7)
#: the score of a group that costs as much as the base
SCALE = 1000
DECIMALS = 6


def _trim() -> Trim:
    return Trim("percentile", Fraction(5, 2), Fraction(195, 2), 20)


@dataclass(frozen=True, slots=True)
class ScoreChoices:
    """Everything that is chosen about scores.

    trim: by default from P2.5 to P97.5, groups of 20 cases or more; year_weights: year -> weight,
    by default 1:2:7 for three years; year_mean: `years`, the mean of yearly means, or `cases`, the
    weights applied to costs and counts; base: what 1000 stands for: `all` cases of the history,
    `kept` ones, the mean of the group `reference`, or `standard_fen`.
    """

    trim: Trim = field(default_factory=_trim)
    year_weights: Mapping[int, Fraction] = field(default_factory=dict)
    year_mean: YearMean = "years"
    base: Base = "all"
    reference: str = ""
    standard_fen: Fraction | None = None


@dataclass(frozen=True, slots=True)
class GroupScore:
    """One group: cases, those trimmed away, mean cost in fen over the years, spread, score.

    limits: of the costs that were kept; cv_squared: square of population standard deviation over
    mean, of kept costs; exact: the score before it is rounded; years: (year, kept cases, fen).
    """

    code: str
    cases: int
    trimmed: int
    limits: Limits
    mean_fen: Fraction
    cv_squared: Fraction
    exact: Fraction
    years: tuple[tuple[int, int, int], ...]

    @property
    def printed(self) -> Decimal:
        """The score as it is published: six decimals, half up."""
        return printed(self.exact)

    @property
    def kept(self) -> int:
        """Cases that the mean rests on."""
        return self.cases - self.trimmed


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of all groups of a history and the base that they are over, in fen."""

    choices: ScoreChoices
    year_weights: Mapping[int, Fraction]
    groups: tuple[GroupScore, ...]
    base_fen: Fraction

    @property
    def total(self) -> Fraction:
        """The sum of cases times exact scores."""
        return sum((one.cases * one.exact for one in self.groups), Fraction(0))


def printed(score: Fraction) -> Decimal:
    """A score with six decimals, half up."""
    return Decimal(round_half_up(score * 10**DECIMALS)).scaleb(-DECIMALS)


def scores(
    found: History, everyone: Mapping[int, tuple[int, int]], choices: ScoreChoices | None = None
) -> Scores:
    """The scores of the groups of a history.

    everyone: year -> cases and cost in fen of all cases, also those of no group.
    Raises WeightError: WT131 no case; WT138 limits of trimming; WT139, WT140 weights of years;
    WT142 groups of which trimming leaves nothing; WT150 a base that is not there.
    """
    choices = choices or ScoreChoices()
    if not found.groups:
        raise WeightError("WT131", left_out=sum(found.left_out.values()))
    weights = _year_weights(found, choices)
    bounds = limits(found, choices.trim)
    known = moments(found, bounds)
    empty = [code for code, n in zip(found.groups, known.kept, strict=True) if not n]
    if empty:
        raise WeightError("WT142", count=len(empty), groups=", ".join(empty[:10]))
    year_mean = choices.year_mean
    means = [
        mix.amount(mix.joint(known, [group], weights, year_mean), known)
        for group in range(len(found.groups))
    ]
    base = _base(found, known, means, everyone, weights, choices)
    groups = []
    for group, code in enumerate(found.groups):
        n, fen = known.kept[group], known.total_fen[group]
        years = zip(
            found.years, known.cases[group].tolist(), known.fen[group].tolist(), strict=True
        )
        groups.append(
            GroupScore(
                code=code,
                cases=int(known.every[group]),
                trimmed=int(known.every[group]) - n,
                limits=bounds[group],
                mean_fen=means[group],
                cv_squared=known.squares[group] * n / (fen * fen),
                exact=means[group] / base * SCALE,
                years=tuple(year for year in years if year[1]),
            )
        )
    return Scores(choices, dict(zip(found.years, weights, strict=True)), tuple(groups), base)


def _year_weights(found: History, choices: ScoreChoices) -> list[Fraction]:
    given = choices.year_weights
    if not given and len(found.years) == len(USUAL_YEARS):
        given = dict(zip(found.years, map(Fraction, USUAL_YEARS), strict=True))
    return year_weights_of(found, Choices(year_weights=given))


def _base(
    found: History,
    known: Moments,
    means: list[Fraction],
    everyone: Mapping[int, tuple[int, int]],
    weights: list[Fraction],
    choices: ScoreChoices,
) -> Fraction:
    """What the score 1000 stands for, in fen."""
    if choices.base == "standard":
        if not choices.standard_fen or choices.standard_fen <= 0:
            raise WeightError("WT150", base=choices.base, name=choices.standard_fen)
        return choices.standard_fen
    if choices.base == "group":
        if choices.reference not in found.groups:
            raise WeightError("WT150", base=choices.base, name=choices.reference)
        return means[found.groups.index(choices.reference)]
    if choices.base == "kept":
        counts, fen = known.cases.sum(axis=0).tolist(), known.fen.sum(axis=0).tolist()
    else:
        counts, fen = zip(*(everyone[year] for year in found.years), strict=True)
    parts = mix.year_parts(counts, weights, choices.year_mean)
    return sum(
        (p * Fraction(f, n) for p, f, n in zip(parts, fen, counts, strict=True) if n), Fraction(0)
    )


@dataclass(frozen=True, slots=True)
class Inversion:
    """A group that scores less than a milder one of the same diagnosis."""

    code: str
    score: Fraction
    milder: str
    milder_score: Fraction


def inversions(found: Scores, milder: Mapping[str, str]) -> list[Inversion]:
    """The groups that score less than the next milder one (group -> milder group)."""
    exact = {one.code: one.exact for one in found.groups}
    return [
        Inversion(code, exact[code], other, exact[other])
        for code, other in sorted(milder.items())
        if exact[code] < exact[other]
    ]


def repaired(found: Scores, milder: Mapping[str, str]) -> dict[str, Fraction]:
    """Scores of which none is below that of the next milder group; the sum over cases stays.

    Groups of which the severer scores less are pooled with the mean of their cases (pool adjacent
    violators over the tree of severity), so nothing else changes more than it must.
    """
    below: dict[str, list[str]] = {}
    for code, other in sorted(milder.items()):
        below.setdefault(other, []).append(code)
    known = {one.code: one for one in found.groups}
    result: dict[str, Fraction] = {}
    for code in sorted(known):
        if code not in milder:
            for pool in _pools(code, below, known):
                result.update(dict.fromkeys(pool.members, pool.mean))
    return result


@dataclass
class _Pool:
    """Groups with one score: cases, cases times scores, and the pools that are next severer."""

    members: list[str]
    cases: int
    points: Fraction
    above: list[_Pool] = field(default_factory=list)

    @property
    def mean(self) -> Fraction:
        return self.points / self.cases


def _pools(
    code: str, below: Mapping[str, list[str]], known: Mapping[str, GroupScore]
) -> list[_Pool]:
    """The pools of a group and all severer ones."""
    root = _pool(code, below, known)
    found, waiting = [], [root]
    while waiting:
        pool = waiting.pop()
        found.append(pool)
        waiting += pool.above
    return found


def _pool(code: str, below: Mapping[str, list[str]], known: Mapping[str, GroupScore]) -> _Pool:
    one = known[code]
    pool = _Pool([code], one.cases, one.cases * one.exact)
    pool.above = [_pool(severer, below, known) for severer in below.get(code, ())]
    while pool.above:
        least = min(pool.above, key=lambda other: (other.mean, other.members))
        if least.mean >= pool.mean:
            break
        pool.above.remove(least)
        pool.members += least.members
        pool.cases += least.cases
        pool.points += least.points
        pool.above += least.above
    return pool
