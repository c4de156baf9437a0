"""The named rules against worked cases with every intermediate."""

import json
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.money import decimal_text, round_half_up, to_fen, yuan
from grouper.policy.leads import FORMS
from grouper.policy.model import RULE_NAMES
from grouper.settle.fund import fund_a
from grouper.settle.outliers import (
    HIGH_OUTLIERS,
    LOW_OUTLIERS,
    PLAIN_OUTLIERS,
    RATIO_BASES,
    STANDARDS,
    limit,
    stands,
)

EXAMPLES = Path(__file__).parent.parent / "data" / "payment" / "examples.json"
RULE = re.compile(r"ratio (<=?|>=?) ([0-9.]+) -> (\w+)")
OPERATORS = st.sampled_from(["<", "<=", ">", ">="])


def is_covered(example) -> bool:
    """Money rules (no points) whose class is one of the three bands, with rules we know."""
    steps = example["steps"]
    return steps.get("method") == "rate" and steps["class"] in ("NORM", "LOW", "HIGH")


COVERED = [one for one in json.loads(EXAMPLES.read_text("utf-8")) if is_covered(one)]


def test_enough_examples_are_covered():
    rules = {RULE.search(one["steps"][key])[3] for one in COVERED for key in ("low", "high")}
    assert len(COVERED) >= 17
    assert rules >= {"L1", "H0", "H1", "H3", "H5", "H7", "H8"}


@pytest.mark.parametrize("example", COVERED, ids=lambda example: example["id"])
def test_worked_cases(example):
    given_, steps = example["input"], example["steps"]
    # class rules of other areas (raised weights, rates of another level) are resolved in `steps`
    factors = [Fraction(Decimal(given_["weight"])), Fraction(Decimal(steps["rate"])) * 100]
    factors.append(Fraction(Decimal(steps["coefficient"])))
    if example["id"] == "E07":
        factors[0] *= Fraction(Decimal("1.094"))
    base_name = steps["ratio_base_formula"].replace(" x ", " ")
    standard = STANDARDS["S2" if base_name == "w r c" else "S1"](*factors)
    if "group_mean" in given_:  # the published standard overrides the formula
        standard = Fraction(Decimal(given_["group_mean"])) * 100
    base = standard if "group_mean" in given_ else RATIO_BASES[base_name](*factors)
    cost = to_fen(given_["cost"])
    paid, kind = standard, "NORM"
    for key, name, table in (("low", "LOW", LOW_OUTLIERS), ("high", "HIGH", HIGH_OUTLIERS)):
        operator, multiple, rule = RULE.search(steps[key]).groups()
        k = Fraction(Decimal(multiple))
        if kind == "NORM" and stands(cost, operator, k, base):
            kind, paid = name, table[rule](Fraction(cost), standard, base, k)
    assert kind == steps["class"]
    assert decimal_text(cost / base) == steps["ratio"]
    assert yuan(round_half_up(paid)) == example["pay"]
    if "pay_unrounded" in steps:
        assert decimal_text(paid / 100, places=8) == steps["pay_unrounded"]


@pytest.mark.parametrize("number", ["E41", "E42"])
def test_worked_fund_parts(number):
    examples = json.loads(EXAMPLES.read_text("utf-8"))
    example = next(one for one in examples if one["id"] == number)
    names = ("pay", "cost", "item_fund")
    part = fund_a(*(to_fen(example["input"][name]) for name in names))
    assert Decimal(part) / 100 == Decimal(example["steps"]["unrounded"])
    assert yuan(max(part, 0)) == example["fund"]


@given(
    OPERATORS,
    st.fractions(Fraction(1, 10), 10, max_denominator=1000),
    st.fractions(1, 10**9, max_denominator=10**6),
    st.integers(-2, 2),
)
def test_the_limit_among_whole_fen_says_what_the_cross_product_says(operator, k, base, offset):
    border = limit(operator, k, base)
    cost = border + offset
    by_limit = cost <= border if operator.startswith("<") else cost >= border
    assert by_limit == stands(cost, operator, k, base)


@pytest.mark.parametrize("rule", ["H0", "H3", "H5"])
def test_these_rules_are_continuous_at_the_threshold(rule):
    standard, k = Fraction(848924), Fraction(5, 2)
    assert HIGH_OUTLIERS[rule](k * standard, standard, standard, k) == standard


def test_every_rule_a_policy_may_name_has_a_function():
    names = {kind: {name.removesuffix("k") for name in known} for kind, known in RULE_NAMES.items()}
    assert set(STANDARDS) <= names["standard"] <= set(FORMS["standard"])
    assert set(LOW_OUTLIERS) <= names["low_outlier"] <= set(FORMS["low_form"])
    assert names["high_outlier"] == set(HIGH_OUTLIERS) | set(PLAIN_OUTLIERS)
