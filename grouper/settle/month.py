"""The month of a hospital: one statement (月度拨付表) a hospital, insurance and place.

Lines M1 to M16 as docs/reference/money.md lists them. A case belongs to the month of its
discharge: batches carry no date of acceptance. `standard` (M3) is what the cases are paid by
their rules, outliers included.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from grouper.dated import day_number, from_day_number
from grouper.engine.groups import Groups
from grouper.errors import SettlementError
from grouper.money import total
from grouper.policy.model import Policy
from grouper.records.batch import MISSING, CaseBatch
from grouper.settle.amounts import Amounts, CaseType
from grouper.settle.batch import factorize
from grouper.settle.month_lines import close_month
from grouper.settle.statement import LINES, Check, Line, Part, Statement

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


def months(batch: CaseBatch) -> dict[str, int]:
    """How many cases were discharged in each month, in order; "" counts cases without a date."""
    days, counts = np.unique(_days(batch), return_counts=True)
    found: Counter[str] = Counter()
    for day, count in zip(days.tolist(), counts.tolist(), strict=True):
        found["" if day == MISSING else from_day_number(day).isoformat()[:7]] += count
    return dict(sorted(found.items()))


def month_statements(
    batch: CaseBatch, groups: Groups, amounts: Amounts, policy: Policy, *, month: str
) -> list[Statement]:
    """One statement for each hospital and insurance with a discharge in the month, in that order.

    month: `2025-06`. Raises SettlementError ST314 for another form, ST101 when no policy is in
    force in the month, ST307 when parts and totals differ (a defect); ValueError for lengths that
    differ.
    """
    if not len(batch) == len(groups) == len(amounts):
        raise ValueError(f"{len(batch)} cases, {len(groups)} groups, {len(amounts)} amounts")
    first, end = _month_days(month)
    days = _days(batch)
    inside = (days >= day_number(first)) & (days < day_number(end))
    if not inside.any():
        return []
    last = from_day_number(day_number(end) - 1)
    deposit_rate = policy.terms_at(last).deposit_rate
    statements = [
        _statement(rows, hospital, insurance, month, amounts, policy, deposit_rate)
        for (hospital, insurance), rows in _keys(batch, policy, inside)
    ]
    _check(_overall(statements, amounts, inside))
    return statements


def _month_days(month: str) -> tuple[date, date]:
    """The first day of a month and of the next."""
    found = _MONTH.fullmatch(month)
    if found is None or found[1] == "0000":
        raise SettlementError("ST314", month=month)
    year, number = int(found[1]), int(found[2])
    return date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)


def _days(batch: CaseBatch) -> NDArray[np.int32]:
    dates = batch.discharge_date
    return dates if len(dates) == len(batch) else np.full(len(batch), MISSING, np.int32)


def _keys(
    batch: CaseBatch, policy: Policy, inside: NDArray[np.bool_]
) -> Iterable[tuple[tuple[str, str], NDArray[np.int64]]]:
    """The rows of each hospital and insurance, in the order of these codes.

    An insurance the area does not know keeps its own text: its cases are shown, not counted.
    """
    rows = np.flatnonzero(inside)
    columns = []
    for values, resolve in (
        (batch.hospital, str.strip),
        (batch.insurance, lambda text: policy.insurance(text) or text.strip()),
    ):
        ids, texts = factorize(values if len(values) == len(batch) else [""] * len(batch))
        codes = [resolve(text) for text in texts]
        order = sorted(set(codes))
        place = np.array([order.index(code) for code in codes], np.int64)
        columns.append((place[ids[rows]], order))
    (hospital, hospitals), (insurance, insurances) = columns
    key = hospital * len(insurances) + insurance
    order_of_rows = np.argsort(key, kind="stable")
    distinct, starts = np.unique(key[order_of_rows], return_index=True)
    pieces = np.split(rows[order_of_rows], starts[1:])
    for number, piece in zip(distinct.tolist(), pieces, strict=True):
        one, other = divmod(number, len(insurances))
        yield (hospitals[one], insurances[other]), piece


def _statement(
    rows: NDArray[np.int64],
    hospital: str,
    insurance: str,
    month: str,
    amounts: Amounts,
    policy: Policy,
    deposit_rate: Decimal,
) -> Statement:
    counted = rows[amounts.counted[rows]]
    left_out = rows[~amounts.counted[rows]]
    parts = tuple(
        _part(kind, counted[amounts.case_type[counted] == kind], amounts)
        for kind in CaseType
        if kind != CaseType.UNPRICED
    )
    lines = _lines(counted, amounts, deposit_rate)
    checks = _checks(lines, parts)
    _check(checks)
    reasons = Counter(
        amounts.issues[number - 1].code for number in amounts.issue[left_out].tolist()
    )
    cost = amounts.total_fen[left_out]
    listed = policy.hospital(hospital)
    title = policy.insurance_title(insurance)
    return Statement(
        area_id=policy.area.id,
        hospital=hospital,
        hospital_name=listed.name if listed else "",
        insurance=insurance,
        insurance_zh=title.title,
        insurance_en=title.title_en,
        place="local",
        month=month,
        lines=lines,
        parts=parts,
        checks=checks,
        not_counted=dict(sorted(reasons.items())),
        not_counted_fen=total(cost[cost > 0]),
        confidence=amounts.confidence,
        is_demo=amounts.is_demo,
        weight_table=amounts.weight_table,
        scheme_id=amounts.scheme_id,
    )


def _part(kind: CaseType, rows: NDArray[np.int64], amounts: Amounts) -> Part:
    return Part(
        case_type=kind,
        cases=len(rows),
        total_fen=total(amounts.total_fen[rows]),
        payable_fen=total(amounts.payable_fen[rows]),
        patient_fen=total(amounts.patient_fen[rows]),
        other_fen=total(amounts.other_fen[rows]),
        pool_fen=total(amounts.pool_fen[rows]),
        fund_fen=total(amounts.fund_fen[rows]),
    )


def _lines(rows: NDArray[np.int64], amounts: Amounts, deposit_rate: Decimal) -> tuple[Line, ...]:
    standard = total(amounts.payable_fen[rows])
    patient = total(amounts.patient_fen[rows])
    other = total(amounts.other_fen[rows])
    uncut = amounts.payable_fen[rows] - amounts.patient_fen[rows] - amounts.other_fen[rows]
    cut = total(amounts.fund_fen[rows] - uncut)
    values = {
        "M1": len(rows),
        "M2": total(amounts.total_fen[rows]),
        "M3": standard,
        "M4": patient,
        "M5": other,
        "M5b": cut,
        **close_month(standard - patient - other + cut, deposit_rate),
    }
    return tuple(
        Line(line_id, zh, en, values[line_id], said_zh, said_en, is_count=line_id == "M1")
        for line_id, (zh, en, said_zh, said_en) in LINES.items()
    )


def _checks(lines: Sequence[Line], parts: Sequence[Part]) -> tuple[Check, ...]:
    """Parts against the lines, and the identity M6 - pool as recorded = payment - cost (+ cut)."""
    value = {line.id: line.amount_fen for line in lines}
    pool = sum(part.pool_fen for part in parts)
    return (
        Check("M1 = cases by type", value["M1"], sum(part.cases for part in parts)),
        Check("M2 = cost by type", value["M2"], sum(part.total_fen for part in parts)),
        Check("M3 = payment by type", value["M3"], sum(part.payable_fen for part in parts)),
        Check("M4 = patients by type", value["M4"], sum(part.patient_fen for part in parts)),
        Check("M5 = other funds by type", value["M5"], sum(part.other_fen for part in parts)),
        Check("M6 = fund by type", value["M6"], sum(part.fund_fen for part in parts)),
        Check("M2 = M4 + M5 + pool", value["M2"], value["M4"] + value["M5"] + pool),
        Check(
            "M6 - pool = M3 - M2 + M5b",
            value["M6"] - pool,
            value["M3"] - value["M2"] + value["M5b"],
        ),
        Check(
            "M15 + M16 = M12 + M14 - M13",
            value["M15"] + value["M16"],
            value["M12"] + value["M14"] - value["M13"],
        ),
    )


def _overall(
    statements: Sequence[Statement], amounts: Amounts, inside: NDArray[np.bool_]
) -> tuple[Check, ...]:
    """The statements together against the cases themselves."""
    counted = inside & amounts.counted

    def over(line_id: str) -> int:
        return sum(statement.line(line_id).amount_fen for statement in statements)

    cases = sum(statement.cases for statement in statements)
    return (
        Check("cases of the month", cases, int(np.count_nonzero(inside))),
        Check("counted cases", over("M1"), int(np.count_nonzero(counted))),
        Check("total cost", over("M2"), total(amounts.total_fen[counted])),
        Check("payment", over("M3"), total(amounts.payable_fen[counted])),
        Check("fund", over("M6"), total(amounts.fund_fen[counted])),
    )


def _check(checks: Iterable[Check]) -> None:
    """Raises SettlementError ST307 for the first check that does not hold."""
    for check in checks:
        if not check.holds:
            raise SettlementError("ST307", check=check.name, left=check.left, right=check.right)
