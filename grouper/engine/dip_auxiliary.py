"""The auxiliary type of a case in its group, and the one coefficient that it brings.

A case that several types fit goes to the one of the highest trigger coefficient; coefficients are
applied once and never multiplied (technical specification of DIP 3.0, draft, 2026). What types are
worth is handed over: nothing here knows a table of weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from grouper.scheme.dip_auxiliary import AuxiliaryRules


@dataclass(frozen=True, slots=True)
class TypeWorth:
    """A type that is triggered in a group: by what it is chosen, and what it brings."""

    type: str
    trigger: Decimal
    coefficient: Decimal


@dataclass(frozen=True, slots=True)
class GroupTypes:
    """The types of a group, and its mean cost in fen, beside which a case is dear."""

    mean_fen: Fraction
    types: tuple[TypeWorth, ...]


@dataclass(frozen=True, slots=True)
class AuxiliaryTable:
    """Rules of typing, and group code -> its types."""

    rules: AuxiliaryRules
    groups: Mapping[str, GroupTypes]

    @property
    def decimals(self) -> int:
        """The most decimals of a coefficient."""
        texts = (
            format(one.coefficient, "f") for group in self.groups.values() for one in group.types
        )
        return max((len(text.partition(".")[2]) for text in texts), default=0)

    def dear_from(self, code: str) -> int | None:
        """The least cost in whole fen of a dear case of a group, None where none is."""
        group = self.groups.get(code)
        if group is None or self.rules.cost_from is None:
            return None
        needed = self.rules.cost_from * group.mean_fen
        return -(-needed.numerator // needed.denominator)

    def chosen(self, code: str, types: Iterable[str]) -> TypeWorth | None:
        """The type that counts for a case of a group among those that fit it."""
        group, fit = self.groups.get(code), {*types}
        if group is None:
            return None
        worths = [one for one in group.types if one.type in fit]
        return min(worths, key=lambda one: (-one.trigger, one.type), default=None)
