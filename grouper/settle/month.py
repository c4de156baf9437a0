"""A month outside of a book: one statement (月度拨付表) a hospital, insurance and place.

Lines M1 to M16 as docs/reference/money.md lists them. A case belongs to the month of its
discharge. `standard` (M3) is what the cases are paid by their rules, outliers included.
Months that follow one another, with late lists and carry, are closed in a book (closing.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from grouper.dated import from_day_number
from grouper.engine.groups import Groups
from grouper.money import total
from grouper.policy.model import Policy
from grouper.records.batch import MISSING, CaseBatch
from grouper.settle.acceptance import Entering, Received, by_discharge
from grouper.settle.amounts import Amounts
from grouper.settle.ledger import LineKind, book_rows, discharge_days, left_out
from grouper.settle.month_rules import month_days, month_rules
from grouper.settle.statement import Check, Statement
from grouper.settle.statements import MonthParts, check, make_statements


def months(batch: CaseBatch) -> dict[str, int]:
    """How many cases were discharged in each month, in order; "" counts cases without a date."""
    days, counts = np.unique(discharge_days(batch), return_counts=True)
    found: Counter[str] = Counter()
    for day, count in zip(days.tolist(), counts.tolist(), strict=True):
        found["" if day == MISSING else from_day_number(day).isoformat()[:7]] += count
    return dict(sorted(found.items()))


def month_statements(
    batch: CaseBatch,
    groups: Groups,
    amounts: Amounts,
    policy: Policy,
    *,
    month: str,
    received: Received | None = None,
) -> list[Statement]:
    """One statement for each hospital, insurance and place with a discharge in the month.

    month: `2025-06`. received: which cases applied for special review (none where not given).
    Raises SettlementError ST314 for another form, ST101 when no policy is in
    force in the month, ST307 when parts and totals differ (a defect); ValueError for lengths that
    differ.
    """
    if not len(batch) == len(groups) == len(amounts):
        raise ValueError(f"{len(batch)} cases, {len(groups)} groups, {len(amounts)} amounts")
    month_days(month)
    entering = by_discharge(batch, amounts, month)
    if not len(entering.in_time) + len(entering.left_out):
        return []
    rules, given = month_rules(policy, month), received or Received.nothing(len(batch))
    lines = book_rows(
        batch,
        amounts,
        policy,
        entering.in_time,
        LineKind.ACCEPTED,
        special=given.special,
        accepted=given.accepted,
        as_recorded=rules.as_recorded,
    )
    parts = MonthParts(lines, left_out(batch, amounts, policy, entering.left_out))
    statements = make_statements(parts, amounts, policy, rules)
    check(against_cases(statements, amounts, entering))
    return statements


def against_cases(
    statements: Sequence[Statement], amounts: Amounts, entering: Entering
) -> tuple[Check, ...]:
    """The statements together against the cases themselves."""
    in_time = entering.in_time

    def over(line_id: str) -> int:
        return sum(statement.line(line_id).amount_fen for statement in statements)

    cases = sum(statement.cases for statement in statements)
    return (
        Check("cases of the month", cases, len(in_time) + len(entering.left_out)),
        Check("counted cases", over("M1"), len(in_time)),
        Check("late cases", sum(one.late_cases for one in statements), len(entering.late)),
        Check("total cost", over("M2"), total(amounts.total_fen[in_time])),
    )
