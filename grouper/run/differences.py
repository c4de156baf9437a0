"""Where two results of one case differ: facts, codes, group, price, and what the rules say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Literal, get_args

import numpy as np

from grouper.dated import from_day_number
from grouper.engine.decision import Judge, Verdict
from grouper.engine.reference import Record, Reference, record_at
from grouper.money import yuan
from grouper.records.batch import MISSING, MISSING_FEN, THOUSANDTHS
from grouper.run.keys import Matching
from grouper.run.verdicts import PRICES, GroupCode, Results, amount_of

Step = Literal["input", "code", "mdc", "adrg", "severity", "price"]
STEPS: tuple[Step, ...] = get_args(Step)
#: differences whose rules are looked up; beyond them the codes alone stand
MOST_EVIDENCE = 20_000
#: field -> column of the batch, what is missing there, how a value is shown
_FACTS: Mapping[str, tuple[str, int, str]] = {
    "sex": ("sex", 0, "count"),
    "age": ("age_years", MISSING, "count"),
    "age_days": ("age_days", MISSING, "count"),
    "weight": ("admission_weight", MISSING, "thousandths"),
    "los": ("los_days", MISSING, "count"),
    "leaving": ("discharge_disposition", 0, "count"),
    "icu_hours": ("icu_hours", MISSING, "thousandths"),
    "discharge_time": ("discharge_date", MISSING, "day"),
    "total_cost": ("total_cost_fen", MISSING_FEN, "fen"),
}
_TEXTS = ("insurance", "hospital_level")


@dataclass(frozen=True, slots=True)
class Item:
    """One field that differs; of codes only those that the other side lacks."""

    step: Step
    field: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the scheme says of a case whose groups differ.

    ours: the rule that took it; theirs: what keeps the record out of the payer's group;
    with_theirs: the group of our rules for the payer's facts and codes, None if they do not differ.
    """

    record: Record
    ours: Verdict | None
    theirs: Verdict | None
    with_theirs: GroupCode | None = None


@dataclass(frozen=True, slots=True)
class CaseDifference:
    """A case on which the files differ; rows are positions in each file."""

    ours: int
    theirs: int
    items: tuple[Item, ...]
    evidence: Evidence | None = None

    @property
    def step(self) -> Step:
        """The first step that differs."""
        return self.items[0].step


