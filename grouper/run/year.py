"""A year from files or a book to its clearing: lists, entries, months, funds, and the lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from grouper import __version__
from grouper.dated import Confidence, day_number
from grouper.errors import Issue, SettlementError
from grouper.money import to_fen, yuan
from grouper.policy.load import load_policy
from grouper.policy.model import Allow, Policy, require_verified
from grouper.records.batch import MISSING
from grouper.run.book import lock_year, open_book, read_year
from grouper.run.entries import read_entries
from grouper.run.plan import hashed_input
from grouper.run.received import received_of
from grouper.run.settlement import SettledRun, is_lead
from grouper.settle.annual import Annual, clear_area
from grouper.settle.closing import Booked
from grouper.settle.month_rules import month_rules, next_month
from grouper.settle.year_difference import Amounts, Difference, amounts_of, differences
from grouper.settle.year_entries import YEAR_NEEDS, YearEntries, year_entries
from grouper.settle.year_ledger import decisions_of_ledger, lists_of_ledger
from grouper.settle.year_lists import YearLists, year_lists
from grouper.settle.year_months import Paid, paid_by_book, paid_by_lists

FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Locked:
    """An earlier clearing of the same year: its amounts, and how often it was corrected."""

    amounts: Amounts
    corrections: int


@dataclass(frozen=True, slots=True, eq=False)
class YearRun:
    """A cleared year and what it rests on; differences: against the clearing before it."""

    annual: Annual
    policy: Policy
    manifest: Mapping[str, Any]
    issues: tuple[Issue, ...]
    differences: tuple[Difference, ...] | None


def settle_year(
    area: str | Path,
    year: int,
    *,
    settled: SettledRun | Callable[[], SettledRun] | None,
    book: Path | None = None,
    entries: Sequence[Path] = (),
    frozen: date | None = None,
    done: date | None = None,
    correction: bool = False,
    allow: Allow = "verified",
    inputs: Sequence[Path] = (),
    write: Callable[[YearRun], None] | None = None,
) -> YearRun:
    """Clear a year from priced lists, from a book, or lists from the one, months from the other.

    settled: the priced lists, or what makes them once entries and book are in order; None to take
    those of the book. frozen: lists accepted later stay out. done: the day it is paid, held
    against its due date. correction: the year is cleared and locked already, tell what changes.
    write: called with the result before the book locks the year. Raises GrouperError, and then
    nothing is written: ST306 for a year that is not closed or is locked, PO112 for values nobody
    has verified, and those of the clearing.
    """
    # only a lead's policy depends on what it prices
    if settled is not None and is_lead(area):
        settled = settled() if callable(settled) else settled
        policy = settled.policy
    else:
        policy = load_policy(area)
    added = year_entries(
        [one for path in entries for one in read_entries(path, policy, needs=YEAR_NEEDS)]
    )
    with ExitStack() as stack:
        booked = stack.enter_context(open_book(book, policy.area.id)) if book else None
        before = _check_order(year, booked, book, correction=correction)
        lists = settled() if callable(settled) else settled
        given = _Given(policy, year, lists, booked, added, frozen, done)
        made = _cleared(given, allow, before, inputs)
        if write is not None:
            write(made)
        if book is not None:
            number = 0 if before is None else before.corrections + 1
            kept = _kept(amounts_of(made.annual), number)
            lock_year(book, year, {**made.manifest, **kept})
    return made


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """What a year is cleared from."""

    policy: Policy
    year: int
    settled: SettledRun | None
    booked: Booked | None
    entries: YearEntries
    frozen: date | None
    done: date | None


def _cleared(given: _Given, allow: Allow, before: Locked | None, inputs: Sequence[Path]) -> YearRun:
    policy, settled, booked = given.policy, given.settled, given.booked
    lists, entries = _lists(given)
    if booked is None:
        paid = paid_by_lists(lists, entries, policy)
    else:
        paid = paid_by_book(booked.sums, given.year)
    mark = settled.amounts.confidence if settled else policy.confidence
    annual = clear_area(lists, paid, entries, policy, confidence=mark, done=given.done)
    confidence = require_verified(policy, annual.confidence, allow=allow)
    changed = None if before is None else differences(before.amounts, amounts_of(annual))
    return YearRun(
        annual=annual,
        policy=policy,
        manifest=_manifest(annual, policy, confidence, settled, booked, inputs),
        issues=(*annual.issues, *_apart(lists, paid if booked and settled else {})),
        differences=changed,
    )


def _check_order(
    year: int, booked: Booked | None, book: Path | None, *, correction: bool
) -> Locked | None:
    """The clearing before, if the year is locked and is to be corrected. Raises ST306."""
    if booked is None or book is None:
        return None
    locked = year in booked.locked_years
    last = f"{year:04d}-12"
    if locked and not correction:
        params = {"problem": "year_locked", "remedy": "year_locked", "next": "-"}
        raise SettlementError("ST306", str(book), month=year, **params)
    if last not in booked.months:
        follows = next_month(booked.months[-1]) if booked.months else f"{year:04d}-01"
        params = {"problem": "order", "remedy": "order", "next": follows}
        raise SettlementError("ST306", str(book), month=year, **params)
    return read_locked(book, year) if locked else None


def read_locked(book: Path, year: int) -> Locked:
    """What a book says of a cleared year. Raises SettlementError ST326."""
    kept = read_year(book, year)
    amounts = {
        (one["insurance"], one["place"], one["hospital"]): {
            key: to_fen(text) for key, text in one["amounts"].items()
        }
        for one in kept["accounts"]
    }
    return Locked(amounts, int(kept["corrections"]))


def _kept(amounts: Amounts, corrections: int) -> dict[str, Any]:
    """What the book keeps of a clearing, so that a later one can tell the differences."""
    accounts = [
        {
            "insurance": insurance,
            "place": place,
            "hospital": hospital,
            "amounts": {key: yuan(fen) for key, fen in found.items()},
        }
        for (insurance, place, hospital), found in amounts.items()
    ]
    return {"corrections": corrections, "accounts": accounts}


def _lists(given: _Given) -> tuple[YearLists, YearEntries]:
    """The lists of the year, and the entries with what the months of a book decided already.

    Raises SettlementError ST321 for decisions on lists, ST105 for hospitals that are not there,
    ST322 for entries of months that are not this year's, or are closed.
    """
    entries, policy, year, booked = given.entries, given.policy, given.year, given.booked
    if booked is not None:
        decided = {**decisions_of_ledger(booked.lines, year), **entries.decisions}
        entries = replace(entries, decisions=decided)
    if given.settled is not None:
        lists = _lists_of_files(given.settled, given, entries)
    else:
        assert booked is not None
        if month_rules(policy, f"{year:04d}-12").as_recorded:
            # such a book knows no payment by groups
            raise SettlementError("ST103", f"{policy.area.id}: {year}", field="payment")
        lists = lists_of_ledger(booked.lines, policy, year)
    issues = [
        Issue("ST321", one.where, {"list": one.list})
        for name, one in entries.decisions.items()
        if name not in lists.applied
    ]
    issues += [
        Issue("ST105", where, {"field": "hospital", "value": code})
        for code, where in sorted(entries.named.items())
        if code not in lists.discharges and policy.hospital(code) is None
    ]
    issues += _misplaced(entries, year, booked)
    if issues:
        raise SettlementError.of(issues)
    return lists, entries


def _misplaced(entries: YearEntries, year: int, booked: Booked | None) -> list[Issue]:
    """ST322: entries of a month of another year, or of months that a book has closed already."""
    issues = [
        Issue("ST322", one.where, {"problem": "other_year", "list": one.month})
        for one in entries.deductions
        if one.month and not one.month.startswith(f"{year:04d}-")
    ]
    if booked is not None:
        dated = [one.where for one in entries.deductions if one.month]
        dated += [one.where for one in entries.advances.values()]
        issues += [Issue("ST322", where, {"problem": "in_book", "list": ""}) for where in dated]
    return issues


def _lists_of_files(settled: SettledRun, given: _Given, entries: YearEntries) -> YearLists:
    records, kept = settled.run.records, None
    if given.frozen is not None:
        accepted = received_of(records).accepted
        kept = np.asarray((accepted == MISSING) | (accepted <= day_number(given.frozen)))
    return year_lists(
        records.batch,
        settled.amounts,
        given.policy,
        year=given.year,
        applied=frozenset(entries.decisions),
        frozen=kept,
    )


def _apart(lists: YearLists, paid: Mapping[Any, Paid]) -> list[Issue]:
    """ST327: where lists from files and months from a book are not of the same fund."""
    issues = []
    applied = lists.applied_by_key()
    for key, months in sorted(paid.items()):
        recorded = lists.sums(key).recorded
        recorded += sum(one.sums.recorded for one in applied.get(key, ()))
        if recorded != months.recorded:
            hospital, insurance, place = key
            params = {"hospital": hospital, "insurance": insurance, "place": place}
            sums = {"left": yuan(recorded), "right": yuan(months.recorded)}
            issues.append(Issue("ST327", hospital, {**params, **sums}))
    return issues


def _manifest(
    annual: Annual,
    policy: Policy,
    confidence: Confidence,
    settled: SettledRun | None,
    booked: Booked | None,
    inputs: Sequence[Path],
) -> dict[str, Any]:
    """What a year rests on and what it sums to; the same input gives the same manifest."""
    sums = {
        name: yuan(sum(fund.clearing.total(f"{name}_fen") for fund in annual.funds))
        for name in ("entitled", "full", "final", "payable", "before", "clearing", "cash")
    }
    hashed = [hashed_input(path) for path in inputs]
    return {
        "program": f"chs-grouper {__version__}",
        "area": policy.area.id,
        "year": annual.year,
        "policies": list(policy.titles),
        "scheme": settled.amounts.scheme_id if settled else "",
        "weight_table": settled.amounts.weight_table if settled else "",
        "confidence": confidence,
        "demo": annual.is_demo,
        "months": [one for one in booked.months if one.startswith(str(annual.year))]
        if booked
        else [],
        "inputs": [
            {"name": Path(one.path).name, "size": one.size, "sha256": one.sha256} for one in hashed
        ],
        "due": annual.due.isoformat(),
        "done": annual.done.isoformat() if annual.done else None,
        "sums": sums,
    }
