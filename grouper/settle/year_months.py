"""What the months of a year paid (V), kept (Q) and deducted: from closed months or from lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial

from grouper.policy.model import Policy
from grouper.settle.month_lines import MonthEntries, close_month
from grouper.settle.month_rules import MonthRules, month_rules
from grouper.settle.month_sums import MonthSums
from grouper.settle.year_entries import Advance, YearEntries
from grouper.settle.year_lists import Key, Sums, YearLists

_NO_ADVANCE = Advance(0, 0)


@dataclass(slots=True)
class Paid:
    """Sums over the months of one hospital, insurance and place; amounts in fen.

    deposit: sum of M11; audit: of M9; paid: of M15; offset: of M13; advance: still outstanding.
    recorded: the pooled fund as the months saw it, for comparison with the lists.
    """

    months: int = 0
    deposit: int = 0
    audit: int = 0
    paid: int = 0
    offset: int = 0
    advance: int = 0
    recorded: int = 0


def paid_by_book(sums: Iterable[MonthSums], year: int) -> dict[Key, Paid]:
    """What the closed months of a year say, by hospital, insurance and place."""
    found: dict[Key, Paid] = {}
    for one in sorted(sums, key=lambda sums: sums.month):
        if not one.month.startswith(f"{year:04d}-"):
            continue
        paid = found.setdefault(one.key, Paid())
        paid.months += 1
        paid.deposit += one.lines["M11"]
        paid.audit += one.lines["M9"]
        paid.paid += one.lines["M15"]
        paid.offset += one.lines["M13"]
        paid.recorded += one.recorded_fen
        # the last month knows what is left of the advance
        paid.advance = one.advance_left_fen
    return found


def paid_by_lists(lists: YearLists, entries: YearEntries, policy: Policy) -> dict[Key, Paid]:
    """The months of a year closed one after the other, by month of discharge.

    Cases that applied for special review are paid as recorded until the year decides (M7).
    """
    found: dict[Key, Paid] = {}
    keys = {*lists.keys(), *entries.advances, *(one.key for one in entries.deductions)}
    applied, audits = lists.applied_by_key(), entries.deducted_fen()
    rules_of = cache(partial(month_rules, policy))
    for key in sorted(keys):
        special = Counter[str]()
        for one in applied.get(key, ()):
            special[one.month] += one.sums.recorded
        advance = entries.advances.get(key, _NO_ADVANCE)
        months = (f"{lists.year:04d}-{number:02d}" for number in range(1, 13))
        own = [_Month(m, lists.sums_of(key, m), special[m], audits[key, m]) for m in months]
        found[key] = _close_all(own, advance, rules_of)
    return found


@dataclass(frozen=True, slots=True)
class _Month:
    """What a month of one key brings; special and audit in fen."""

    month: str
    plain: Sums
    special: int
    audit: int


def _close_all(
    months: Iterable[_Month], advance: Advance, rules_of: Callable[[str], MonthRules]
) -> Paid:
    paid, carry = Paid(advance=advance.granted_fen), 0
    for one in months:
        if not (one.plain.cases or one.special or one.audit or carry):
            continue
        more = MonthEntries(
            special=one.special,
            audit=one.audit,
            carry_in=carry,
            advance_schedule=advance.schedule_fen,
            advance_outstanding=paid.advance,
        )
        rules = rules_of(one.month)
        # where months are paid as recorded, groups pay at the year's end only
        accrued = one.plain.recorded if rules.as_recorded else one.plain.accrued
        lines = close_month(accrued, rules.rate, more, keeping=rules.keeping, deduct=rules.deduct)
        carry = lines["M16"]
        paid.months += 1
        paid.deposit += lines["M11"]
        paid.audit += lines["M9"]
        paid.paid += lines["M15"]
        paid.offset += lines["M13"]
        paid.advance -= lines["M13"]
        paid.recorded += one.plain.recorded + one.special
    return paid