@dataclass(frozen=True)
class Pairs:
    """Compares two files pair by pair and field by field.

    groups, prices: ours; reference: the scheme whose rules are the evidence, None without one.
    """

    ours: Results
    theirs: Results
    groups: Sequence[GroupCode]
    prices: Mapping[str, Sequence[str]]
    reference: Reference | None

    def differences(self, matching: Matching) -> Iterator[CaseDifference]:
        """The pairs that differ, in the order of ours."""
        facts = self.facts(matching)
        seen = 0
        for at, (mine, other) in enumerate(matching.pairs):
            items = [*facts.get(at, ()), *self.codes(mine, other)]
            items += [*self.group(mine, other), *self.price(mine, other)]
            if not items:
                continue
            items.sort(key=lambda item: STEPS.index(item.step))
            differs = any(item.step in ("mdc", "adrg", "severity") for item in items)
            evidence = None
            if differs and self.reference is not None and seen < MOST_EVIDENCE:
                evidence, seen = self.evidence(mine, other, items), seen + 1
            yield CaseDifference(mine, other, tuple(items), evidence)

    def facts(self, matching: Matching) -> dict[int, list[Item]]:
        """Facts that both files have and that differ, by position of the pair."""
        found: dict[int, list[Item]] = {}
        if not matching.pairs:
            return found
        mine, other = (np.array(rows, np.int64) for rows in zip(*matching.pairs, strict=True))
        for name, (column, missing, form) in _FACTS.items():
            if not self.both_have(name):
                continue
            left = getattr(self.ours.batch, column)[mine]
            right = getattr(self.theirs.batch, column)[other]
            for at in np.flatnonzero(left != right).tolist():
                shown = (_shown(int(one[at]), missing, form) for one in (left, right))
                found.setdefault(at, []).append(Item("input", name, *shown))
        for name in _TEXTS:
            if not self.both_have(name):
                continue
            ours, theirs = getattr(self.ours.batch, name), getattr(self.theirs.batch, name)
            for at, (row, their_row) in enumerate(matching.pairs):
                if ours[row] != theirs[their_row]:
                    item = Item("input", name, ours[row], theirs[their_row])
                    found.setdefault(at, []).append(item)
        return found

    def both_have(self, name: str) -> bool:
        """Whether a field can be compared at all."""
        return name in self.ours.reading.scalars and name in self.theirs.reading.scalars

    @cached_property
    def compared(self) -> dict[str, Literal["main", "all"]]:
        """The kinds of codes that both files have: all, or the first alone."""
        found: dict[str, Literal["main", "all"]] = {}
        for kind in ("dx", "px"):
            files = (self.ours, self.theirs)
            if all(file.reading.lists.get(kind) for file in files):
                only = any(_has_main_only(file, kind) for file in files)
                found[kind] = "main" if only else "all"
        return found

    def codes(self, mine: int, other: int) -> Iterator[Item]:
        """Codes that differ; the order of the others never matters."""
        for kind, extent in self.compared.items():
            left = getattr(self.ours.batch, kind).codes(mine)
            right = getattr(self.theirs.batch, kind).codes(other)
            if left == right:
                continue
            if left[:1] != right[:1]:
                yield Item("code", f"main_{kind}", "".join(left[:1]), "".join(right[:1]))
            if extent == "main":
                continue
            lacking = [code for code in left[1:] if code not in right]
            added = [code for code in right[1:] if code not in left]
            if lacking or added:
                yield Item("code", f"other_{kind}", " ".join(lacking), " ".join(added))

    def group(self, mine: int, other: int) -> Iterator[Item]:
        """The first of MDC, ADRG and refinement in which the groups differ."""
        ours, theirs = self.groups[mine], self.theirs.groups[other]
        if ours.status == "rejected":
            # a payer's 0000 is also what it writes for a record that fails its checks
            if theirs.status in ("grouped", "ambiguous"):
                reason = self.ours.reasons[mine] if self.ours.reasons else ""
                yield Item("input", "rejected", reason or "rejected", theirs.drg)
            return
        if ours.drg == theirs.drg and ours.status == theirs.status:
            return
        # a payer may write QY without its MDC
        unknown = theirs.status == "ambiguous" and not theirs.mdc
        if unknown and ours.status == "ambiguous":
            return
        if ours.mdc != theirs.mdc and not unknown:
            yield Item("mdc", "drg", ours.drg, theirs.drg)
        elif ours.adrg != theirs.adrg:
            yield Item("adrg", "drg", ours.drg, theirs.drg)
        else:
            yield Item("severity", "drg", ours.drg, theirs.drg)

    @cached_property
    def priced(self) -> list[str]:
        """The prices that both files have."""
        return [name for name in PRICES if name in self.prices and name in self.theirs.prices]

    def price(self, mine: int, other: int) -> Iterator[Item]:
        """What the price is made of, where it differs; one side may have no value."""
        for name in self.priced:
            left, right = amount_of(self.prices[name][mine]), self.theirs.number(name, other)
            if left != right:
                yield Item("price", name, _plain(left), _plain(right))

    def evidence(self, mine: int, other: int, items: Sequence[Item]) -> Evidence:
        """What the rules say of the record, of the payer's group, and of the payer's values."""
        assert self.reference is not None
        record, theirs = record_at(self.ours.batch, mine), self.theirs.groups[other]
        judge = Judge(self.reference, record)
        place = judge.place
        own = judge.verdict("adrg", place.adrg) if place.adrg else None
        if own is not None and any(item.step == "severity" for item in items):
            own = judge.verdict("drg", place.drg)
        said = judge.against(theirs.mdc, theirs.adrg, theirs.drg) if theirs.drg else None
        values = self.with_values(record, other, items)
        if values is None:
            return Evidence(record, own, said)
        again = Judge(self.reference, values)
        status = again.outcome.status.word
        found = GroupCode(status, again.place.mdc, again.place.adrg, again.place.drg)  # type: ignore[arg-type]
        return Evidence(record, own, said, found)

    def with_values(self, record: Record, other: int, items: Sequence[Item]) -> Record | None:
        """Our record with the facts and codes in which the payer's differs; None without any."""
        theirs = record_at(self.theirs.batch, other)
        changed = {
            item.field: getattr(theirs, item.field)
            for item in items
            if item.step == "input" and hasattr(record, item.field)
        }
        for kind in ("dx", "px"):
            if not any(item.step == "code" and item.field.endswith(kind) for item in items):
                continue
            codes = getattr(theirs, kind)
            if _has_main_only(self.theirs, kind):
                others = (code for code in getattr(record, kind)[1:] if code not in codes)
                codes = (*codes[:1], *others)
            changed[kind] = codes
        return replace(record, **changed) if changed else None


def _has_main_only(file: Results, kind: str) -> bool:
    """Whether a file names nothing but the principal diagnosis or the main procedure."""
    columns = file.reading.lists[kind]
    return all(file.reading.fields[at].endswith("[0]") for at in columns)


def _shown(value: int, missing: int, form: str) -> str:
    if value == missing:
        return ""
    match form:
        case "fen":
            return yuan(value)
        case "day":
            return from_day_number(value).isoformat()
        case "thousandths":
            return _plain(Decimal(value) / THOUSANDTHS)
    return str(value)


def _plain(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")
