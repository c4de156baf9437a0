"""Our results against the payer's: rows brought together, differences by the first step.

The steps are those in which a price comes about: the facts of the record, its codes, the MDC, the
ADRG, the refinement, the price. Every field that differs is kept; the first decides the class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from grouper.dated import from_day_number
from grouper.engine.decision import Judge, Verdict
from grouper.engine.groups import Groups, Status
from grouper.engine.reference import Record, Reference, record_at
from grouper.errors import RunError, SettlementError
from grouper.money import yuan
from grouper.policy.model import Allow
from grouper.records.batch import MISSING, MISSING_FEN, THOUSANDTHS
from grouper.records.layout import require
from grouper.records.read import Records
from grouper.records.user import UserTable
from grouper.run.keys import Matching, match, repeated
from grouper.run.pipeline import group_records
from grouper.run.settlement import settle_run
from grouper.run.verdicts import PRICES, GroupCode, Results, amount_of
from grouper.scheme.model import Scheme

Step = Literal["input", "code", "mdc", "adrg", "severity", "price"]
STEPS: tuple[Step, ...] = get_args(Step)
#: differences whose rules are looked up; beyond them the codes alone stand
MOST_EVIDENCE = 20_000
#: keys that a message names
_SHOWN = 5

#: why the reader rejects a row for its id
_ID_CODES = ("RE01", "RE07")

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
class Reconciliation:
    """Two files of results brought together.

    groups: ours, row for row; differences in the order of our rows; only_*: rows of one file alone;
    no_key_*: rows without key; regrouped: rows whose group in our file the scheme does not give.
    """

    ours: Results
    theirs: Results
    groups: tuple[GroupCode, ...]
    matching: Matching
    differences: tuple[CaseDifference, ...]
    scheme: Scheme | None
    prices: Mapping[str, Sequence[str]]
    regrouped: int = 0

    @property
    def equal(self) -> int:
        """Pairs without any difference."""
        return len(self.matching.pairs) - len(self.differences)

    def by_step(self) -> dict[Step, int]:
        """How many cases differ first in each step."""
        found = Counter(one.step for one in self.differences)
        return {step: found[step] for step in STEPS}

    def only(self, side: Literal["ours", "theirs"]) -> list[int]:
        """Rows with a key that the other file does not have."""
        file = self.ours if side == "ours" else self.theirs
        paired = {pair[side == "theirs"] for pair in self.matching.pairs}
        matching = self.matching
        unclear = matching.unclear_ours if side == "ours" else matching.unclear_theirs
        return [
            row
            for row, key in enumerate(file.keys)
            if key.text and row not in paired and row not in unclear
        ]

    def without_key(self, side: Literal["ours", "theirs"]) -> list[int]:
        """Rows that cannot be brought together with any."""
        file = self.ours if side == "ours" else self.theirs
        return [row for row, key in enumerate(file.keys) if not key.text]

    def standards(self) -> tuple[Decimal, Decimal] | None:
        """The sums of the payment standards of all pairs where both are known, in yuan."""
        if "standard" not in self.prices or "standard" not in self.theirs.prices:
            return None
        sums = [Decimal(0), Decimal(0)]
        for mine, other in self.matching.pairs:
            ours = amount_of(self.prices["standard"][mine])
            theirs = self.theirs.number("standard", other)
            if ours is not None and theirs is not None:
                sums[0] += ours
                sums[1] += theirs
        return sums[0], sums[1]


def reconcile(
    ours: Results,
    theirs: Results,
    *,
    scheme: Scheme | None = None,
    area: str | Path | None = None,
    allow: Allow = "verified",
) -> Reconciliation:
    """Hold our results against the payer's.

    With a scheme our records are grouped anew and the rules serve as evidence; with an area they
    are priced anew as well. Without a scheme the groups of our file count as they stand.

    Raises RunError: RN132 a key that is not unique, RN133 no row in common, RN135 no groups in the
    payer's file, RN136 none in ours and no scheme; SettlementError ST311 when prices are to be
    compared under a draft; PolicyError, WeightError for an area.
    """
    if not theirs.groups:
        raise RunError("RN135", theirs.name)
    if scheme is None and not ours.groups:
        raise RunError("RN136", ours.name)
    for file in (ours, theirs):
        twice = repeated(file.keys)
        if twice:
            shown = ", ".join(f"{key} ({n})" for key, n in list(twice.items())[:_SHOWN])
            raise RunError("RN132", file.name, n=len(twice), keys=shown)
    matching = match(ours.keys, theirs.keys)
    if not matching.pairs:
        mine, other = (
            ", ".join([key.text for key in file.keys if key.text][:_SHOWN]) or "-"
            for file in (ours, theirs)
        )
        raise RunError("RN133", ours=mine, theirs=other)
    groups: tuple[GroupCode, ...] = ours.groups
    prices: Mapping[str, Sequence[str]] = ours.prices
    if scheme is not None:
        if scheme.is_draft and (area or (set(prices) & set(theirs.prices))):
            raise SettlementError("ST311", scheme=scheme.id)
        groups, prices = _grouped_anew(ours, scheme, area, allow)
    work = _Work(ours, theirs, groups, prices, Reference(scheme) if scheme else None)
    regrouped = sum(a != b for a, b in zip(groups, ours.groups, strict=False))
    return Reconciliation(
        ours, theirs, groups, matching, tuple(work.differences(matching)), scheme, prices, regrouped
    )


def _grouped_anew(
    ours: Results, scheme: Scheme, area: str | Path | None, allow: Allow
) -> tuple[tuple[GroupCode, ...], Mapping[str, Sequence[str]]]:
    """Our groups by a scheme, and our prices: those of the area, else those of the file."""
    require(ours.reading, ("dx", "sex"), ours.name)
    table = ours.table
    batch = ours.batch
    # rejected for their ids alone: here the key counts, and no group depends on an id
    of_id = [at for at, code in enumerate(batch.reject_codes, 1) if code in _ID_CODES]
    reject = np.where(np.isin(batch.reject, of_id), np.uint16(0), batch.reject)
    batch = replace(batch, reject=reject)
    records = Records(batch, UserTable(table.names, table.columns, table.form, len(table)))
    run = group_records(records, scheme)
    groups = tuple(_codes(run.groups, scheme))
    if area is None:
        return groups, ours.prices
    columns = dict(settle_run(run, area, allow=allow).amounts.to_columns())
    names = {"relative_weight": "weight", "hospital_coefficient": "coefficient"}
    texts = {
        names.get(name, name): ["" if v is None else str(v) for v in column.to_pylist()]
        for name, column in columns.items()
    }
    return groups, {name: texts[name] for name in PRICES if name in texts}


def _codes(groups: Groups, scheme: Scheme) -> Iterator[GroupCode]:
    for status, rule, group in zip(
        groups.status.tolist(), groups.rule_id.tolist(), groups.group_id.tolist(), strict=True
    ):
        if status == Status.REJECTED:
            yield GroupCode("rejected")
        elif status == Status.UNGROUPED:
            yield GroupCode("ungrouped")
        else:
            row = scheme.adrgs[rule - 1]
            drg = scheme.drgs[group - 1].drg if status == Status.GROUPED else row.adrg
            word: Literal["grouped", "ambiguous"] = (
                "grouped" if status == Status.GROUPED else "ambiguous"
            )
            yield GroupCode(word, row.mdc, row.adrg, drg)


@dataclass(frozen=True)
class _Work:
    """Compares the pairs, field by field."""

    ours: Results
    theirs: Results
    groups: Sequence[GroupCode]
    prices: Mapping[str, Sequence[str]]
    reference: Reference | None

    def differences(self, matching: Matching) -> Iterator[CaseDifference]:
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
