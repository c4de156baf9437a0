"""How a discharge is put into a group: the definition, in plain Python, one case at a time.

Written to be read. It walks the conditions of a scheme as published, by name, and compiles
nothing; the kernel is its fast twin and is wrong wherever the two differ. With the kernel it
shares the loader, the condition language and the types of batch and result, nothing else.

The order of the steps: docs/reference/grouping.md 2 (checks), 3 (algorithm), 4 (MCC and CC).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from grouper.engine.groups import REASONS, Groups, Severity, Status, group_codes
from grouper.records.batch import MISSING, THOUSANDTHS, CaseBatch
from grouper.scheme.condition import (
    And,
    Codes,
    Compare,
    Condition,
    Constant,
    Field,
    Flag,
    FlagName,
    Hits,
    Member,
    Not,
    Number,
    NumberName,
    Or,
    Sites,
    Term,
    atoms,
)
from grouper.scheme.model import AdrgRule, Drg, Scheme

if TYPE_CHECKING:
    from grouper.engine.trace import Trace

_NOTHING: Final[frozenset[str]] = frozenset()
_COMPARISONS: Final[Mapping[str, Any]] = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq}


@dataclass(frozen=True, slots=True)
class Record:
    """One discharge as grouping sees it; None means that the record does not carry the number.

    sex 1 male, 2 female; age whole years; age_days days of life; weight grams; los days;
    leaving 离院方式 1-5, 9; icu_hours hours. dx and px: codes as they stand, the principal
    diagnosis and the main procedure first.
    """

    sex: int | None = None
    age: int | None = None
    age_days: int | None = None
    weight: Decimal | int | None = None
    los: int | None = None
    leaving: int | None = None
    icu_hours: Decimal | int | None = None
    dx: tuple[str, ...] = ()
    px: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case.

    reason: "" or why it was rejected (`sex`, `no_dx`); rule_id: 1 + row of adrg.tsv, 0 = none;
    group_id: 1 + row of drg.tsv, 0 = not grouped; severity: what the refinement saw.
    """

    status: Status
    reason: str = ""
    rule_id: int = 0
    group_id: int = 0
    severity: Severity = Severity.NONE


