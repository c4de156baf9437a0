"""What an estimate says: weights of groups, the steps that led to them, what they rest on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from grouper.errors import Issue
from weights.choices import Choices
from weights.trim import Limits

#: what can be said against a weight
Mark = Literal[
    "small", "unstable", "imprecise", "changing", "one_hospital", "no_interval", "pooled"
]
#: the smallest set of marks that says the data do not carry a weight
WEAK: frozenset[Mark] = frozenset(
    {"small", "unstable", "imprecise", "changing", "one_hospital", "no_interval"}
)


StepName = Literal["scale", "small", "severity", "incentives", "rounding"]


@dataclass(frozen=True, slots=True)
class Step:
    """An adjustment: the sum of cases times weights before its factor, and the factor."""

    name: StepName
    before: Fraction
    factor: Fraction

    @property
    def after(self) -> Fraction:
        """The total weight after the step."""
        return self.before * self.factor


@dataclass(frozen=True, slots=True)
class Year:
    """A group in one year: kept cases, mean cost in fen, weight by that year alone."""

    year: int
    cases: int
    mean_fen: Fraction
    weight: Fraction


@dataclass(frozen=True, slots=True)
class GroupWeight:
    """The weight of one group and what it rests on.

    cases, trimmed: all cases, and those left out by trimming; mean_fen: over the years; raw: that
    over the mean of all; taken_fen: the mean that stands for the group, for a small one perhaps
    that of its ADRG; weight: exact, after every adjustment; printed: rounded; interval: at the
    chosen level, None where the data do not tell; cv_squared: square of the coefficient of
    variation of kept costs (n - 1), exact, None for a single case;
    pooled: the groups it has a common weight with; hospitals: how many (0 = not known), and the
    share of the largest; limits: of the costs that were kept.
    """

    code: str
    adrg: str
    name: str
    cases: int
    trimmed: int
    limits: Limits
    mean_fen: Fraction
    raw: Fraction
    taken_fen: Fraction
    weight: Fraction
    printed: Decimal
    interval: tuple[float, float] | None
    cv_squared: Fraction | None
    years: tuple[Year, ...]
    hospitals: int
    largest_share: Fraction
    pooled: tuple[str, ...]
    marks: tuple[Mark, ...]

    @property
    def kept(self) -> int:
        """Cases that the mean rests on."""
        return self.cases - self.trimmed

    @property
    def cv(self) -> float | None:
        """The coefficient of variation of kept costs."""
        return None if self.cv_squared is None else math.sqrt(self.cv_squared)

    @property
    def carried(self) -> bool:
        """Whether nothing is said against the weight."""
        return WEAK.isdisjoint(self.marks)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Weights of all groups of a history.

    mean_fen: the mean cost of a kept case over the years, what weight 1 stands for; riv: the part
    of the variance of kept costs that the groups explain; left_out: rows that were no cases.
    """

    choices: Choices
    groups: tuple[GroupWeight, ...]
    steps: tuple[Step, ...]
    mean_fen: Fraction
    riv: Fraction
    years: tuple[int, ...]
    hospitals: int
    left_out: Mapping[str, int]
    issues: tuple[Issue, ...]

    @property
    def kept(self) -> int:
        """All kept cases."""
        return sum(one.kept for one in self.groups)

    @property
    def total_weight(self) -> Fraction:
        """The sum of cases times printed weights."""
        return sum((one.kept * Fraction(one.printed) for one in self.groups), Fraction(0))

    @property
    def conservation_factor(self) -> Fraction:
        """What all weights were multiplied with so that a case weighs 1 on average."""
        product = Fraction(1)
        for step in self.steps:
            product *= step.factor
        return product
