"""The payment of a case by a lead: worked cases, a public site's results, and properties."""

from __future__ import annotations

import json
import lzma
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import GrouperError, SettlementError
from grouper.policy.lead_rules import LeadCase
from grouper.policy.leads import leads, load_lead
from grouper.settle.lead import Given, pay_by_lead
from grouper.settle.outliers import HIGH_OUTLIERS, PLAIN_OUTLIERS
from grouper.settle.worked_case import calculate_fund, calculate_payment

PAYMENT = Path(__file__).parents[1] / "data" / "payment"
EXAMPLES = json.loads((PAYMENT / "examples.json").read_text("utf-8"))
CASES = [
    json.loads(line)
    for line in lzma.decompress((PAYMENT / "oracle_cases.jsonl.xz").read_bytes()).splitlines()
]
WUHAN = {"area": "武汉", "level": "三级", "insurance": "职工", "group": "ES31", "weight": "0.83"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one["id"])
def test_worked_cases_with_every_step(example):
    if "convention" in example:
        worked = calculate_fund({"convention": example["convention"], **example["input"]})
        assert worked.outputs == {"fund": example["fund"]}
        assert worked.steps == example["steps"]
        return
    worked = calculate_payment(example["input"])
    assert worked.outputs == {"pay": example["pay"]}
    steps = dict(worked.steps)
    assert steps.pop("source")
    mark = steps.pop("confidence")
    assert mark == example["confidence"] or mark.endswith(" (corrected)")
    assert steps == example["steps"]


def test_every_result_of_the_public_site_or_of_the_rule_where_it_slips():
    assert len(CASES) == 2063
    wrong = []
    for case in CASES:
        inputs = {key: value for key, value in case.items() if not key.startswith(("site", "rule"))}
        worked = calculate_payment(inputs)
        expected = Fraction(case.get("rule_pay", case["site"]["pay"]))
        near = abs(Fraction(str(worked.outputs["pay"])) - expected) <= Fraction(1, 100)
        if not near or worked.steps["class"] != case["rule_kind"]:
            wrong.append((case["id"], worked.outputs, worked.steps["class"]))
    assert not wrong


def test_the_areas_own_numbers_stand_in_for_those_not_given():
    numbers = ("rate", "coef", "point_value", "mean_cost")
    same = 0
    for case in CASES:
        inputs = {key: value for key, value in case.items() if not key.startswith(("site", "rule"))}
        bare = {key: value for key, value in inputs.items() if key not in numbers}
        try:
            same += calculate_payment(bare).outputs == calculate_payment(inputs).outputs
        except SettlementError:  # nobody gives the number: a level the area has not published
            continue
    assert same > 1900


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"area": "无此地"}, "PO115"),
        ({"area": "温州"}, "PO116"),
        ({"level": "特级"}, "ST121"),
        ({"weight": "——"}, "ST121"),
        ({"weight": "0"}, "ST121"),
        ({"weight": "much"}, "WT120"),
        ({"weight": "-1"}, "WT120"),
        ({"cost": "0"}, "WT120"),
        ({"cost": None}, "WT120"),
        ({"los": "1.5"}, "WT120"),
        ({"labels": ["基础病组"]}, "WT120"),
        ({"group": 1.5}, "WT120"),
        ({"rate": "0"}, "ST121"),
    ],
)
def test_what_cannot_be_priced_says_why(change, code):
    with pytest.raises(GrouperError) as caught:
        calculate_payment(WUHAN | {"cost": "9338.16"} | change)
    assert caught.value.issues[0].code == code
    assert caught.value.text("zh")


@pytest.mark.parametrize(
    "change",
    [
        {"labels": None, "hospital": None, "age": None, "los": None},
        {"labels": {"病组标识": None, "备注": ""}, "coef": "——"},
        {"weight": Decimal("0.83"), "los": 8, "leave": 1, "rate": 10228},
    ],
)
def test_empty_cells_and_numbers_are_taken_as_they_stand(change):
    assert calculate_payment(WUHAN | {"cost": "9338.16"} | change).outputs == {"pay": "8489.24"}


