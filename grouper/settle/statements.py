"""From the lines of a month's ledger to its statements, each checked against what it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import pyarrow as pa

from grouper.dated import lowest
from grouper.errors import SettlementError
from grouper.money import total
from grouper.policy.model import Policy
from grouper.settle.amounts import Amounts, CaseType
from grouper.settle.entries import Deduction
from grouper.settle.ledger import (
    DIFFERENCES,
    Key,
    LeftOut,
    LineKind,
    LineSums,
    ListLine,
    case_sums,
    entered,
    line_sums,
)
from grouper.settle.month_lines import MonthEntries, close_month
from grouper.settle.month_rules import MonthRules
from grouper.settle.month_sums import AMOUNT_LINES, MonthSums
from grouper.settle.statement import LINES, Check, Line, Part, Statement


@dataclass(frozen=True, slots=True)
class Standing:
    """How a hospital's account stands before the month, in fen.

    carry: last M16 (<= 0). outstanding: advance still to be offset, of it `schedule` a month;
    granted: paid out in this month, part of `outstanding`.
    """

    carry: int = 0
    outstanding: int = 0
    schedule: int = 0
    granted: int = 0

    @property
    def is_open(self) -> bool:
        """Whether anything is left to be settled, cases or not."""
        return bool(self.carry or self.outstanding or self.granted)


@dataclass(frozen=True, slots=True, eq=False)
class MonthParts:
    """What the statements of a month are made of.

    lines: the ledger of the month; changes: those of its lines that are differences, one by one.
    """

    lines: pa.Table
    left_out: Mapping[Key, LeftOut]
    changes: Sequence[ListLine] = ()
    deductions: Sequence[Deduction] = ()
    standing: Mapping[Key, Standing] = field(default_factory=dict)


def make_statements(
    parts: MonthParts, amounts: Amounts, policy: Policy, rules: MonthRules
) -> list[Statement]:
    """One statement for each hospital, insurance and place, in that order.

    Raises SettlementError ST307 when parts and totals differ (a defect).
    """
    by_key = {k: list(found) for k, found in groupby(line_sums(parts.lines), lambda cell: cell.key)}
    open_ = {key for key, standing in parts.standing.items() if standing.is_open}
    deducted = {Key(one.hospital, one.insurance, one.place) for one in parts.deductions}
    keys = sorted({*by_key, *parts.left_out, *open_, *deducted})
    statements = [_statement(k, by_key.get(k, []), parts, amounts, policy, rules) for k in keys]
    check(_overall(statements, parts))
    return statements


def sums_of(statement: Statement, cells: Sequence[LineSums], standing: Standing) -> MonthSums:
    """What a statement leaves to the year."""
    special = [cell for cell in cells if cell.special]
    return MonthSums(
        month=statement.month,
        hospital=statement.hospital,
        insurance=statement.insurance,
        place=statement.place,
        cases=statement.line("M1").amount_fen,
        late_cases=statement.late_cases,
        lines={line: statement.line(line).amount_fen for line in AMOUNT_LINES},
        total_fen=sum(cell.total_fen for cell in cells),
        patient_fen=sum(cell.patient_fen for cell in cells),
        other_fen=sum(cell.other_fen for cell in cells),
        recorded_fen=sum(cell.pool_fen for cell in cells),
        special_recorded_fen=sum(cell.pool_fen for cell in special),
        special_approved_fen=sum(c.accrued_fen for c in special if c.kind is LineKind.APPROVED),
        advance_granted_fen=standing.granted,
        advance_left_fen=statement.advance_left_fen,
        advance_schedule_fen=standing.schedule,
    )


def month_sums(statements: Sequence[Statement], parts: MonthParts) -> list[MonthSums]:
    """The sums of all statements, in their order."""
    by_key = {k: list(found) for k, found in groupby(line_sums(parts.lines), lambda cell: cell.key)}
    keys = [Key(one.hospital, one.insurance, one.place) for one in statements]
    return [
        sums_of(one, by_key.get(key, []), parts.standing.get(key, Standing()))
        for one, key in zip(statements, keys, strict=True)
    ]


def _statement(
    key: Key,
    cells: Sequence[LineSums],
    parts: MonthParts,
    amounts: Amounts,
    policy: Policy,
    rules: MonthRules,
) -> Statement:
    standing = parts.standing.get(key, Standing())
    deductions = tuple(
        one for one in parts.deductions if Key(one.hospital, one.insurance, one.place) == key
    )
    lines = _lines(cells, standing, sum(one.taken_fen for one in deductions), rules)
    by_type = tuple(_part(kind, cells) for kind in CaseType if kind != CaseType.UNPRICED)
    awaiting = [cell for cell in cells if cell.special and cell.kind is LineKind.ACCEPTED]
    lost = parts.left_out.get(key, LeftOut({}, 0))
    listed, title = policy.hospital(key.hospital), policy.insurance_title(key.insurance)
    statement = Statement(
        area_id=policy.area.id,
        hospital=key.hospital,
        hospital_name=listed.name if listed else "",
        insurance=key.insurance,
        insurance_zh=title.title,
        insurance_en=title.title_en,
        place=key.place,
        month=rules.month,
        lines=lines,
        parts=by_type,
        checks=(),
        not_counted=lost.cases,
        not_counted_fen=lost.cost_fen,
        confidence=lowest((amounts.confidence, rules.confidence)),
        is_demo=amounts.is_demo,
        weight_table=amounts.weight_table,
        scheme_id=amounts.scheme_id,
        awaiting=sum(cell.lines for cell in awaiting),
        awaiting_fen=sum(cell.total_fen for cell in awaiting),
        late_cases=sum(cell.lines for cell in cells if cell.kind is LineKind.LATE),
        deductions=deductions,
        differences=tuple(one for one in parts.changes if one.key == key),
        advance_granted_fen=standing.granted,
        advance_left_fen=standing.outstanding - _value(lines, "M13"),
    )
    statement = replace(statement, checks=_checks(statement, cells))
    check(statement.checks)
    return statement


def _part(kind: CaseType, cells: Sequence[LineSums]) -> Part:
    """The lists of one case type that were accepted in time, special ones left out."""
    own = [
        cell
        for cell in cells
        if cell.case_type == kind and cell.kind is LineKind.ACCEPTED and not cell.special
    ]
    return Part(
        case_type=kind,
        cases=sum(cell.lines for cell in own),
        total_fen=sum(cell.total_fen for cell in own),
        payable_fen=sum(cell.payment_fen for cell in own),
        patient_fen=sum(cell.patient_fen for cell in own),
        other_fen=sum(cell.other_fen for cell in own),
        pool_fen=sum(cell.pool_fen for cell in own),
        fund_fen=sum(cell.fund_fen for cell in own),
    )


def _lines(
    cells: Sequence[LineSums], standing: Standing, audit_fen: int, rules: MonthRules
) -> tuple[Line, ...]:
    sums = case_sums(cells)
    special, corrections, late = entered(cells)
    entries = MonthEntries(
        special=special,
        corrections=corrections,
        late=late,
        audit=audit_fen,
        carry_in=standing.carry,
        advance_schedule=standing.schedule,
        advance_outstanding=standing.outstanding,
    )
    closed = close_month(
        sums.accrued, rules.rate, entries, keeping=rules.keeping, deduct=rules.deduct
    )
    values = {**sums.lines(), **closed}
    said = dict(LINES)
    if rules.deduct == "after_share":
        # deductions come off after the share that is kept: it is one of the base before them
        zh, en, *formulas = LINES["M11"]
        said_zh, said_en = (text.replace("M10", "M10 + M9") for text in formulas)
        said["M11"] = (zh, en, said_zh, said_en)
    return tuple(
        Line(line_id, zh, en, values[line_id], said_zh, said_en, is_count=line_id == "M1")
        for line_id, (zh, en, said_zh, said_en) in said.items()
    )


def _value(lines: Sequence[Line], line_id: str) -> int:
    return next(line.amount_fen for line in lines if line.id == line_id)


def _checks(statement: Statement, cells: Sequence[LineSums]) -> tuple[Check, ...]:
    """Parts against the lines, and the identity M6 - pool as recorded = payment - cost (+ cut)."""
    value = {line.id: line.amount_fen for line in statement.lines}
    parts = statement.parts
    pool = sum(part.pool_fen for part in parts)
    cost = sum(part.total_fen for part in parts)
    base = sum(cell.accrued_fen for cell in cells) - sum(d.taken_fen for d in statement.deductions)
    differences = sum(one.accrued_fen for one in statement.differences)
    booked = sum(cell.accrued_fen for cell in cells if cell.kind in DIFFERENCES)
    return (
        Check("M1 = cases by type", value["M1"], statement.awaiting + sum(p.cases for p in parts)),
        Check("M2 = cost by type", value["M2"], statement.awaiting_fen + cost),
        Check("M3 = payment by type", value["M3"], sum(part.payable_fen for part in parts)),
        Check("M4 = patients by type", value["M4"], sum(part.patient_fen for part in parts)),
        Check("M5 = other funds by type", value["M5"], sum(part.other_fen for part in parts)),
        Check("M6 = fund by type", value["M6"], sum(part.fund_fen for part in parts)),
        Check("M2 = M4 + M5 + pool", cost, value["M4"] + value["M5"] + pool),
        Check("M6 - pool = M3 - M2 + M5b", value["M6"] - pool, value["M3"] - cost + value["M5b"]),
        Check("M8 + M7 of changes = differences", booked, differences),
        Check("M10 = all that was booked - M9", value["M10"], base),
        Check("M12 = M10 - M11", value["M12"], value["M10"] - value["M11"]),
        Check(
            "M15 + M16 = M12 + M14 - M13",
            value["M15"] + value["M16"],
            value["M12"] + value["M14"] - value["M13"],
        ),
    )


def _overall(statements: Sequence[Statement], parts: MonthParts) -> tuple[Check, ...]:
    """The statements together against the ledger, the deductions and what stood open before."""

    def over(line_id: str) -> int:
        return sum(statement.line(line_id).amount_fen for statement in statements)

    def whole(column: str) -> int:
        return total(parts.lines[column].to_numpy())

    taken = sum(one.taken_fen for one in parts.deductions)
    outstanding = sum(one.outstanding for one in parts.standing.values())
    left = sum(one.advance_left_fen for one in statements)
    return (
        Check("base of the month", over("M10"), whole("accrued_fen") - taken),
        Check("audit deductions", over("M9"), taken),
        Check("carried in", over("M14"), sum(one.carry for one in parts.standing.values())),
        Check("advance", left + over("M13"), outstanding),
    )


def check(checks: Iterable[Check]) -> None:
    """Raises SettlementError ST307 for the first check that does not hold."""
    for one in checks:
        if not one.holds:
            raise SettlementError("ST307", check=one.name, left=one.left, right=one.right)
