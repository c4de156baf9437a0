"""Money: exact in, exact out, one rounding, nothing lost in a split."""

import json
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import SettlementError
from grouper.money import (
    apportion,
    decimal_text,
    multiply_half_up,
    round_half_up,
    to_fen,
    total,
    yuan,
    yuan_decimal,
)

EXAMPLES = Path(__file__).parent.parent / "data" / "settlement" / "examples.json"
SPLITS = [
    example
    for example in json.loads(EXAMPLES.read_text("utf-8"))["examples"]
    if example["kind"] == "remainder"
]
FRACTIONS = st.fractions(min_value=-(10**12), max_value=10**12, max_denominator=10**6)
INT64 = st.integers(-(2**63) + 1, 2**63 - 1)


@pytest.mark.parametrize(
    ("amount", "fen"),
    [
        ("0", 0),
        ("12", 1200),
        ("12.3", 1230),
        (" 12.34 ", 1234),
        ("12.3400", 1234),
        ("-0.01", -1),
        (".5", 50),
        (7, 700),
        (Decimal("1E+2"), 10000),
        (Fraction(1, 4), 25),
        ("123456789012345678901234567890.12", 12345678901234567890123456789012),
    ],
)
def test_an_amount_becomes_its_fen(amount, fen):
    assert to_fen(amount) == fen


@pytest.mark.parametrize(
    "text", ["", "abc", "1,234.00", "１２", "1_000", "NaN", "1e3", "--1", "12.3元", Decimal("NaN")]
)
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(SettlementError) as caught:
        to_fen(text)
    assert caught.value.issues[0].code == "ST112"


def test_more_than_two_decimals_need_rounding_by_name():
    with pytest.raises(SettlementError) as caught:
        to_fen("12.345")
    assert caught.value.issues[0].code == "ST113"
    assert to_fen("12.345", rounding="half_up") == 1235
    assert to_fen("-12.345", rounding="half_up") == -1235
    assert to_fen("12.3449999", rounding="half_up") == 1234


@pytest.mark.parametrize("amount", [0.1, True, None])
def test_binary_floats_are_not_money(amount):
    with pytest.raises(TypeError):
        to_fen(amount)


@given(st.integers(-(10**20), 10**20))
def test_fen_survive_the_way_through_text(fen):
    assert to_fen(yuan(fen)) == fen
    assert to_fen(yuan_decimal(fen)) == fen


@given(FRACTIONS)
def test_half_up_is_the_rounding_of_the_decimal_module(value):
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        assert round_half_up(value) == int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def test_halves_go_away_from_zero():
    halves = [Fraction(1, 2), Fraction(-1, 2), Decimal("2.5"), Decimal("-2.5")]
    assert [round_half_up(half) for half in halves] == [1, -1, 3, -3]


@given(
    st.integers(-(10**14), 10**14),
    st.lists(st.fractions(0, 1000, max_denominator=1000), min_size=1, max_size=12),
)
def test_apportioned_parts_sum_to_the_total_and_stay_within_a_fen(whole, shares):
    keys = [f"H{i:02d}" for i in range(len(shares))]
    if not sum(shares):
        shares[0] = Fraction(1)
    parts = apportion(whole, shares, keys)
    assert sum(parts) == whole
    for part, share in zip(parts, shares, strict=True):
        assert abs(part - whole * share / sum(shares)) < 1
        assert share or part == 0


@given(st.integers(0, 10**9), st.lists(st.integers(0, 50), min_size=2, max_size=8), st.randoms())
def test_apportioning_does_not_depend_on_the_order(whole, shares, random):
    shares[0] += 1
    keys = [f"H{i}" for i in range(len(shares))]
    expected = dict(zip(keys, apportion(whole, shares, keys), strict=True))
    mixed = random.sample(list(zip(keys, shares, strict=True)), len(keys))
    names, parts = [key for key, _ in mixed], [share for _, share in mixed]
    assert dict(zip(names, apportion(whole, parts, names), strict=True)) == expected


def test_ties_go_to_the_larger_share_then_to_the_smaller_code():
    # remainders 1/2 and 1/2: 1.5 and 0.5 fen
    assert apportion(2, [1, 3], ["A", "B"]) == [0, 2]
    assert apportion(1, [1, 1], ["B", "A"]) == [0, 1]


@pytest.mark.parametrize("example", SPLITS, ids=lambda example: example["id"])
def test_worked_splits(example):
    hospitals = example["inputs"]["hospitals"]
    keys = [one["code"] for one in hospitals]
    shares = [Decimal(one["share"]) for one in hospitals]
    parts = apportion(to_fen(example["inputs"]["total"]), shares, keys)
    named = {key: yuan(part) for key, part in zip(keys, parts, strict=True)}
    assert named == example["outputs"], example["id"]


def test_nothing_to_apportion_to():
    assert apportion(0, [0, 0], ["A", "B"]) == [0, 0]
    with pytest.raises(SettlementError) as caught:
        apportion(1, [0, 0], ["A", "B"])
    assert caught.value.issues[0].code == "ST302"
    with pytest.raises(ValueError, match="negative"):
        apportion(1, [-1, 2], ["A", "B"])


@given(
    st.lists(st.integers(-(10**13), 10**13), max_size=20),
    st.fractions(-100, 100, max_denominator=10**5),
)
def test_multiplying_a_column_equals_multiplying_each_amount(fen, factor):
    expected = [round_half_up(one * factor) for one in fen]
    assert multiply_half_up(np.array(fen, np.int64), factor).tolist() == expected


@given(st.lists(INT64, min_size=1, max_size=6), st.fractions(0, 1, max_denominator=10**18))
def test_multiplying_stays_exact_beyond_int64(fen, factor):
    expected = [round_half_up(one * factor) for one in fen]
    assert multiply_half_up(np.array(fen, np.int64), factor).tolist() == expected


@given(st.lists(INT64, max_size=20))
def test_sums_are_exact_beyond_int64(fen):
    assert total(np.array(fen, np.int64)) == sum(fen)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(848924, 100), "8489.24"),
        (Fraction(1, 3), "0.3333333333"),
        (Fraction(-5, 2), "-2.5"),
        (Fraction(100), "100"),
        (Fraction(1, 10**11), "0"),
    ],
)
def test_fractions_for_the_eye(value, text):
    assert decimal_text(value) == text
