"""What is wrong with a row: each error of the table, with row, field, value and remedy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.dated import day_number
from grouper.money import yuan
from grouper.settle.bill import IDENTITIES, BillParts, broken_identities, differences
from grouper.settle.case import Settler, place_of_row
from tests.settle.conftest import Row, fen, make

MISSING_FEN = -(2**63)
#: a bill that adds up: total 8,000.00 yuan, pooled fund 5,000.00
BILL = {
    "class_a_cost": 500_000,
    "class_b_cost": 250_000,
    "class_c_cost": 50_000,
    "own_cost": 50_000,
    "over_limit_cost": 10_000,
    "pre_self_cost": 20_000,
    "in_scope_cost": 720_000,
    "deductible": 80_000,
    "copay": 140_000,
    "over_cap": 0,
    "fund_catastrophic": 30_000,
    "account_paid": 20_000,
    "cash_paid": 250_000,
    **{f"item_{number:02}": 0 for number in range(2, 15)},
    "item_01": 800_000,
}
OTHER = 30_000
#: code -> a field whose change breaks it, and the difference then told
BROKEN = {
    "ST201": ("class_b_cost", -1),
    "ST202": ("over_limit_cost", 1),
    "ST203": ("cash_paid", -1),
    "ST204": ("copay", 1),
    "ST205": ("item_09", -1),
}


def batch_of(rows, bills, source="june.csv"):
    batch, groups = make(rows)
    columns = {name: fen([bill.get(name) for bill in bills]) for name in BILL}
    row = np.arange(2, len(rows) + 2, dtype=np.int64)
    return replace(batch, bill=columns, source=source, row=row), groups


def settled(policy, table, bills, **change):
    rows = [Row(other=OTHER, **change) for _ in bills]
    batch, groups = batch_of(rows, bills)
    settler = Settler(table, policy, scheme_id="chs_drg_20", scheme_status="national")
    return settler.settle(batch, groups)


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_identity_names_row_and_difference_and_keeps_the_row_out(code, policy, table):
    field, difference = BROKEN[code]
    bills = [BILL, BILL | {field: BILL[field] + 1}, BILL | {field: BILL[field] + 1}]
    amounts = settled(policy, table, bills)
    assert amounts.issue_of(0) is None
    issue = amounts.issue_of(1)
    assert (issue.code, issue.where) == (code, "june.csv:3")
    assert issue.params["difference"] == yuan(difference)
    assert amounts.issue_counts() == [(issue, 2)]
    assert amounts.counted.tolist() == [True, False, False]
    # the payment stands: only the sums leave the row out
    assert len(set(amounts.payable_fen.tolist())) == 1
    assert len(set(amounts.fund_fen.tolist())) == 1
    for lang in ("zh", "en"):
        assert yuan(difference) in issue.what(lang)
        assert next(one.stated for one in IDENTITIES if one.code == code) in issue.fix(lang)


def test_an_area_may_only_warn(policy, table):
    from grouper.policy.parameter_files import with_own
    from grouper.policy.parameters import Entry

    known = policy.parameters.at("bill_check", date(2025, 1, 1))
    assert known.value == "strict"
    entries = policy.parameters.national["bill_check"]
    own = tuple(replace(entry, values=dict.fromkeys(entry.values, "warn")) for entry in entries)
    assert all(isinstance(entry, Entry) for entry in own)
    lenient = replace(policy, parameters=with_own({"bill_check": own}))
    amounts = settled(lenient, table, [BILL, BILL | {"cash_paid": 1}])
    assert amounts.counted.all()
    assert amounts.issue_of(1) is None
    assert amounts.notice_of(0) is None
    assert amounts.notice_of(1).code == "ST203"
    remarks = dict(amounts.to_columns("en"))["payment_issue"].to_pylist()
    assert remarks[0] == ""
    assert remarks[1].startswith("ST203 ")


def test_a_source_without_the_fields_is_not_asked(policy, table):
    amounts = settled(policy, table, [{}, {"cash_paid": 250_000, "account_paid": 20_000}])
    assert amounts.counted.tolist() == [True, False]  # cash is told, so B3 is asked


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"total": -1}, "total_cost = -0.01"),
        ({"pool": -100}, "fund_basic = -1.00"),
        ({"other": -5}, "other_funds = -0.05"),
    ],
)
def test_negative_amounts_name_field_and_value(change, said, policy, table):
    batch, groups = make([Row(**change)])
    batch = replace(batch, source="june.csv", row=np.array([7], np.int64))
    settler = Settler(table, policy, scheme_id="chs_drg_20", scheme_status="national")
    issue = settler.settle(batch, groups).issue_of(0)
    assert (issue.code, issue.where) == ("ST207", "june.csv:7")
    assert all(said in issue.text(lang) and issue.fix(lang) for lang in ("zh", "en"))


def test_a_negative_part_of_the_bill_is_one_too(policy, table):
    issue = settled(policy, table, [BILL | {"account_paid": -2_000}]).issue_of(0)
    assert (issue.code, issue.params["field"]) == ("ST207", "account_paid = -20.00")


@pytest.mark.parametrize(
    ("admitted", "settled_on", "words"),
    [
        (date(2025, 6, 16), None, ("2025-06-16", "2025-06-15")),
        (date(2025, 6, 1), date(2025, 6, 14), ("2025-06-15", "2025-06-14")),
    ],
)
def test_dates_out_of_order_name_both_days(admitted, settled_on, words, policy, table):
    batch, groups = make([Row(), Row()])
    days = [day_number(date(2025, 6, 1)), day_number(admitted)]
    paid = [day_number(date(2025, 6, 30)), day_number(settled_on) if settled_on else -(2**31)]
    batch = replace(
        batch,
        admission_date=np.array(days, np.int32),
        settlement_date=np.array(paid, np.int32),
        source="june.csv",
        row=np.array([2, 3], np.int64),
    )
    settler = Settler(table, policy, scheme_id="chs_drg_20", scheme_status="national")
    amounts = settler.settle(batch, groups)
    assert amounts.issue_of(0) is None
    issue = amounts.issue_of(1)
    assert (issue.code, issue.where) == ("ST208", "june.csv:3")
    assert not amounts.counted[1]
    for lang in ("zh", "en"):
        assert all(word in issue.what(lang) for word in words)
        assert issue.fix(lang)


def test_a_source_without_a_name_gives_no_place(policy):
    batch, _ = make([Row()])
    assert place_of_row(batch, 0) == ""


# --- conservation ------------------------------------------------------------------------------

PARTS = st.integers(0, 10**9)


@given(st.data())
def test_a_bill_made_of_its_parts_adds_up_and_a_moved_part_is_told(data):
    part = {name: data.draw(PARTS, name) for name in (*BILL, "fund_basic", "fund_other")}
    part["fund_other"] = 0
    total = part["class_a_cost"] + part["class_b_cost"] + part["class_c_cost"]
    items = [name for name in part if name.startswith("item_")]
    part |= dict.fromkeys(items, 0)
    part["item_01"], part["total_cost"] = total, total
    part["in_scope_cost"] = (
        total - part["own_cost"] - part["over_limit_cost"] - part["pre_self_cost"]
    )
    part["fund_basic"] = (
        part["in_scope_cost"] - part["deductible"] - part["copay"] - part["over_cap"]
    )
    paid = part["fund_basic"] + part["fund_catastrophic"] + part["account_paid"]
    part["cash_paid"] = total - paid
    assert told(part) == {}
    name = data.draw(st.sampled_from(sorted(part)), "moved")
    by = data.draw(st.integers(-1000, 1000).filter(bool), "by")
    part[name] += by
    expected = {}
    for one in IDENTITIES:
        sign = (name == one.stated) - (name in one.adds) + (name in one.takes)
        if sign:
            expected[one.id] = sign * by
    assert told(part) == expected


def told(part):
    """The identities that fail, by the columns; the record of one bill says the same."""
    columns = {name: np.array([value], np.int64) for name, value in part.items()}
    found = {one.id: int(fen[0]) for one, fen in differences(columns) if fen[0]}
    items = [value for name, value in part.items() if name.startswith("item_")]
    bill = BillParts(
        part["total_cost"], part["class_a_cost"], part["class_b_cost"], part["class_c_cost"],
        part["own_cost"], part["over_limit_cost"], part["pre_self_cost"], part["in_scope_cost"],
        part["deductible"], part["copay"], part["over_cap"], part["fund_basic"],
        part["fund_catastrophic"], 0, part["fund_other"], part["account_paid"], part["cash_paid"],
        items,
    )  # fmt: skip
    assert {one.id: one.difference_fen for one in broken_identities(bill)} == found
    return found


def test_empty_cells_are_nothing_and_rows_that_state_nothing_are_not_asked():
    columns = {
        "total_cost": np.array([100, 100, MISSING_FEN], np.int64),
        "fund_basic": np.array([60, 60, 60], np.int64),
        "cash_paid": np.array([40, MISSING_FEN, 40], np.int64),
        "account_paid": np.array([MISSING_FEN, 1, 1], np.int64),
    }
    assert [(one.id, fen.tolist()) for one, fen in differences(columns)] == [("B3", [0, 0, 0])]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"day": date(2024, 12, 31)}, "ST101", ("demo", "2024-12-31")),
        ({"total": None}, "ST103", ("total cost",)),
        ({"level": "特级"}, "ST105", ("特级",)),
        ({"insured": "???"}, "ST105", ("???",)),
        ({"group": "ZZ99"}, "WT101", ("ZZ99",)),
    ],
)
def test_what_keeps_a_row_from_a_price_names_row_field_and_value(
    change, code, words, policy, table
):
    batch, groups = make([Row(), Row(**change)])
    batch = replace(batch, source="june.csv", row=np.array([2, 3], np.int64))
    settler = Settler(table, policy, scheme_id="chs_drg_20", scheme_status="national")
    issue = settler.settle(batch, groups).issue_of(1)
    assert issue.code == code
    assert issue.where.startswith("june.csv:3")
    assert all(word in issue.what("en") for word in words)
    assert issue.what("zh")
    assert all(issue.fix(lang) for lang in ("zh", "en"))
