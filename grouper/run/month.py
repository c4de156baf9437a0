"""A month from files to statements: lists priced by the rules of their day, entries, the book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import weights
from grouper import __version__
from grouper.datafile import read_tsv
from grouper.dated import from_day_number, lowest
from grouper.errors import Issue, SettlementError
from grouper.money import yuan
from grouper.policy.load import area_folder, load_policy
from grouper.policy.model import Allow, Terms
from grouper.records.batch import MISSING, CaseBatch
from grouper.records.read import Records
from grouper.records.values import day
from grouper.run.book import book_month, open_book
from grouper.run.entries import read_entries
from grouper.run.pipeline import count, group_records
from grouper.run.plan import hashed_input
from grouper.run.received import received_of
from grouper.run.schemes import load_scheme
from grouper.run.settlement import SettledRun, is_lead, settle_run
from grouper.scheme.model import Scheme
from grouper.settle.case import settle_batch
from grouper.settle.closing import ClosedMonth, Lists, close_alone, close_in_book
from grouper.settle.eras import merge_amounts, merge_groups
from grouper.settle.month_rules import MonthRules, month_rules
from grouper.settle.workdays import Calendar

CALENDAR_COLUMNS = ("date", "working", "source")
#: in an area's folder: days off and working days by decision, over what the library says
CALENDAR_FILE = "calendar.tsv"
_LINES_SUMMED = ("M1", "M2", "M3", "M6", "M7", "M8", "M8b", "M9", "M10", "M11", "M13", "M15", "M16")

Load = Callable[[str], Scheme]


@dataclass(frozen=True, slots=True, eq=False)
class MonthRun:
    """A closed month with the day by which it is to be paid, and all that is to be said of it."""

    closed: ClosedMonth
    rules: MonthRules
    due: date
    paid_on: date | None
    issues: tuple[Issue, ...]

    @property
    def sums(self) -> dict[str, int]:
        """Lines of all statements together: M1 a count, the others fen."""
        return {
            line: sum(one.line(line).amount_fen for one in self.closed.statements)
            for line in _LINES_SUMMED
        }


def settle_records(
    records: Records, area: str | Path, *, allow: Allow = "verified", load: Load = load_scheme
) -> SettledRun:
    """What each list is paid, each by the scheme and weights in force on its day of discharge.

    A month may hold stays of two versions: late lists, and areas that switch within a month. The
    scheme and table of the result are the newest, its groups and amounts those of all versions.
    Raises PolicyError, SchemeError, WeightError, SettlementError.
    """
    policy = load_policy(area)
    era = policy.era(_discharges(records.batch))
    used = [policy.terms[number] for number in np.unique(era[era >= 0]).tolist()]
    used = used or [policy.terms[-1]]
    versions = list(dict.fromkeys((one.scheme_id, one.weight_table) for one in used))
    runs = [group_records(records, load(scheme_id)) for scheme_id, _ in versions]
    if len(versions) == 1:
        return settle_run(runs[0], area, allow=allow)
    tables = [weights.load(table) for _, table in versions]
    parts = [
        settle_batch(
            records.batch, run.groups, table, policy, scheme_status=run.scheme.status, allow=allow
        )
        for run, table in zip(runs, tables, strict=True)
    ]
    of_era = [versions.index(v) if (v := _version(one)) in versions else -1 for one in policy.terms]
    which = np.where(era >= 0, np.array(of_era, np.int64)[era], len(versions) - 1)
    groups = merge_groups([run.groups for run in runs], which)
    whole = replace(runs[-1], groups=groups, counts=count(groups))
    return SettledRun(whole, policy, tables[-1], merge_amounts(parts, which), allow)


def close_month(
    settled: SettledRun,
    area: str | Path,
    month: str,
    *,
    book: Path | None = None,
    entries: Path | None = None,
    calendar: Path | None = None,
    paid_on: date | None = None,
    inputs: Sequence[Path] = (),
    write: Callable[[MonthRun], None] | None = None,
) -> MonthRun:
    """The month's statements; in a book the month is closed in it, last of all.

    write: called with the month before the book takes it, so that nothing is booked when it fails.
    Raises GrouperError, and then nothing is written.
    """
    policy, records = settled.policy, settled.run.records
    rules = month_rules(policy, month)
    added = read_entries(entries, policy) if entries else []
    days = read_calendar(calendar or own_calendar(area))
    lists = Lists(records.batch, settled.amounts, received_of(records))
    if book is None:
        made = _run(close_alone(lists, added, policy, rules), rules, days, paid_on)
        if write is not None:
            write(made)
        return made
    with open_book(book, policy.area.id) as booked:
        made = _run(close_in_book(lists, added, booked, policy, rules), rules, days, paid_on)
        if write is not None:
            write(made)
        facts = manifest(settled, made, inputs)
        book_month(book, made.closed, facts)
    return made


def read_calendar(path: Path | None) -> Calendar:
    """A dated list of working days and days off: columns date, working (1 or 0), source.

    Raises DataFileError for the form, SettlementError ST320 for a cell.
    """
    if path is None:
        return Calendar()
    listed: dict[date, bool] = {}
    issues = []
    for row in read_tsv(path, CALENDAR_COLUMNS):
        found = day(row["date"])
        problem = "date" if found.bad or found.number < 0 else ""
        column = "date"
        if row["working"] not in ("0", "1"):
            problem, column = problem or "yes_no", column if problem else "working"
        if problem:
            params = {"kind": path.name, "column": column, "value": row[column]}
            issues.append(Issue("ST320", row.where(column), {**params, "problem": problem}))
        else:
            listed[from_day_number(found.number)] = row["working"] == "1"
    if issues:
        raise SettlementError.of(issues)
    return Calendar(listed)


def manifest(settled: SettledRun, made: MonthRun, inputs: Sequence[Path]) -> dict[str, Any]:
    """What a month rests on and what it sums to; the same input gives the same manifest."""
    amounts, policy = settled.amounts, settled.policy
    codes = [issue.code for issue in made.issues]
    hashed = [hashed_input(path) for path in inputs]
    return {
        "program": f"chs-grouper {__version__}",
        "area": policy.area.id,
        "month": made.closed.month,
        "policies": list(policy.titles),
        "scheme": amounts.scheme_id,
        "weight_table": amounts.weight_table,
        "confidence": lowest((amounts.confidence, made.rules.confidence)),
        "mark": amounts.mark("en"),
        "inputs": [
            {"name": Path(one.path).name, "size": one.size, "sha256": one.sha256} for one in hashed
        ],
        "rows": dict(made.closed.counts),
        "claims_until": made.rules.claims_until.isoformat(),
        "due": made.due.isoformat(),
        "paid_on": made.paid_on.isoformat() if made.paid_on else None,
        "statements": len(made.closed.statements),
        "sums": {k: v if k == "M1" else yuan(v) for k, v in made.sums.items()},
        "issues": {code: codes.count(code) for code in sorted(set(codes))},
    }


def _run(closed: ClosedMonth, rules: MonthRules, days: Calendar, paid_on: date | None) -> MonthRun:
    due = days.working_day_after(rules.claims_until, rules.due_working_days)
    issues = [*closed.issues, *rules.constructed_defaults]
    years = range(rules.claims_until.year, due.year + 1)
    unknown = [year for year in years if not days.knows(year)]
    issues += [Issue("ST108", closed.month, {"key": f"{CALENDAR_FILE} {year}"}) for year in unknown]
    if paid_on is not None and paid_on > due:
        params = {"period": closed.month, "due": due, "done": paid_on}
        issues.append(Issue("ST308", closed.month, params))
    return MonthRun(closed, rules, due, paid_on, tuple(issues))


def _version(terms: Terms) -> tuple[str, str]:
    return terms.scheme_id, terms.weight_table


def _discharges(batch: CaseBatch) -> NDArray[np.int32]:
    dates = batch.discharge_date
    return dates if len(dates) == len(batch) else np.full(len(batch), MISSING, np.int32)


def own_calendar(area: str | Path) -> Path | None:
    """The list of working days that a pack has of its own."""
    if is_lead(area):
        return None
    path = area_folder(area) / CALENDAR_FILE
    return path if path.is_file() else None
