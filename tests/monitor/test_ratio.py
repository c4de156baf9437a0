"""The verdict is exact; only its text is rounded."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grouper.monitor.ratio import amount_text, judge, percent

COUNTS = st.integers(0, 10**18)
SHARES = st.fractions(Fraction(1, 10_000), 1, max_denominator=10_000)


@given(COUNTS, st.integers(1, 10**18), SHARES)
@example(4999999999, 10000000000, Fraction(1, 2))
def test_met_is_the_comparison_of_exact_fractions(num, den, target):
    verdict = judge(num, den, target)
    assert (verdict.status == "met") == (Fraction(num, den) >= target)


@given(COUNTS, st.integers(1, 10**18), SHARES)
def test_gap_is_the_smallest_addition_that_meets_the_target(num, den, target):
    gap = judge(num, den, target).gap
    assert judge(num + gap, den, target).status == "met"
    assert gap == 0 or judge(num + gap - 1, den, target).status == "not_met"


def test_shown_fifty_percent_is_not_met_when_a_fen_is_missing():
    verdict = judge(4_999_999_999, 10_000_000_000, Fraction(1, 2))
    assert (verdict.ratio_text, verdict.status, verdict.gap) == ("50.00%", "not_met", 1)


@pytest.mark.parametrize("den", [0, -1])
def test_no_denominator_is_no_data_not_zero(den):
    verdict = judge(5, den, Fraction(1, 2))
    assert (verdict.status, verdict.ratio_text, verdict.gap) == ("no_data", None, None)


def test_no_data_comes_before_no_target():
    assert judge(0, 0, None).status == "no_data"
    assert judge(1, 3, None).status == "reported_only"


@pytest.mark.parametrize(
    ("basis_points", "text"),
    [(0, "0.00%"), (5345, "53.45%"), (10_000, "100.00%"), (-5, "-0.05%")],
)
def test_percent_has_two_decimals(basis_points, text):
    assert percent(basis_points) == text


def test_ratio_text_rounds_half_up():
    assert judge(1, 20_000, None).ratio_text == "0.01%"
    assert judge(1, 20_001, None).ratio_text == "0.00%"


def test_amounts_keep_their_unit():
    assert amount_text(500000001, "yuan") == "5000000.01"
    assert amount_text(12, "count") == "12"
