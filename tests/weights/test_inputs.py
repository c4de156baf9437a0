"""Worked examples with inputs that cannot be used, and the roots they print."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import GrouperError
from weights.calculate_rates import calculate_base_rate, calculate_point_value
from weights.calculate_weights import calculate_weights
from weights.record import root_places

RATE = {"basis": "fund", "budget": "100.00", "reserve_ratio": "0", "predicted_weight": "2"}
POINTS = {"basis": "fund", "pool": "100.00", "hospitals": [{"code": "H1", "points": "3"}]}
CASE = {"adrg": "AB1", "suffix": "1", "year": 2022, "cost": "100"}


@pytest.mark.parametrize(
    ("calculate", "inputs", "place"),
    [
        (calculate_base_rate, RATE | {"budget": 1.5}, "inputs.budget"),
        (calculate_base_rate, RATE | {"budget": "9" * 30}, "inputs.budget"),
        (calculate_base_rate, RATE | {"predicted_weight": "1/2"}, "inputs.predicted_weight"),
        (calculate_base_rate, RATE | {"predicted_weight": "1e999999"}, "inputs.predicted_weight"),
        (calculate_base_rate, RATE | {"predicted_weight": "9" * 6000}, "inputs.predicted_weight"),
        (calculate_base_rate, RATE | {"deductions": {"bed_day": "x"}}, "inputs.deductions.bed_day"),
        (calculate_base_rate, RATE | {"deductions": [1]}, "inputs.deductions"),
        (calculate_base_rate, RATE | {"levels": [{"level": "3"}]}, "inputs.levels[0].coef"),
        (calculate_base_rate, RATE | {"basis": "total"}, "inputs.fund_share"),
        (calculate_point_value, POINTS | {"basis": []}, "inputs.basis"),
        (calculate_point_value, POINTS | {"hospitals": [{}]}, "inputs.hospitals[0].code"),
        (calculate_point_value, POINTS | {"basis": "total"}, "inputs.hospitals[0].patient"),
        (calculate_weights, {"cases": [CASE, CASE | {"cost": None}]}, "inputs.cases[1].cost"),
        (calculate_weights, {"cases": [CASE | {"cost": "1" * 25}]}, "inputs.cases[0].cost"),
        (calculate_weights, {"cases": [CASE | {"year": "22.5"}]}, "inputs.cases[0].year"),
        (calculate_weights, {"cases": [CASE | {"adrg": True}]}, "inputs.cases[0].adrg"),
        (calculate_weights, {"cases": [CASE], "small_n": -1}, "inputs.small_n"),
        (
            calculate_weights,
            {"cases": [CASE], "year_weights": {"1e3": 1}},
            "inputs.year_weights.1e3",
        ),
    ],
)
def test_an_input_that_cannot_be_used_is_named_by_its_place(calculate, inputs, place):
    with pytest.raises(GrouperError) as caught:
        calculate(inputs)
    (issue,) = caught.value.issues
    assert (issue.code, issue.where) == ("WT120", place)
    assert len(caught.value.text("en")) < 500


@pytest.mark.parametrize(
    ("calculate", "inputs", "key", "code"),
    [
        (calculate_point_value, POINTS, "hospitals", "code"),
        (
            calculate_base_rate,
            RATE | {"levels": [{"level": "3", "coef": "1", "weight": "2"}]},
            "levels",
            "level",
        ),
    ],
)
def test_two_entries_of_one_code_are_refused(calculate, inputs, key, code):
    twice = [*inputs[key], inputs[key][0] | {"points": "1", "coef": "1.2"}]
    with pytest.raises(GrouperError) as caught:
        calculate(inputs | {key: twice})
    assert caught.value.issues[0].where == f"inputs.{key}[1].{code}"


def test_null_is_a_value_left_out():
    plain = {"budget": "100.00", "fund_share": "0.5", "predicted_weight": "2"}
    optional = ("basis", "reserve_ratio", "deductions", "levels")
    found = calculate_base_rate(plain | dict.fromkeys(optional))
    assert found == calculate_base_rate(plain)
    assert found.outputs == {"base_rate": "95.00"}
    cases = [CASE, CASE | {"cost": "300"}]
    optional = ("year_weights", "trim_min_n", "small_n")
    found = calculate_weights({"cases": cases} | dict.fromkeys(optional))
    assert found.outputs["RW_AB11"] == "1.0000"
    yearless = [{k: v for k, v in case.items() if k != "year"} for case in cases]
    assert calculate_weights({"cases": yearless}) == found


def test_a_negative_coefficient_of_a_level_forms_no_rate():
    levels = [
        {"level": "3", "coef": "2", "weight": "3"},
        {"level": "2", "coef": "-1", "weight": "1"},
    ]
    with pytest.raises(GrouperError) as caught:
        calculate_base_rate(RATE | {"levels": levels})
    assert caught.value.issues[0].code == "ST301"


def test_a_cv_on_the_half_is_rounded_up():
    """31, 32, 33: standard deviation 1, mean 32, CV exactly 0.03125."""
    cases = [CASE | {"cost": cost} for cost in ("31", "32", "33")]
    assert calculate_weights({"cases": cases}).outputs["CV_AB11"] == "0.0313"


@pytest.mark.property
@given(st.fractions(0, 10**6), st.integers(0, 8))
def test_a_printed_root_is_the_nearest(square, decimals):
    found = Fraction(root_places(square, decimals)) * 10**decimals
    assert found.denominator == 1
    assert max(2 * found - 1, 0) ** 2 <= 4 * square * 100**decimals < (2 * found + 1) ** 2


@pytest.mark.property
@given(st.decimals("0", "1000", places=5))
def test_a_printed_root_of_a_square_is_its_decimal_rounded(root):
    shown = root_places(Fraction(root) ** 2, 4)
    assert shown == str(Decimal(root).quantize(Decimal("0.0001"), ROUND_HALF_UP))
