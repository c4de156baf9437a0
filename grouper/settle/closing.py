"""Closing a month of a book: which lists enter it, what people add, what it leaves to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

import numpy as np
import pyarrow as pa

from grouper.dated import day_number
from grouper.errors import Issue, SettlementError
from grouper.money import yuan
from grouper.policy.model import Policy
from grouper.records.batch import CaseBatch
from grouper.settle.acceptance import (
    Entering,
    Received,
    by_acceptance,
    by_discharge,
    rows_named,
)
from grouper.settle.advance import FundState, advance
from grouper.settle.amounts import Amounts
from grouper.settle.changes import Changes
from grouper.settle.entries import Deduction, Entry
from grouper.settle.ledger import (
    SCHEMA,
    Key,
    LineKind,
    ListLine,
    book_rows,
    ledger_of,
    left_out,
    line_at,
)
from grouper.settle.month import against_cases
from grouper.settle.month_rules import MonthRules, beyond_limits, month_days, next_month
from grouper.settle.month_sums import MonthSums
from grouper.settle.statement import Statement
from grouper.settle.statements import MonthParts, Standing, check, make_statements, month_sums

_MONTHS = 12
#: what an advance is computed from where its amount is not given
_FUND = ("prior_spend", "balance", "year_spend")


@dataclass(frozen=True, slots=True, eq=False)
class Booked:
    """What the months closed so far left behind; budgets: of a hospital and insurance a year."""

    months: tuple[str, ...] = ()
    lines: pa.Table = field(default_factory=SCHEMA.empty_table)
    deductions: tuple[Deduction, ...] = ()
    sums: tuple[MonthSums, ...] = ()
    budgets: Mapping[tuple[str, str], int] = field(default_factory=dict)
    locked_years: frozenset[int] = frozenset()

    def standing(self) -> dict[Key, Standing]:
        """How each account stands after the last month."""
        last = self.months[-1] if self.months else ""
        return {
            Key(*one.key): Standing(
                one.lines["M16"], one.advance_left_fen, one.advance_schedule_fen
            )
            for one in self.sums
            if one.month == last
        }


@dataclass(frozen=True, slots=True, eq=False)
class ClosedMonth:
    """A month as it closes: statements, the lines behind them, and what is to be said.

    counts: how many rows of the file went where.
    """

    month: str
    statements: tuple[Statement, ...]
    lines: pa.Table
    deductions: tuple[Deduction, ...]
    sums: tuple[MonthSums, ...]
    budgets: Mapping[tuple[str, str], int]
    issues: tuple[Issue, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """The lists of some files, priced, with what the files say of them beside the bill."""

    batch: CaseBatch
    amounts: Amounts
    received: Received


def close_in_book(
    lists: Lists, entries: Sequence[Entry], booked: Booked, policy: Policy, rules: MonthRules
) -> ClosedMonth:
    """The next month of a book, with the lists of some files and what people added.

    Raises SettlementError: ST306 when the month is not the next to close; with all entries that
    cannot be booked (ST206, ST207, ST210, ST321, ST322); ST307 when sums differ (a defect). Lists
    that cannot enter are left out with an issue: ST206 accepted before, ST103 without id.
    """
    check_order(rules.month, booked)
    lists = _with_marks(lists, entries)
    replacing = [(one.hospital, one.new_list) for one in entries if one.kind == "correction"]
    entering = by_acceptance(
        lists.batch,
        lists.amounts,
        lists.received,
        booked.lines,
        rules,
        first=min((*booked.months, rules.month)),
        replacing=replacing,
    )
    return _closed(lists, entering, entries, booked, policy, rules)


def close_alone(
    lists: Lists, entries: Sequence[Entry], policy: Policy, rules: MonthRules
) -> ClosedMonth:
    """A month outside of a book: the lists discharged in it, with entries. Raises as in a book."""
    lists = _with_marks(lists, entries)
    entering = by_discharge(lists.batch, lists.amounts, rules.month)
    return _closed(lists, entering, entries, Booked(), policy, rules)


def check_order(month: str, booked: Booked) -> None:
    """Whether a month is the next to be closed. Raises SettlementError ST306, ST314."""
    year = month_days(month)[0].year
    last = booked.months[-1] if booked.months else ""
    problem = ""
    if year in booked.locked_years:
        problem = "locked"
    elif month in booked.months:
        problem = "twice"
    elif last and month != next_month(last):
        problem = "order"
    if problem:
        following = next_month(last) if last else month
        raise SettlementError(
            "ST306", month, month=month, problem=problem, remedy=problem, next=following
        )


def _with_marks(lists: Lists, entries: Sequence[Entry]) -> Lists:
    """The lists with the days of acceptance and the applications that entries tell."""
    accepted = lists.received.accepted.copy()
    special = lists.received.special.copy()
    issues = []
    marking = [entry for entry in entries if entry.kind in ("accepted", "special")]
    found = rows_named(lists.batch, {(one.hospital, one.list) for one in marking})
    for entry in marking:
        rows = found.get((entry.hospital, entry.list), [])
        if entry.kind == "special":
            special[rows] = True
        elif entry.day is not None and rows:
            accepted[rows] = day_number(entry.day)
        else:
            issues.append(Issue("ST321", entry.where, {"list": entry.list}))
    if issues:
        raise SettlementError.of(issues)
    return replace(lists, received=Received(accepted, special))


def _closed(
    lists: Lists,
    entering: Entering,
    entries: Sequence[Entry],
    booked: Booked,
    policy: Policy,
    rules: MonthRules,
) -> ClosedMonth:
    batch, amounts, received = lists.batch, lists.amounts, lists.received

    def book(rows: Iterable[int], kind: LineKind) -> pa.Table:
        return book_rows(
            batch,
            amounts,
            policy,
            np.array(rows, np.int64),
            kind,
            special=received.special,
            accepted=received.accepted,
            as_recorded=rules.as_recorded,
        )

    def replacement(name: tuple[str, str]) -> ListLine | None:
        row = entering.replacing.get(name)
        return None if row is None else line_at(book([row], LineKind.CORRECTION), 0)

    fresh = [book(entering.in_time, LineKind.ACCEPTED), book(entering.late, LineKind.LATE)]
    changes = Changes(
        [booked.lines, *fresh],
        booked.deductions,
        entries,
        policy,
        replacement,
        lost=_lost(batch, amounts, entries),
    )
    standing, warnings = _standing(entries, booked, policy, rules, changes.issues)
    changes.check()
    lines = pa.concat_tables([*fresh, ledger_of(changes.lines)])
    parts = MonthParts(
        lines,
        left_out(batch, amounts, policy, entering.left_out),
        changes.lines,
        changes.deductions,
        standing,
    )
    statements = make_statements(parts, amounts, policy, rules)
    check(against_cases(statements, amounts, entering))
    sums = tuple(month_sums(statements, parts))
    budgets = {**booked.budgets, **_budgets(entries, policy)}
    issues = [*entering.issues, *changes.warnings, *warnings, *beyond_limits(policy, rules.month)]
    issues += _over_budget((*booked.sums, *sums), budgets, rules.month)
    return ClosedMonth(
        month=rules.month,
        statements=tuple(statements),
        lines=lines,
        deductions=tuple(changes.deductions),
        sums=sums,
        budgets=budgets,
        issues=tuple(issues),
        counts=entering.counts,
    )


def _lost(batch: CaseBatch, amounts: Amounts, entries: Sequence[Entry]) -> set[tuple[str, str]]:
    """Lists that entries name and that stand in the files, but are not counted."""
    named = {(one.hospital, name) for one in entries for name in (one.list, one.new_list) if name}
    found = rows_named(batch, named)
    return {name for name, rows in found.items() if not amounts.counted[rows].any()}


def _standing(
    entries: Sequence[Entry],
    booked: Booked,
    policy: Policy,
    rules: MonthRules,
    issues: list[Issue],
) -> tuple[dict[Key, Standing], list[Issue]]:
    """The accounts before the month with what was granted in it; refused entries go to `issues`."""
    standing = booked.standing()
    warnings: list[Issue] = []
    for entry in entries:
        if entry.kind not in ("opening", "advance"):
            continue
        key = Key(entry.hospital, policy.insurance(entry.insurance), entry.place)
        old = standing.get(key, Standing())
        if entry.kind == "opening":
            if booked.months:
                params = {"problem": "opened", "list": "-"}
                issues.append(Issue("ST322", entry.where, params))
            standing[key] = Standing(
                entry.carry_in or 0, entry.outstanding or 0, entry.schedule or 0
            )
            continue
        warnings += _asked_late(entry, policy)
        granted = entry.amount
        if granted is None:
            lacking = [name for name in _FUND if getattr(entry, name) is None]
            issues += [Issue("ST103", entry.where, {"field": name}) for name in lacking]
            if entry.year_spend == 0:
                issues.append(Issue("ST301", entry.where, {"detail": "year_spend = 0.00"}))
            if lacking or not entry.year_spend:
                continue
            granted, status = _granted(entry, key, policy, rules)
            if status != "granted":
                params = {"hospital": entry.hospital, "status": status}
                warnings.append(Issue("ST324", entry.where, params))
        schedule = old.schedule if entry.schedule is None else entry.schedule
        standing[key] = replace(
            old,
            outstanding=old.outstanding + granted,
            granted=old.granted + granted,
            schedule=schedule,
        )
    return standing, warnings


def _asked_late(entry: Entry, policy: Policy) -> list[Issue]:
    """ST308 for an advance that was asked for after its day of the year."""
    found = policy.parameters.find("advance_request_by", entry.day) if entry.day else None
    if entry.day is None or found is None:
        return []
    due = date.fromisoformat(f"{entry.day.year}-{found.value}")
    params = {"period": entry.hospital, "due": due, "done": entry.day}
    return [Issue("ST308", entry.where, params)] if entry.day > due else []


def _granted(entry: Entry, key: Key, policy: Policy, rules: MonthRules) -> tuple[int, str]:
    """An advance by its conditions, on the first day of the month it is paid in."""
    day, parameters = month_days(rules.month)[0], policy.parameters
    allowed = parameters.text("advance_after_deficit", day) == "yes"
    fund = FundState(
        entry.balance or 0, entry.year_spend or 0, deficit=entry.deficit and not allowed
    )
    made = advance(
        entry.prior_spend or 0,
        fund,
        min_months=Fraction(parameters.number("advance_min_months", day, key.insurance)),
        months=Fraction(parameters.number("advance_months", day)),
        grade=Fraction(1) if entry.grade is None else entry.grade,
        years=int(parameters.number("advance_base_years", day)),
    )
    return made.fen, made.status


def _budgets(entries: Sequence[Entry], policy: Policy) -> dict[tuple[str, str], int]:
    return {
        (one.hospital, policy.insurance(one.insurance)): one.amount
        for one in entries
        if one.kind == "budget" and one.amount is not None
    }


def _over_budget(
    sums: Sequence[MonthSums], budgets: Mapping[tuple[str, str], int], month: str
) -> list[Issue]:
    """ST325 for hospitals whose bases of the year exceed their share of the budget so far."""
    year, number = month[:4], int(month[5:])
    issues = []
    for (hospital, insurance), budget in sorted(budgets.items()):
        base = sum(
            one.lines["M10"]
            for one in sums
            if one.key[:2] == (hospital, insurance) and one.month[:4] == year
        )
        # base > budget x months / 12, without rounding
        if base * _MONTHS > budget * number:
            params = {
                "hospital": hospital,
                "insurance": insurance,
                "base": yuan(base),
                "budget": yuan(budget),
                "months": number,
            }
            issues.append(Issue("ST325", f"{hospital} {insurance}", params))
    return issues
