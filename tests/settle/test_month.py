"""The month's statement: parts sum to totals, identities hold, nothing is lost."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grouper.engine.groups import Status
from grouper.errors import SettlementError
from grouper.money import to_fen, yuan
from grouper.settle.month import month_statements, months
from grouper.settle.month_lines import MonthEntries, close_month

EXAMPLES = Path(__file__).parent.parent / "data" / "settlement" / "examples.json"
MONTHS = [
    example
    for example in json.loads(EXAMPLES.read_text("utf-8"))["examples"]
    if example["kind"] == "month"
]
NAMES = {
    "M6_accrued": "M6",
    "M7_special": "M7",
    "M8_corrections": "M8",
    "M8b_late": "M8b",
    "M9_audit": "M9",
    "M10_base": "M10",
    "M11_deposit": "M11",
    "M12_payable": "M12",
    "M13_offset": "M13",
    "M14_carry_in": "M14",
    "M15_paid": "M15",
    "M16_carry_out": "M16",
}


def accrued(cases) -> int:
    """Standard less what patient and other funds bear: standard - total + pool."""
    return sum(
        to_fen(one["standard"]) - to_fen(one["total"]) + to_fen(one["pool"]) for one in cases
    )


@pytest.mark.parametrize("example", MONTHS, ids=lambda example: example["id"])
def test_worked_months(example):
    inputs = example["inputs"]
    entries = MonthEntries(
        special=sum(to_fen(one["pool"]) for one in inputs["cases"] if one.get("special")),
        corrections=sum(
            to_fen(one["new_accrued"]) - to_fen(one["old_accrued"])
            for one in inputs.get("corrections", ())
        ),
        late=accrued(inputs.get("late", ())),
        audit=sum(to_fen(one["amount"]) for one in inputs.get("audit", ())),
        carry_in=to_fen(inputs.get("carry_in", "0")),
        advance_schedule=to_fen(inputs.get("advance_schedule", "0")),
        advance_outstanding=to_fen(inputs.get("advance_outstanding", "0")),
    )
    plain = accrued(one for one in inputs["cases"] if not one.get("special"))
    lines = close_month(plain, Decimal(inputs["deposit_rate"]), entries)
    wanted = {**example["steps"], **example["outputs"]}
    for name, line in NAMES.items():
        assert yuan(lines[line]) == wanted[name], name


ROWS = st.lists(
    st.tuples(
        st.integers(1, 5_000_000),
        st.integers(0, 100),
        st.sampled_from(["310", "390", "职工", "510", ""]),
        st.sampled_from(["H99000000001", "H99000000004", "X", ""]),
        st.sampled_from([date(2025, 6, 1), date(2025, 6, 30), date(2025, 7, 1), None]),
        st.sampled_from(list(Status)),
    ),
    max_size=40,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=ROWS)
def test_parts_and_statements_sum_to_the_cases(drawn, row, settle, policy):
    rows = [
        row(
            total=total,
            pool=total * share // 100,
            other=total * (100 - share) // 200,
            insurance=insurance,
            hospital=hospital,
            day=day,
            status=status,
        )
        for total, share, insurance, hospital, day, status in drawn
    ]
    batch, groups, amounts = settle(rows)
    statements = month_statements(batch, groups, amounts, policy, month="2025-06")
    june = [one.day is not None and one.day.month == 6 for one in rows]
    assert sum(statement.cases for statement in statements) == sum(june)
    keys = [(statement.hospital, statement.insurance) for statement in statements]
    assert keys == sorted(set(keys))
    counted = [i for i, inside in enumerate(june) if inside and amounts.counted[i]]
    for line, column in (("M2", "total_fen"), ("M3", "payable_fen"), ("M6", "fund_fen")):
        over = sum(statement.line(line).amount_fen for statement in statements)
        assert over == sum(int(getattr(amounts, column)[i]) for i in counted)
    for statement in statements:
        assert all(check.holds for check in statement.checks)
        value = {line.id: line.amount_fen for line in statement.lines}
        pool = sum(part.pool_fen for part in statement.parts)
        assert value["M6"] - pool == value["M3"] - value["M2"]
        assert value["M12"] == value["M10"] - value["M11"]
        assert value["M7"] == value["M8"] == value["M8b"] == value["M9"] == 0


def test_a_statement_in_full(row, settle, policy):
    rows = [
        row(total=800_000, pool=500_000, other=20_000),
        row(total=100_000, pool=60_000, other=0),
        row(status=Status.UNGROUPED, total=200_000, pool=120_000),
        row(total=None),
        row(insurance="居民"),
    ]
    batch, groups, amounts = settle(rows)
    employee, resident = month_statements(batch, groups, amounts, policy, month="2025-06")
    assert (employee.insurance, resident.insurance) == ("310", "390")
    lines = {line.id: line.text for line in employee.lines}
    # 7897.46 standard + 1000.00 low outlier at cost + 0.8 x 2000.00
    assert lines["M1"] == "3"
    assert lines["M2"] == "11000.00"
    assert lines["M3"] == "10497.46"
    assert lines["M4"] == "4000.00"
    assert lines["M5"] == "200.00"
    assert lines["M6"] == "6297.46"
    assert lines["M11"] == "314.87"
    assert lines["M15"] == "5982.59"
    assert employee.not_counted == {"ST103": 1}
    assert employee.cases == 4
    assert employee.hospital_name == policy.hospital("H99000000001").name
    assert "虚构" in employee.mark("zh")
    assert employee.to_dict()["lines"]["M6"] == "6297.46"
    assert json.dumps(employee.to_dict())


def test_a_month_without_cases_has_no_statement(row, settle, policy):
    batch, groups, amounts = settle([row(), row(day=None)])
    assert month_statements(batch, groups, amounts, policy, month="2025-05") == []
    assert months(batch) == {"": 1, "2025-06": 1}


def test_december_ends_with_the_year(row, settle, policy):
    rows = [row(day=date(2025, 12, 31)), row(day=date(2026, 1, 1))]
    batch, groups, amounts = settle(rows)
    (statement,) = month_statements(batch, groups, amounts, policy, month="2025-12")
    assert statement.cases == 1


@pytest.mark.parametrize("month", ["2025-13", "2025-6", "202506", "六月", "0000-01"])
def test_what_is_no_month_is_refused(row, settle, policy, month):
    batch, groups, amounts = settle([row()])
    with pytest.raises(SettlementError) as caught:
        month_statements(batch, groups, amounts, policy, month=month)
    assert caught.value.issues[0].code == "ST314"


def test_sums_that_differ_stop_the_month(row, settle, policy):
    batch, groups, amounts = settle([row(), row()])
    damaged = replace(amounts, fund_fen=amounts.fund_fen.copy(), total_fen=amounts.total_fen + 1)
    with pytest.raises(SettlementError) as caught:
        month_statements(batch, groups, damaged, policy, month="2025-06")
    assert caught.value.issues[0].code == "ST307"
    assert caught.value.text("zh")


def test_cut_parts_stand_in_a_line_of_their_own(row, settle, policy):
    cut = replace(
        policy,
        terms=tuple(replace(one, fund=replace(one.fund, negative="zero")) for one in policy.terms),
    )
    rows = [row(total=4_000_000, pool=100_000), row()]
    batch, groups, amounts = settle(rows, policy=cut)
    (statement,) = month_statements(batch, groups, amounts, cut, month="2025-06")
    value = {line.id: line.amount_fen for line in statement.lines}
    assert value["M5b"] > 0
    assert value["M6"] == value["M3"] - value["M4"] - value["M5"] + value["M5b"]
    assert value["M6"] == sum(amounts.fund_fen.tolist())
