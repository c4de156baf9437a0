"""What people add to a year beside its lists: scores, decisions, deductions, budgets, advances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from grouper.settle.year_lists import Key
from grouper.settle.year_rules import Budget
from grouper.settle.year_special import Decision

#: insurance and place
Fund = tuple[str, str]


@dataclass(frozen=True, slots=True)
class YearDeduction:
    """An audit deduction; without a month it belongs to the year's end. fen: not negative."""

    key: Key
    month: str
    fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class Advance:
    """An advance at the beginning of a year and what is offset of it each month, in fen."""

    granted_fen: int
    schedule_fen: int


@dataclass(frozen=True, slots=True)
class YearEntries:
    """All entries of a year; scores by hospital, the others by what they belong to.

    taken_fen: of each fund, what is taken off its budget beside reserve and special cases, by item
    (out-of-area, bed days, per head, day treatment).
    """

    scores: Mapping[str, Fraction] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    deductions: tuple[YearDeduction, ...] = ()
    budgets: Mapping[Fund, tuple[Budget, ...]] = field(default_factory=dict)
    taken_fen: Mapping[Fund, Mapping[str, int]] = field(default_factory=dict)
    base_volumes: Mapping[Key, Fraction] = field(default_factory=dict)
    advances: Mapping[Key, Advance] = field(default_factory=dict)

    def deducted_fen(self, key: Key, month: str | None = None) -> int:
        """The deductions of one key, of one month if it is given ("": the year's end)."""
        return sum(
            one.fen
            for one in self.deductions
            if one.key == key and (month is None or one.month == month)
        )
