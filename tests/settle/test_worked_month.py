"""Worked months, advances and deposits: by the functions that settle, bad inputs refused."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import GrouperError
from grouper.money import to_fen, yuan
from grouper.settle.deposit import ScoreStep, returned_deposit
from grouper.settle.month_lines import allowed_deduction
from grouper.settle.month_sums import AMOUNT_LINES, SUM_COLUMNS, MonthSums
from grouper.settle.worked_month import calculate_advance, calculate_deposit, calculate_month

EXAMPLES = Path(__file__).parent.parent / "data" / "settlement" / "examples.json"
KINDS = {
    "month": calculate_month,
    "advance": calculate_advance,
    "deposit": calculate_deposit,
}
WORKED = [
    one for one in json.loads(EXAMPLES.read_text("utf-8"))["examples"] if one["kind"] in KINDS
]
CASE = {"id": "1", "total": "100.00", "pool": "60.00", "other": "0", "standard": "110.00"}
MONTH = {"deposit_rate": "0.05", "cases": [CASE]}
ADVANCE = {
    "prior_year_pool": "1200.00",
    "balance": "700.00",
    "year_spend": "1200.00",
    "min_months": "6",
}
TABLE = [["90", "1"], ["60", "score"], ["0", "0"]]


@pytest.mark.parametrize("example", WORKED, ids=lambda example: example["id"])
def test_published_examples(example):
    made = KINDS[example["kind"]](example["inputs"])
    assert made.outputs == example["outputs"]
    assert made.steps == example["steps"]


def test_all_examples_are_there():
    assert [one["id"] for one in WORKED] == [
        *("E10", "E11", "E12", "E13", "E14", "E15", "E22", "E23")
    ]


def test_only_a_share_of_the_month_is_paid():
    made = calculate_month({"monthly_rate": "0.95", "cases": [CASE]})
    # accrued 110 - 40 = 70; 66.50 is paid, 3.50 kept
    assert made.outputs["M11_deposit"] == "3.50"
    assert made.outputs["M15_paid"] == "66.50"


def test_on_the_fund_basis_nothing_is_taken_off_the_standard():
    made = calculate_month({**MONTH, "basis": "fund"})
    assert made.steps["M6_accrued"] == "110.00"


def test_deductions_of_one_list_never_exceed_its_accrual():
    audit = [{"list": "1", "amount": "50.00"}, {"list": "1", "amount": "50.00"}]
    made = calculate_month({**MONTH, "audit": audit})
    assert made.steps["M9_audit"] == made.steps["M6_accrued"] == "70.00"
    assert calculate_month({**MONTH, "audit": [{"amount": "80.00"}]}).steps["M9_audit"] == "80.00"


@given(st.integers(-100, 100), st.lists(st.integers(0, 60), max_size=6))
def test_what_is_deducted_lies_between_nothing_and_the_accrual(accrued, asked):
    taken = 0
    for amount in asked:
        cut = allowed_deduction(amount, accrued, taken)
        assert 0 <= cut <= amount
        taken += cut
    assert taken == min(sum(asked), max(accrued, 0))


def test_a_deficit_blocks_the_advance():
    assert calculate_advance(ADVANCE).outputs == {"advance": "100.00", "status": "granted"}
    for key in ("deficit", "deficit_last_year", "deficit_forecast"):
        blocked = calculate_advance({**ADVANCE, key: True}).outputs
        assert blocked == {"advance": "0.00", "status": "blocked_deficit"}
        assert calculate_advance({**ADVANCE, key: False}).outputs["status"] == "granted"
    three = calculate_advance({**ADVANCE, "years": 3, "months": "2"}).outputs
    assert three["advance"] == "66.67"


@pytest.mark.parametrize(
    ("kind", "inputs", "code"),
    [
        ("month", {**MONTH, "deposit_rate": "1.5"}, "WT120"),
        ("month", {**MONTH, "deposit_rate": None}, "WT120"),
        ("month", {**MONTH, "carry_in": "1.00"}, "WT120"),
        ("month", {**MONTH, "basis": "cost"}, "WT120"),
        ("month", {**MONTH, "audit": [{"amount": "-1.00"}]}, "ST207"),
        ("month", {**MONTH, "cases": [{**CASE, "pool": "101.00"}]}, "ST203"),
        ("month", {**MONTH, "cases": [{**CASE, "total": "1.001"}]}, "WT120"),
        ("advance", {**ADVANCE, "years": 4}, "WT120"),
        ("advance", {**ADVANCE, "year_spend": "0"}, "ST301"),
        ("deposit", {"deposit": "1", "score": "70", "table": TABLE[:1]}, "ST107"),
        ("deposit", {"deposit": "1", "score": "70", "table": TABLE[::-1]}, "ST107"),
        ("deposit", {"deposit": "1", "score": "120", "table": [["0", "score"]]}, "ST107"),
        ("deposit", {"deposit": "1", "score": "70", "table": [["90"]]}, "WT120"),
        ("deposit", {"deposit": "-1", "score": "70", "table": TABLE}, "ST207"),
    ],
)
def test_what_cannot_be_is_refused(kind, inputs, code):
    with pytest.raises(GrouperError) as caught:
        KINDS[kind](inputs)
    assert caught.value.issues[0].code == code
    assert all(caught.value.text(lang) for lang in ("zh", "en"))


@given(st.integers(0, 10**12), st.integers(0, 100))
def test_a_deposit_comes_back_in_part_at_most(deposit, score):
    steps = [ScoreStep(Fraction(90), Fraction(1)), ScoreStep(Fraction(0), None)]
    back = returned_deposit(deposit, Fraction(score), steps)
    assert 0 <= back <= deposit
    assert calculate_deposit(
        {"deposit": yuan(deposit), "score": score, "table": [["90", "1"], ["0", "score"]]}
    ).outputs == {"returned": yuan(back), "withheld": yuan(deposit - back)}
    assert to_fen(yuan(back)) == back


def test_sums_come_back_from_their_cells():
    lines = {line: number for number, line in enumerate(AMOUNT_LINES)}
    sums = MonthSums("2025-06", "H1", "310", "local", 3, 1, lines, 9, 8, 7, 6, 5, 4, 3, 2, 1)
    cells = sums.to_cells()
    assert len(cells) == len(SUM_COLUMNS)
    assert MonthSums.from_cells(dict(zip(SUM_COLUMNS, cells, strict=True))) == sums
