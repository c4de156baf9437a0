"""Rates and points: the worked examples, and what must hold for all numbers."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import GrouperError, SettlementError
from grouper.money import round_half_up
from weights import rates
from weights.calculate_rates import calculate_base_rate, calculate_point_value

EXAMPLES = json.loads(
    (Path(__file__).parents[1] / "data" / "settlement" / "examples.json").read_text("utf-8")
)["examples"]
KINDS = {"base_rate": calculate_base_rate, "point_value": calculate_point_value}

FEN = st.integers(1, 10**12)
WEIGHT = st.decimals("0.0001", "100000", places=4)
COEFFICIENT = st.decimals("0.3", "2", places=4)


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if e["kind"] in KINDS], ids=lambda e: str(e["id"])
)
def test_the_worked_examples(example):
    found = KINDS[example["kind"]](example["inputs"])
    assert found.outputs == example["outputs"]
    assert found.steps == example["steps"]


def test_the_functions_behind_an_example():
    """E03: pool, total cost and normalised coefficients on the way."""
    pool = rates.pool(5_200_000_000, Decimal("0.03"), [400_000_000])
    assert (pool.reserve_fen, pool.pool_fen) == (156_000_000, 4_644_000_000)
    total = rates.total_cost_fen(pool.pool_fen, Decimal("0.6"))
    assert total == 7_740_000_000
    levels = {"3": (Decimal("1.1"), 4200), "2": (1, 2900), "1": (Decimal("0.85"), 900)}
    assert round(float(rates.normaliser(list(levels.values()))), 8) == 0.96560048
    found = rates.level_rates(967_500, levels)
    assert [round(float(found[level].coefficient), 4) for level in "321"] == [
        1.0622,
        0.9656,
        0.8208,
    ]


@pytest.mark.property
@given(FEN, st.lists(st.tuples(COEFFICIENT, WEIGHT), min_size=1, max_size=5))
def test_normalised_levels_cost_what_the_base_rate_would(rate, pairs):
    levels = {str(number): pair for number, pair in enumerate(pairs)}
    found = rates.level_rates(rate, levels)
    paid = sum(found[level].coefficient * rate * Fraction(w) for level, (_, w) in levels.items())
    assert paid == rate * sum(Fraction(weight) for _, weight in pairs)
    assert all(one.rate_fen == round_half_up(rate * one.coefficient) for one in found.values())


@pytest.mark.property
@given(FEN, st.dictionaries(st.text("AB", min_size=1, max_size=3), WEIGHT, min_size=1, max_size=6))
def test_what_hospitals_get_for_points_sums_to_the_pool(pool, points):
    found = rates.point_value(pool, points)
    assert sum(share.net_fen for share in found.shares.values()) == pool
    assert found.value * 100 * found.total_points == pool
    assert 0 <= found.by_remainder < len(points)
    for code, share in found.shares.items():
        assert abs(share.gross_fen - found.value * 100 * Fraction(points[code])) < 1


@pytest.mark.property
@given(FEN, st.dictionaries(st.text("AB", min_size=1, max_size=3), WEIGHT, min_size=1), st.data())
def test_on_the_total_basis_what_others_paid_comes_off_again(pool, points, data):
    others = {code: data.draw(st.integers(0, 1000)) for code in points}
    try:
        found = rates.point_value(pool, points, others_fen=others)
    except SettlementError:
        gross = rates.point_value(pool + sum(others.values()), points).shares
        assert any(gross[code].net_fen < paid for code, paid in others.items())
        return
    assert found.numerator_fen == pool + sum(others.values())
    assert sum(share.net_fen for share in found.shares.values()) == pool


@pytest.mark.property
@given(
    st.dictionaries(
        st.text("AB", min_size=1, max_size=3), st.tuples(FEN, WEIGHT), min_size=1, max_size=6
    ),
    st.sampled_from([None, 2, 4]),
)
def test_normalised_hospital_coefficients_keep_the_sum_of_points(hospitals, decimals):
    costs = {code: fen for code, (fen, _) in hospitals.items()}
    volumes = {code: weight for code, (_, weight) in hospitals.items()}
    plain = rates.hospital_coefficients(costs, volumes)
    total = sum(Fraction(weight) for weight in volumes.values())
    assert sum(plain[code] * Fraction(volumes[code]) for code in volumes) == total
    try:
        found = rates.hospital_coefficients(costs, volumes, decimals=decimals, normalise="volume")
    except SettlementError:
        assert decimals is not None
        return
    assert sum(found[code] * Fraction(volumes[code]) for code in volumes) == total


def test_coefficients_from_cost_ratios():
    costs, volumes = {"A": 120_00, "B": 80_00}, {"A": 1, "B": 1}
    assert rates.hospital_coefficients(costs, volumes) == {"A": Fraction(6, 5), "B": Fraction(4, 5)}
    rounded = rates.hospital_coefficients({"A": 2_00, "B": 1_00}, volumes, decimals=2)
    assert rounded == {"A": Fraction(133, 100), "B": Fraction(67, 100)}


def test_base_points():
    assert rates.base_points(12_345_00, 10_000_00) == Fraction("123.45")
    assert rates.base_points(12_345_00, 10_000_00, per=1000) == Fraction("1234.5")


def test_a_joint_rate_divides_the_sums():
    assert rates.joint_rate([(300, 2), (500, Decimal(3))]) == 160


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: rates.pool(100, Decimal("1.5")), "ST106"),
        (lambda: rates.pool(100, 0, [100]), "ST301"),
        (lambda: rates.total_cost_fen(100, 0), "ST106"),
        (lambda: rates.base_rate(100, 0), "ST301"),
        (lambda: rates.base_rate(0, 1), "ST301"),
        (lambda: rates.normaliser([]), "ST301"),
        (lambda: rates.point_value(100, {}), "ST301"),
        (lambda: rates.point_value(100, {"A": 1, "B": 1}, others_fen={"A": 500}), "ST304"),
        (lambda: rates.point_value(100, {"A": 2, "B": -1}), "ST301"),
        (lambda: rates.base_points(1, 0), "ST301"),
        (lambda: rates.hospital_coefficients({"A": 0}, {"A": 1}), "ST301"),
        (lambda: calculate_base_rate({}), "WT120"),
        (lambda: calculate_base_rate({"budget": "1", "predicted_weight": True}), "WT120"),
        (lambda: calculate_base_rate({"budget": "1", "basis": "both"}), "WT120"),
        (lambda: calculate_point_value({"pool": "1", "hospitals": {}}), "WT120"),
        (lambda: calculate_point_value({"pool": "x", "hospitals": []}), "WT120"),
    ],
)
def test_what_cannot_be_computed_says_why(call, code):
    with pytest.raises(GrouperError) as caught:
        call()
    assert caught.value.issues[0].code == code
    assert all(caught.value.text(lang) for lang in ("zh", "en"))
