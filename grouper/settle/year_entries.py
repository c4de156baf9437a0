"""What people add to a year beside its lists: scores, decisions, deductions, budgets, advances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

from grouper.errors import Issue, SettlementError
from grouper.money import decimal_text
from grouper.settle.entries import Entry
from grouper.settle.year import BEST_SCORE
from grouper.settle.year_lists import Key, Name
from grouper.settle.year_rules import Budget
from grouper.settle.year_special import Decision

K = TypeVar("K")
V = TypeVar("V")

#: insurance and place
Fund = tuple[str, str]

#: kind of entry of a year -> columns it must have, and those it may have
YEAR_NEEDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "score": (("hospital", "score"), ("reason",)),
    "approved": (("hospital", "list"), ("amount", "ratio", "reason")),
    "refused": (("hospital", "list"), ("reason",)),
    "audit": (
        ("hospital", "insurance", "amount", "reason"),
        ("place", "month", "list", "rule"),
    ),
    "fund_budget": (("insurance", "amount", "date", "reason"), ("place",)),
    "taken": (("insurance", "amount", "reason"), ("place",)),
    "base_volume": (("hospital", "insurance", "volume"), ("place", "reason")),
    "advance": (("hospital", "insurance", "amount", "schedule"), ("place", "reason")),
}


@dataclass(frozen=True, slots=True)
class YearDeduction:
    """An audit deduction; without a month it belongs to the year's end. fen: not negative.

    where: the row of the entries.
    """

    key: Key
    month: str
    fen: int
    reason: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Advance:
    """An advance at the beginning of a year and what is offset of it each month, in fen."""

    granted_fen: int
    schedule_fen: int
    where: str = ""


@dataclass(frozen=True, slots=True)
class YearEntries:
    """All entries of a year; scores by hospital, the others by what they belong to.

    named: hospitals that stand in entries, with the place of the first.
    taken_fen: of each fund, what is taken off its budget beside reserve and special cases, by item
    (out-of-area, bed days, per head, day treatment).
    """

    scores: Mapping[str, Fraction] = field(default_factory=dict)
    decisions: Mapping[Name, Decision] = field(default_factory=dict)
    deductions: tuple[YearDeduction, ...] = ()
    budgets: Mapping[Fund, tuple[Budget, ...]] = field(default_factory=dict)
    taken_fen: Mapping[Fund, Mapping[str, int]] = field(default_factory=dict)
    base_volumes: Mapping[Key, Fraction] = field(default_factory=dict)
    advances: Mapping[Key, Advance] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)

    def deducted_fen(self) -> Counter[tuple[Key, str]]:
        """The deductions of each key and month ("": the year's end), in fen."""
        found: Counter[tuple[Key, str]] = Counter()
        for one in self.deductions:
            found[one.key, one.month] += one.fen
        return found


def year_entries(entries: Sequence[Entry]) -> YearEntries:
    """The entries of a table, each put where the year looks for it.

    Raises SettlementError with every row that contradicts an earlier one (ST322) or gives a score
    above 100 (ST106).
    """
    made = _Gathering()
    for one in entries:
        getattr(made, f"add_{one.kind}")(one)
    if made.issues:
        raise SettlementError.of(made.issues)
    return YearEntries(
        scores=made.scores,
        decisions=made.decisions,
        deductions=tuple(made.deductions),
        budgets={
            fund: tuple(sorted(found, key=lambda one: one.start))
            for fund, found in made.budgets.items()
        },
        taken_fen=made.taken,
        base_volumes=made.base_volumes,
        advances=made.advances,
        named={one.hospital: one.where for one in reversed(entries) if one.hospital},
    )


class _Gathering:
    """The entries while they are gone through; what contradicts is collected."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.scores: dict[str, Fraction] = {}
        self.decisions: dict[Name, Decision] = {}
        self.deductions: list[YearDeduction] = []
        self.budgets: dict[Fund, list[Budget]] = {}
        self.taken: dict[Fund, dict[str, int]] = {}
        self.base_volumes: dict[Key, Fraction] = {}
        self.advances: dict[Key, Advance] = {}

    def add_score(self, one: Entry) -> None:
        """The score of a hospital, 0 to 100."""
        score = one.score or Fraction(0)
        if score > BEST_SCORE:
            params = {"key": "score", "value": decimal_text(score)}
            self.issues.append(Issue("ST106", one.where, params))
        self._once(self.scores, one.hospital, score, one)

    def add_approved(self, one: Entry) -> None:
        """A special case that passed: an amount, or a share of the recorded fund (all of it)."""
        ratio = Fraction(1) if one.ratio is None else one.ratio
        name = (one.hospital, one.list)
        made = Decision(" ".join(name), True, ratio, one.amount, one.where)
        self._once(self.decisions, name, made, one)

    def add_refused(self, one: Entry) -> None:
        """A special case that did not pass."""
        name = (one.hospital, one.list)
        made = Decision(" ".join(name), False, where=one.where)
        self._once(self.decisions, name, made, one)

    def add_audit(self, one: Entry) -> None:
        """A deduction of a month or of the year's end."""
        self.deductions.append(
            YearDeduction(_key(one), one.month, one.amount or 0, one.reason, one.where)
        )

    def add_fund_budget(self, one: Entry) -> None:
        """A version of the budget of a fund; two of one day contradict each other."""
        assert one.day is not None
        versions = self.budgets.setdefault((one.insurance, one.place), [])
        if any(version.start == one.day for version in versions):
            self._twice(one, one.day.isoformat())
        versions.append(Budget(one.day, one.amount or 0, one.reason))

    def add_taken(self, one: Entry) -> None:
        """What is taken off the budget of a fund; the reason is its item."""
        items = self.taken.setdefault((one.insurance, one.place), {})
        self._once(items, one.reason, one.amount or 0, one)

    def add_base_volume(self, one: Entry) -> None:
        """The volume of a hospital that an elastic method pays the fixed rate."""
        self._once(self.base_volumes, _key(one), one.volume or Fraction(0), one)

    def add_advance(self, one: Entry) -> None:
        """An advance granted at the year's beginning, and what is offset of it each month."""
        made = Advance(one.amount or 0, one.schedule or 0, one.where)
        self._once(self.advances, _key(one), made, one)

    def _once(self, found: dict[K, V], key: K, value: V, one: Entry) -> None:
        if key in found:
            self._twice(one, " ".join(key) if isinstance(key, tuple) else str(key))
        found[key] = value

    def _twice(self, one: Entry, what: str) -> None:
        params = {"problem": "twice", "list": f"{one.kind} {what}"}
        self.issues.append(Issue("ST322", one.where, params))


def _key(one: Entry) -> Key:
    return one.hospital, one.insurance, one.place