@dataclass(frozen=True, slots=True)
class Complicating:
    """An other diagnosis that is an MCC or CC, and whether the principal diagnosis excludes it."""

    code: str
    level: FlagName
    table: str
    excluded: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions ask about one record, each answered once.

    codes: the codes that `main_dx`, `other_dx`, `any_dx`, `main_px` ... stand for;
    lists: the names of the scheme's lists that hold at least one of them;
    holding: kind (`dx`, `px`) -> code -> the lists that hold that one code;
    numbers: by the names of the language; flags: `mcc` and `cc`, exclusion applied.
    """

    codes: Mapping[Codes, tuple[str, ...]]
    lists: Mapping[str, frozenset[str]]
    holding: Mapping[str, Mapping[str, frozenset[str]]]
    numbers: Mapping[NumberName, Decimal | int | None]
    flags: Mapping[FlagName, bool]


class Reference:
    """A scheme ready to group one record after the other."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        #: kind (`dx`, `px`) -> code -> the names of the lists that hold it
        self.holding: dict[str, dict[str, frozenset[str]]] = {"dx": {}, "px": {}}
        for name, code_list in scheme.lists.items():
            holding = self.holding[code_list.kind]
            for code in code_list.codes:
                holding[code] = holding.get(code, _NOTHING) | {name}
        self.rules: dict[str, list[tuple[int, AdrgRule]]] = {m.mdc: [] for m in scheme.mdcs}
        for rule_id, rule in enumerate(scheme.adrgs, 1):
            self.rules[rule.mdc].append((rule_id, rule))
        self.drgs: dict[str, list[tuple[int, Drg]]] = {r.adrg: [] for r in scheme.adrgs}
        for group_id, drg in enumerate(scheme.drgs, 1):
            self.drgs[drg.adrg].append((group_id, drg))
        self._split_by_severity = {
            drg.adrg for drg in scheme.drgs if any(isinstance(a, Flag) for a in atoms(drg.when))
        }

    def group(self, record: Record) -> Outcome:
        """The group of one record; never raises for what a record contains."""
        reason = rejection(record)
        if reason:
            return Outcome(Status.REJECTED, reason)
        facts = self.facts(record)
        for mdc in self.scheme.mdcs:
            if not holds(mdc.when, facts):
                continue
            for rule_id, rule in self.rules[mdc.mdc]:
                if not holds(rule.when, facts):
                    continue
                if rule.is_ambiguous:
                    return Outcome(Status.AMBIGUOUS, rule_id=rule_id)
                for group_id, drg in self.drgs[rule.adrg]:
                    if holds(drg.when, facts):
                        severity = self._severity(rule, facts)
                        return Outcome(Status.GROUPED, "", rule_id, group_id, severity)
                # no DRG of this ADRG fits: the next rule may
            # no rule of this MDC placed the record: the next MDC may
        return Outcome(Status.UNGROUPED)

    def facts(self, record: Record) -> Facts:
        """All that the conditions of this scheme may ask about `record` (at least one dx)."""
        dx, px = record.dx, record.px
        codes: dict[Codes, tuple[str, ...]] = {
            "main_dx": dx[:1],
            "other_dx": dx[1:],
            "any_dx": dx,
            "main_px": px[:1],
            "other_px": px[1:],
            "any_px": px,
        }
        counting = {c.level for c in self.complications(record) if not c.excluded}
        return Facts(
            codes=codes,
            lists={**self._lists("dx", dx), **self._lists("px", px)},
            holding=self.holding,
            numbers={
                "age": record.age,
                "age_days": record.age_days,
                "weight": record.weight,
                "los": record.los,
                "icu_hours": record.icu_hours,
                "sex": record.sex,
                "leaving": record.leaving,
            },
            flags={"mcc": "mcc" in counting, "cc": "cc" in counting},
        )

    def _lists(self, kind: str, codes: tuple[str, ...]) -> dict[str, frozenset[str]]:
        """The lists that hold the first, one of the others, one of all of these codes."""
        holding = self.holding[kind]
        main = _NOTHING.union(*(holding.get(code, _NOTHING) for code in codes[:1]))
        other = _NOTHING.union(*(holding.get(code, _NOTHING) for code in codes[1:]))
        return {f"main_{kind}": main, f"other_{kind}": other, f"any_{kind}": main | other}

    def complications(self, record: Record) -> Iterable[Complicating]:
        """Each other diagnosis that is an MCC or CC, in the order of the record.

        It is excluded when the principal diagnosis belongs to its exclusion table (grouping.md 4).
        The principal diagnosis itself never counts; a repeat of it among the others does, unless
        excluded. A complication without a table is never excluded.
        """
        principal_table = self.scheme.exclusions.get(record.dx[0]) if record.dx else None
        for code in record.dx[1:]:
            found = self.scheme.cc.get(code)
            if found is not None:
                level: FlagName = "mcc" if found.level == "MCC" else "cc"
                excluded = bool(found.table) and found.table == principal_table
                yield Complicating(code, level, found.table, excluded)

    def _severity(self, rule: AdrgRule, facts: Facts) -> Severity:
        if rule.adrg not in self._split_by_severity:
            return Severity.NONE
        if facts.flags["mcc"]:
            return Severity.MCC
        return Severity.CC if facts.flags["cc"] else Severity.NONE

    def trace(
        self,
        record: Record,
        *,
        mdcs: Literal["entered", "all"] = "entered",
        near: Literal["omit", "show"] = "omit",
    ) -> Trace:
        """Explain `group(record)`; the options are those of `grouper.engine.trace.trace`."""
        # the definition must not depend on its explanation, so the import waits until asked for
        from grouper.engine.trace import trace

        return trace(self, record, mdcs=mdcs, near=near)