@pytest.mark.parametrize(
    "change",
    [{"convention": "E"}, {"cost": "0"}, {"pay": "x"}],
)
def test_a_fund_example_that_is_none(change):
    inputs = {"convention": "B", "pay": "1", "cost": "2", "item_fund": "1"} | change
    with pytest.raises(GrouperError) as caught:
        calculate_fund(inputs)
    assert caught.value.issues[0].code == "WT120"


def test_a_negative_fund_part_is_carried_only_where_asked():
    inputs = {"convention": "A", "pay": "3976.53", "cost": "13520.19", "item_fund": "9100.00"}
    assert calculate_fund(inputs).outputs == {"fund": "0.00"}
    assert calculate_fund(inputs | {"negative": "carry"}).outputs == {"fund": "-443.66"}


@pytest.mark.parametrize(
    ("area", "group", "expected"),
    [
        ("杭州", "0000", "700.00"),
        ("杭州", "BQY", "800.00"),
        ("庆阳", "BQY", "800.00"),
        ("成都", "BQY", "900.00"),
        ("红河", "ZZ11", "1000.00"),
    ],
)
def test_cases_outside_the_groups(area, group, expected):
    inputs = {"area": area, "group": group, "weight": None, "cost": "1000.00", "los": 8}
    assert calculate_payment(inputs).outputs == {"pay": expected}


AREAS = [name for name, lead in leads().items() if lead.can_price]


@given(
    st.sampled_from(AREAS),
    st.decimals("0.05", "30", places=4),
    st.decimals("0.3", "1.8", places=4),
    st.integers(1, 50_000_000),
    st.integers(1, 80),
    st.sampled_from(["1", "2", "3", "4", "5", "9"]),
    st.integers(0, 100),
)
def test_every_area_prices_every_case_and_both_sides_of_every_border(
    area, weight, coef, cost_fen, los, leave, age
):
    lead = load_lead(area)
    case = LeadCase("ES31", "三级", "居民", "", Fraction(weight), los, leave, age)
    numbers = [Fraction(coef), Fraction(coef), Fraction(1), Fraction(7000), Fraction(60)]
    numbers += [Fraction(6500), Fraction(5000), Fraction(800)]
    amount = pay_by_lead(lead, case, Given(Fraction(cost_fen, 100), *numbers))
    assert amount.exact > 0
    assert abs(Fraction(amount.fen, 100) - amount.exact) <= Fraction(1, 200)
    if amount.basis is None:
        return
    for border, kind in ((amount.low, "LOW"), (amount.high, "HIGH")):
        if border is None or lead.before_rules or lead.within_rules:
            continue
        at = border.k * amount.basis.base
        near = {step: at + step for step in (Fraction(-1, 100), Fraction(0), Fraction(1, 100))}
        kinds = {
            step: pay_by_lead(lead, case, Given(cost, *numbers)).kind
            for step, cost in near.items()
            if cost > 0
        }
        inside = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}[border.operator]
        assert {step * 100 for step, found in kinds.items() if found == kind} == {
            *(step for step in inside if Fraction(step, 100) in kinds)
        }


@given(
    st.fractions(Fraction(1), Fraction(100000)),
    st.fractions(Fraction(1, 2), Fraction(2)),
    st.fractions(Fraction(1), Fraction(4)),
    st.fractions(Fraction(0), Fraction(10)),
)
def test_excess_over_k_plain_amounts(plain, coefficient, k, excess):
    standard, cost = plain * coefficient, plain * (k + excess)
    # H2 goes on from the standard, H4 from the coefficient, H3 from k standards
    assert PLAIN_OUTLIERS["H2"](cost, standard, plain, k) == standard + excess * plain
    assert PLAIN_OUTLIERS["H4"](cost, standard, plain, k) == coefficient * plain * (1 + excess)
    assert HIGH_OUTLIERS["H3"](coefficient * cost, standard, standard, k) == standard * (1 + excess)
