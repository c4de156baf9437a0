"""Coefficients of auxiliary types (辅助分型) of DIP groups, from what their cases have cost.

Source: technical specification of DIP 3.0 (draft, 2026): a group of more than n1 cases is divided
by a family of types, those of more than n2 cases, if that lowers its coefficient of variation
clearly; a case that several types fit goes to the one of the highest trigger coefficient, and the
coefficient that is applied, once, is the mean of the cases that went there over that of the group.
The CV after is the root of the mean variance within, over the mean (convention).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Sums:
    """Costs of some cases: how many, their sum and the sum of their squares, whole fen."""

    cases: int = 0
    fen: int = 0
    squares: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.cases + other.cases, self.fen + other.fen, self.squares + other.squares)

    @property
    def mean(self) -> Fraction:
        """Mean cost in fen."""
        return Fraction(self.fen, self.cases)

    @property
    def spread(self) -> Fraction:
        """The sum of squared deviations from the mean."""
        return (
            self.squares - Fraction(self.fen * self.fen, self.cases) if self.cases else Fraction()
        )


@dataclass(frozen=True, slots=True)
class Triggers:
    """n1, n2, the share by which the CV must fall, and the CV from which a group is looked at."""

    group_cases_above: int = 15
    type_cases_above: int = 5
    cv_reduction: Fraction = Fraction(1, 5)
    cv_from: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class TypeCoefficient:
    """A type in a group: the cases that fit it, those that went to it, and what it is worth.

    trigger: mean of those that fit over the mean of the group; adjustment: of those that went.
    """

    type: str
    fitting: int
    cases: int
    trigger: Fraction
    adjustment: Fraction


@dataclass(frozen=True, slots=True)
class AuxiliaryGroup:
    """A group with types: cases, mean in fen, squares of the CV before and after, coefficients."""

    code: str
    cases: int
    mean_fen: Fraction
    cv_squared_before: Fraction
    cv_squared_after: Fraction
    types: tuple[TypeCoefficient, ...]


def auxiliary_group(
    code: str,
    cells: Mapping[tuple[str, ...], Sums],
    families: Mapping[str, str],
    triggers: Triggers,
) -> AuxiliaryGroup | None:
    """The coefficients of one group, None where no type is triggered.

    cells: the types that fit a case, one a family at most -> the cases that they fit; families:
    type -> its family.
    """
    whole = _sum(cells.values())
    if whole.cases <= triggers.group_cases_above or not whole.fen:
        return None
    before = _cv_squared([whole], whole)
    if before < triggers.cv_from**2:
        return None
    fitting: dict[str, Sums] = defaultdict(Sums)
    for types, sums in cells.items():
        for one in types:
            fitting[one] += sums
    kept = _triggered(whole, fitting, families, triggers, before)
    if not kept:
        return None
    gone: dict[str, Sums] = defaultdict(Sums)
    for types, sums in cells.items():
        gone[chosen(types, kept)] += sums
    coefficients = tuple(
        TypeCoefficient(
            type=one,
            fitting=fitting[one].cases,
            cases=gone[one].cases,
            trigger=trigger,
            adjustment=gone[one].mean / whole.mean,
        )
        for one, trigger in sorted(kept.items())
        if gone[one].cases
    )
    after = _cv_squared([sums for sums in gone.values() if sums.cases], whole)
    return AuxiliaryGroup(code, whole.cases, whole.mean, before, after, coefficients)


def chosen(types: Iterable[str], triggers: Mapping[str, Fraction]) -> str:
    """The one type of a case: that of the highest trigger coefficient, then by name; "" = none."""
    fit = [one for one in types if one in triggers]
    return min(fit, key=lambda one: (-triggers[one], one), default="")


def _triggered(
    whole: Sums,
    fitting: Mapping[str, Sums],
    families: Mapping[str, str],
    triggers: Triggers,
    before: Fraction,
) -> dict[str, Fraction]:
    """Type -> trigger coefficient, of the families that divide the group well."""
    by_family: dict[str, list[str]] = defaultdict(list)
    for one, sums in fitting.items():
        if sums.cases > triggers.type_cases_above:
            by_family[families[one]].append(one)
    kept: dict[str, Fraction] = {}
    # CV after <= (1 - reduction) CV before, without a root
    most = (1 - triggers.cv_reduction) ** 2 * before
    for types in by_family.values():
        parts = [fitting[one] for one in types]
        others = Sums(
            whole.cases - sum(part.cases for part in parts),
            whole.fen - sum(part.fen for part in parts),
            whole.squares - sum(part.squares for part in parts),
        )
        if before and _cv_squared([*parts, others], whole) <= most:
            kept |= {one: fitting[one].mean / whole.mean for one in types}
    return kept


def _cv_squared(parts: Sequence[Sums], whole: Sums) -> Fraction:
    """The mean variance within parts over the square of the mean of all."""
    within = sum((part.spread for part in parts), Fraction(0))
    return within / whole.cases / whole.mean**2


def _sum(parts: Iterable[Sums]) -> Sums:
    return sum(parts, Sums())
