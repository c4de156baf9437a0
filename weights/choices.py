"""Everything that is chosen about an estimate, and whether a history can be estimated so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from grouper.errors import Issue, WeightError
from weights.history import NO_YEAR, History
from weights.mixture import Small, YearMean
from weights.trim import Trim
from weights.trim import check as check_trim


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything that is chosen about an estimate; all of it is recorded with the result.

    year_weights: year -> weight, needed when there are several years; year_mean, small: see
    `weights.mixture`; small_cases: a group with fewer kept cases is small; prior_cases: how many
    cases its ADRG counts for when `small` is `shrink`; severity: whether groups of an ADRG in the
    wrong order are pooled; severity_order: last letters of the codes, the severest first;
    incentives: group or ADRG -> factor; unstable_cv: a coefficient of variation from which a group
    is unstable; level: of the intervals; imprecise: half width of an interval, as a part of the
    weight, above which a weight is imprecise; changing: spread of the yearly weights above which,
    if chance does not explain it, a weight is changing; hospitals: whether a history of one
    hospital will do; decimals: of a printed weight, rounded half up.
    """

    trim: Trim = field(default_factory=Trim)
    year_weights: Mapping[int, Fraction] = field(default_factory=dict)
    year_mean: YearMean = "years"
    small: Small = "merge"
    small_cases: int = 5
    prior_cases: Fraction = Fraction(30)
    severity: Literal["pool", "keep"] = "pool"
    severity_order: str = "135"
    incentives: Mapping[str, Fraction] = field(default_factory=dict)
    unstable_cv: Fraction = Fraction(1)
    level: Fraction = Fraction(95, 100)
    imprecise: Fraction = Fraction(10, 100)
    changing: Fraction = Fraction(20, 100)
    hospitals: Literal["several", "any"] = "several"
    decimals: int = 4


def year_weights_of(found: History, choices: Choices) -> list[Fraction]:
    """The weight of each year of a history.

    Raises WeightError WT139 for several years without weights, WT140 for years whose weights are
    missing or not above 0.
    """
    years = found.years
    if not choices.year_weights:
        if len(years) > 1:
            raise WeightError("WT139", years=_listed(years))
        return [Fraction(1)] * len(years)
    wrong = [year for year in years if choices.year_weights.get(year, 0) <= 0]
    if wrong:
        given = _listed(sorted(choices.year_weights))
        raise WeightError("WT140", years=_listed(wrong), given=given)
    return [Fraction(choices.year_weights[year]) for year in years]


def _listed(years: Iterable[int]) -> str:
    return ", ".join("-" if year == NO_YEAR else str(year) for year in years)


def check(found: History, choices: Choices) -> None:
    """Whether a history can be estimated so.

    Raises WeightError: WT131 no case at all; WT138 limits of trimming; WT141 one hospital only;
    WT144 numbers that make no sense, or incentives for what is no group.
    """
    if not found.groups:
        raise WeightError("WT131", left_out=sum(found.left_out.values()))
    check_trim(choices.trim)
    if len(found.hospitals) == 1 and choices.hospitals == "several":
        raise WeightError("WT141", hospital=found.hospitals[0])
    possible = {
        "level": (choices.level, 0 < choices.level < 1, "0 < level < 1"),
        "prior_cases": (choices.prior_cases, choices.prior_cases > 0, "> 0"),
        "small_cases": (choices.small_cases, choices.small_cases >= 0, ">= 0"),
        "decimals": (choices.decimals, 0 <= choices.decimals <= 9, "0 .. 9"),
    }
    codes = {*found.groups, *found.adrgs} - {""}
    for code, factor in choices.incentives.items():
        named = "> 0" if code in codes else "a group or an ADRG that has cases"
        possible[f"incentives.{code}"] = (factor, code in codes and factor > 0, named)
    wrong = [
        Issue("WT144", "", {"key": key, "value": value, "expected": expected})
        for key, (value, holds, expected) in possible.items()
        if not holds
    ]
    if wrong:
        raise WeightError.of(wrong)
