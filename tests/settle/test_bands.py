"""Surplus kept and overspend shared."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import SettlementError
from grouper.settle.bands import make_bands, share_out

SURPLUS = [(Fraction("0.15"), Fraction(1)), (Fraction("0.3"), Fraction("0.5")), (None, Fraction(0))]
OVERSPEND = [
    (Fraction("0.1"), Fraction("0.5")),
    (Fraction("0.2"), Fraction("0.25")),
    (None, Fraction(0)),
]
BANDS = make_bands(SURPLUS, OVERSPEND)
FEN = st.integers(0, 10**13)
RATES = st.integers(0, 10_000).map(lambda parts: Fraction(parts, 10_000))
BORDERS = st.builds(Fraction, st.integers(1, 1000), st.integers(500, 1000))
TABLES = st.lists(st.tuples(BORDERS, RATES), max_size=8).map(
    lambda rows: [
        *sorted({border: rate for border, rate in rows}.items()),
        (None, Fraction(1, 3)),
    ]
)


@given(FEN, FEN, TABLES, TABLES)
def test_slices_sum_to_the_difference_and_nobody_is_paid_outside_it(
    entitled, recorded, surplus, overspend
):
    shared = share_out(entitled, recorded, make_bands(surplus, overspend))
    assert sum(shared.slices) == abs(entitled - recorded)
    assert min(entitled, recorded) <= shared.final_fen <= max(entitled, recorded)


@given(st.integers(1, 10**13), st.integers(0, 10**13))
def test_a_fen_more_recorded_never_jumps(entitled, recorded):
    one, next_ = (share_out(entitled, fen, BANDS).final_fen for fen in (recorded, recorded + 1))
    # half a fen of rounding on either side of a slope between 0 and 1
    assert -1 <= next_ - one <= 2


@pytest.mark.parametrize("percent", [85, 70, 100, 110, 120])
def test_one_fen_either_side_of_a_border(percent):
    at = 1_000_000 * percent
    final = [share_out(100_000_000, at + step, BANDS).final_fen for step in (-1, 0, 1)]
    assert max(final) - min(final) <= 2


@pytest.mark.parametrize(
    ("manner", "recorded", "final"),
    [
        ("keep_all", 500, 1000),
        ("keep_all", 1500, 1000),
        ("no_share", 1100, 1000),
        ("no_share", 900, 1000),
        # the whole difference at the rate of the band it ends in
        ("cliff", 850, 1000),
        ("cliff", 849, 849 + 76),
        ("cliff", 700, 850),
        ("cliff", 699, 699),
        ("cliff", 1100, 1050),
        ("cliff", 1101, 1025),
        ("cliff", 1201, 1000),
    ],
)
def test_the_manners(manner, recorded, final):
    assert share_out(1000, recorded, make_bands(SURPLUS, OVERSPEND, manner=manner)).final_fen == (
        final
    )


def test_an_entitlement_of_nothing_is_shared_in_the_open_band():
    assert share_out(0, 1000, BANDS).final_fen == 0
    assert share_out(-500, 1000, BANDS).final_fen == -500


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "ST107"),
        ([(Fraction("0.1"), Fraction(1))], "ST107"),
        ([(None, Fraction(1)), (None, Fraction(0))], "ST107"),
        ([(Fraction("0.2"), Fraction(1)), (Fraction("0.2"), Fraction(0)), (None, 0)], "ST107"),
        ([(Fraction(0), Fraction(1)), (None, Fraction(0))], "ST107"),
        ([(None, Fraction(2))], "ST106"),
        ([(None, Fraction(-1))], "ST106"),
    ],
)
@pytest.mark.parametrize("side", ["surplus", "overspend"])
def test_an_impossible_table_is_refused_by_name_and_remedy(rows, code, side):
    tables = {"surplus": SURPLUS, "overspend": OVERSPEND} | {side: rows}
    with pytest.raises(SettlementError) as caught:
        make_bands(tables["surplus"], tables["overspend"])
    issue = caught.value.issues[0]
    assert issue.code == code
    for lang in ("zh", "en"):
        assert side in issue.text(lang)
        assert issue.fix(lang)
