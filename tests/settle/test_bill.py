"""The identities of a bill: each is broken by its own parts, and only by them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import WeightError
from grouper.settle.bill import BillParts, broken_identities
from grouper.settle.worked_bill import calculate_bill_check

amounts = st.integers(0, 10**9)


@st.composite
def sound_bills(draw):
    """A bill built from its parts, so that every identity holds."""
    own, over, pre, deductible, copay, over_cap, pool = (draw(amounts) for _ in range(7))
    in_scope = pool + deductible + copay + over_cap
    total = in_scope + own + over + pre
    cat = draw(st.integers(0, total - pool))
    assist = draw(st.integers(0, total - pool - cat))
    account = draw(st.integers(0, total - pool - cat - assist))
    a = draw(st.integers(0, total - own))
    kinds = sorted(draw(st.lists(st.integers(0, total), max_size=13)))
    return BillParts(
        total, a, total - own - a, own, own, over, pre, in_scope, deductible, copay, over_cap, pool,
        cat, assist, 0, account, total - pool - cat - assist - account,
        [high - low for low, high in zip([0, *kinds], [*kinds, total], strict=True)],
    )  # fmt: skip


PARTS = {
    "class_a_fen": {"B1"},
    "class_b_fen": {"B1"},
    "class_c_fen": {"B1"},
    "own_fen": {"B2"},
    "over_fen": {"B2"},
    "pre_fen": {"B2"},
    "in_scope_fen": {"B2", "B4"},
    "deductible_fen": {"B4"},
    "copay_fen": {"B4"},
    "over_cap_fen": {"B4"},
    "pool_fen": {"B3", "B4"},
    "catastrophic_fen": {"B3"},
    "assistance_fen": {"B3"},
    "other_fen": {"B3"},
    "account_fen": {"B3"},
    "cash_fen": {"B3"},
    "total_fen": {"B1", "B2", "B3", "B5"},
}


@given(sound_bills(), st.sampled_from(sorted(PARTS)), st.sampled_from([-1, 1, 5000]))
def test_one_fen_breaks_exactly_the_identities_of_its_part(bill, part, change):
    assert broken_identities(bill) == []
    found = broken_identities(replace(bill, **{part: getattr(bill, part) + change}))
    assert {one.id for one in found} == PARTS[part]
    assert all(abs(one.difference_fen) == abs(change) for one in found)


@given(sound_bills())
def test_fees_by_kind_sum_to_the_total(bill):
    found = broken_identities(replace(bill, categories_fen=[*bill.categories_fen, 1]))
    assert [(one.id, one.difference_fen) for one in found] == [("B5", -1)]


@pytest.mark.parametrize(
    "inputs",
    [{}, {"bill": {}, "categories": []}, {"bill": {"total": "1.001"}, "categories": []}],
)
def test_an_example_that_is_none(inputs):
    with pytest.raises(WeightError) as caught:
        calculate_bill_check(inputs)
    assert caught.value.issues[0].code == "WT120"