def rejection(record: Record) -> str:
    """Why a record cannot be grouped at all: `sex`, `no_dx`, or "" (grouping.md 2)."""
    if record.sex not in (1, 2):
        return "sex"
    return "" if record.dx else "no_dx"


def holds(condition: Condition, facts: Facts) -> bool:
    """Whether a condition is true of a record (scheme-format.md 3); there is no third value."""
    match condition:
        case Member(codes=codes, list_name=name):
            return name in facts.lists[codes]
        case And(operands=operands):
            for part in operands:  # noqa: SIM110 -- all() and any() cost a third more
                if not holds(part, facts):
                    return False
            return True
        case Or(operands=operands):
            for part in operands:  # noqa: SIM110
                if holds(part, facts):
                    return True
            return False
        case Not(operand=inner):
            return not holds(inner, facts)
        case Constant(value=value):
            return value
        case Flag(name=flag):
            return facts.flags[flag]
        case Compare(terms=terms, ops=ops):
            values = [term_value(term, facts) for term in terms]
            if None in values:  # one missing number makes the whole chain false
                return False
            pairs = zip(values, ops, values[1:], strict=False)
            return all(_COMPARISONS[op](left, right) for left, op, right in pairs)


def term_value(term: Term, facts: Facts) -> Decimal | int | None:
    """The exact value of one side of a comparison; None when the record does not carry it."""
    match term:
        case Number(value=value):
            return value
        case Field(name=name):
            return facts.numbers[name]
        case Sites(lists=lists):
            return sum(name in facts.lists["any_dx"] for name in lists)
        case Hits(codes=codes, list_name=name):
            holding = facts.holding[codes[-2:]]
            # a set: a code entered twice is one hit
            return len({c for c in facts.codes[codes] if name in holding.get(c, _NOTHING)})


def record_at(batch: CaseBatch, case: int) -> Record:
    """Case number `case` of a batch (0-based) as a record of its own."""

    def number(column: Any) -> int | None:
        value = int(column[case])
        return None if value == MISSING else value

    return Record(
        sex=int(batch.sex[case]) or None,
        age=number(batch.age_years),
        age_days=number(batch.age_days),
        weight=_from_thousandths(number(batch.admission_weight)),
        los=number(batch.los_days),
        leaving=int(batch.discharge_disposition[case]) or None,
        icu_hours=_from_thousandths(number(batch.icu_hours)),
        dx=batch.dx.codes(case),
        px=batch.px.codes(case),
    )


def _from_thousandths(value: int | None) -> Decimal | int | None:
    if value is None:
        return None
    return value // THOUSANDTHS if value % THOUSANDTHS == 0 else Decimal(value) / THOUSANDTHS


def group_batch(scheme: Scheme | Reference, batch: CaseBatch) -> Groups:
    """The group of every case of a batch, one after the other: the twin of `drg.group_batch`.

    A case that the reader rejected (`batch.reject`) stays rejected, with the reader's reason.
    """
    reference = scheme if isinstance(scheme, Reference) else Reference(scheme)
    reasons = (*REASONS, *batch.reject_codes)
    n = len(batch)
    rule_id, group_id = np.zeros(n, np.uint32), np.zeros(n, np.uint32)
    severity, status = np.zeros(n, np.uint8), np.zeros(n, np.uint8)
    reason = np.zeros(n, np.uint16)
    for case in range(n):
        rejected = int(batch.reject[case])
        if rejected:
            outcome = Outcome(Status.REJECTED, batch.reject_codes[rejected - 1])
        else:
            outcome = reference.group(record_at(batch, case))
        rule_id[case], group_id[case] = outcome.rule_id, outcome.group_id
        severity[case], status[case] = outcome.severity, outcome.status
        reason[case] = 1 + reasons.index(outcome.reason) if outcome.reason else 0
    return Groups(
        rule_id=rule_id,
        group_id=group_id,
        severity=severity,
        status=status,
        reason=reason,
        reasons=reasons,
        codes=group_codes(reference.scheme),
        scheme_id=reference.scheme.id,
        scheme_digest=reference.scheme.digest,
    )
